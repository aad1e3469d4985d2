// SPDX-License-Identifier: GPL-2.0
/*
 * vm: virtual machines, each a process that owns a KVM guest. See usage().
 *
 * The guest is a loop, guest_code below, in long mode and without a kernel. It adds one to a word in every --stride
 * bytes of its vCPU's part and looks first whether the word is what it has to be: the upper half says where it belongs,
 * the lower half how often it was added to. After each eighth of a sweep it halts, which brings the vCPU's thread back
 * here. In the end every word is looked at from outside, too.
 *
 * A VM's physical memory:
 *	0	code, and two pages of page tables that map every address to itself
 *	1 GiB	data: the anonymous memory of its process
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/kvm.h>
#include <numa.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "load.h"

#define STATUS_SKIP	77
#define PARTS		8		/* of a sweep; a vCPU halts after each */
#define NAP_US		1000
#define CORRUPT_PORT	"0x80"
#define MAX_CPUID	256

#define PML4		PAGE
#define PDPT		(2 * PAGE)
#define LOW_SIZE	(3 * PAGE)
#define GiB		(1UL << 30)
#define DATA		GiB
#define MAX_MIB		(511UL << 10)	/* what the page tables map */

#define PTE_TABLE	0x3UL		/* present, writable */
#define PTE_LARGE	0x83UL
#define CR0_GUEST	0x80000031UL	/* PG, NE, ET, PE */
#define CR4_GUEST	0x20UL		/* PAE */
#define EFER_GUEST	0x500UL		/* LMA, LME */

enum sleep { SLEEP_NONE, SLEEP_TIMER, SLEEP_PAIR };

/* plan.c and report.c know VMs as processes that share their memory. */
struct options opt = {
	.mode = PROCS, .mib = 256, .sweeps = 100, .stride = 512, .marks = 30, .born = -1,
};

const char * const mode_names[] = { [PROCS] = "vm" };
static const char * const bind_names[] = { "none", "hard", "inverse" };
static const char * const sleep_names[] = { "none", "timer", "pair" };

static enum sleep sleeps;
static bool all_share;			/* every vCPU sweeps over all memory of its VM */

/* Of all VMs. */
static struct totals {
	_Atomic unsigned long exits, returns, wakes;
} *totals;

/* This VM. */
static int kvm, vm;
static char *low, *data;
static unsigned long data_size;

static struct vcpu {
	int fd;
	int wake;			/* an eventfd */
	struct kvm_run *run;
	unsigned long units, returns, wakes;
	_Atomic bool over;		/* of a pair: the first one has ended */
} vcpus[MAX_THREADS];

/*
 * The guest's code, which runs at address 0. Registers:
 *	rdi, rsi	its part of the memory: first address, end
 *	r9		bytes of a unit, after which it halts
 *	rdx		stride
 *	r8		what a word's address is multiplied by; the upper half of the product is the word's
 *	r13		which bits of a word can be foretold
 *	rbx		sweeps so far
 *	rax, rcx	the word, the end of the unit
 */
extern const char guest_code[], guest_code_end[];

__asm__(".pushsection .rodata\n"
	"guest_code:\n"
	"	xor	%ebx, %ebx\n"
	".Lsweep:\n"
	"	mov	%rdi, %rax\n"
	".Lunit:\n"
	"	lea	(%rax, %r9), %rcx\n"
	".Lword:\n"
	"	mov	%rax, %r10\n"
	"	imul	%r8, %r10\n"
	"	shr	$32, %r10\n"
	"	shl	$32, %r10\n"
	"	or	%rbx, %r10\n"
	"	xor	(%rax), %r10\n"
	"	test	%r13, %r10\n"
	"	jnz	.Lcorrupt\n"
	".Ladd:\n"
	"	lock incq (%rax)\n"
	"	add	%rdx, %rax\n"
	"	cmp	%rcx, %rax\n"
	"	jb	.Lword\n"
	"	hlt\n"
	"	cmp	%rsi, %rax\n"
	"	jb	.Lunit\n"
	"	inc	%rbx\n"
	"	jmp	.Lsweep\n"
	".Lcorrupt:\n"
	"	out	%al, $" CORRUPT_PORT "\n"
	"	jmp	.Ladd\n"
	"guest_code_end:\n"
	"	.popsection\n");

/* Memory */

unsigned long units_per_sweep(void)
{
	return PARTS;
}

static unsigned long part_size(void)
{
	return data_size / opt.threads;
}

/* What the words' addresses are multiplied by in this VM. */
static uint64_t multiplier(void)
{
	return 0x9e3779b97f4a7c15UL * (2 * proc + 1);
}

static uint64_t signature(unsigned long offset)
{
	return (DATA + offset) * multiplier() >> 32 << 32;
}

static _Atomic uint64_t *word_at(unsigned long offset)
{
	return (_Atomic uint64_t *)(data + offset);
}

static void bear_part(unsigned int n)
{
	for (unsigned long at = n * part_size(); at < (n + 1) * part_size(); at += opt.stride)
		*word_at(at) = signature(at);
}

/* A vCPU that has done so many units of this size has been so often at an offset in its part. */
static unsigned long visits(unsigned long units, unsigned long offset, unsigned long unit_size)
{
	return units / PARTS + (offset / unit_size < units % PARTS);
}

static unsigned long expected_visits(unsigned long offset)
{
	unsigned long sum = 0;

	if (!all_share)
		return visits(vcpus[offset / part_size()].units, offset % part_size(), part_size() / PARTS);
	for (unsigned int n = 0; n < opt.threads; n++)
		sum += visits(vcpus[n].units, offset, data_size / PARTS);
	return sum;
}

static void verify_all(void)
{
	for (unsigned long at = 0; at < data_size; at += opt.stride) {
		if (*word_at(at) == signature(at) + expected_visits(at))
			continue;
		if (!shared->corrupt++)
			fprintf(stderr, "vm: corrupt: VM %u, offset 0x%lx: 0x%lx\n", proc, at, (unsigned long)*word_at(at));
	}
}

static char *map(unsigned long size, int flags)
{
	char *start = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	check(start == MAP_FAILED ? -1 : 0, "mmap");
	return start;
}

/* The VM */

static void add_slot(unsigned int slot, unsigned long at, char *memory, unsigned long size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .guest_phys_addr = at, .memory_size = size, .userspace_addr = (uintptr_t)memory,
	};

	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
}

static void fill_low(void)
{
	uint64_t *pdpt = (uint64_t *)(low + PDPT);

	memcpy(low, guest_code, guest_code_end - guest_code);
	*(uint64_t *)(low + PML4) = PDPT | PTE_TABLE;
	for (unsigned long i = 0; i < PAGE / sizeof(*pdpt); i++)
		pdpt[i] = i * GiB | PTE_LARGE;
}

static void create_vm(void)
{
	unsigned long start;

	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	check(vm, "KVM_CREATE_VM");
	low = map(LOW_SIZE, MAP_PRIVATE);
	fill_low();
	add_slot(0, 0, low, LOW_SIZE);

	data_size = (opt.mib << 20) / nr_all() / HUGE * HUGE * opt.threads;
	start = (uintptr_t)map(data_size + HUGE, MAP_PRIVATE | MAP_NORESERVE);
	data = (char *)((start + HUGE - 1) & -HUGE);
	check(madvise(data, data_size, opt.thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE), "madvise");
	add_slot(1, DATA, data, data_size);
}

/* vCPUs */

/* What the CPU can do: without it, no long mode. */
static void set_features(const struct vcpu *v)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[MAX_CPUID];
	} cpuid = { .head.nent = MAX_CPUID };

	check(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid), "KVM_GET_SUPPORTED_CPUID");
	check(ioctl(v->fd, KVM_SET_CPUID2, &cpuid), "KVM_SET_CPUID2");
}

/* FS is not used by the guest. The meter tells threads by it. */
static void set_mode(const struct vcpu *v, unsigned int number)
{
	const struct kvm_segment code = {
		.limit = -1, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1,
	};
	const struct kvm_segment flat = {
		.limit = -1, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct kvm_sregs sregs;

	check(ioctl(v->fd, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = flat;
	sregs.fs.base = (number + 1) * PAGE;
	sregs.cr0 = CR0_GUEST;
	sregs.cr3 = PML4;
	sregs.cr4 = CR4_GUEST;
	sregs.efer = EFER_GUEST;
	check(ioctl(v->fd, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

static void set_registers(const struct vcpu *v, unsigned int thread)
{
	unsigned long first = all_share ? 0 : thread * part_size(), size = all_share ? data_size : part_size();
	struct kvm_regs regs = {
		.rip = 0, .rflags = 2, .rdi = DATA + first, .rsi = DATA + first + size, .r9 = size / PARTS,
		.rdx = opt.stride, .r8 = multiplier(), .r13 = all_share ? -1UL << 32 : -1UL,
	};

	check(ioctl(v->fd, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void create_vcpu(struct vcpu *v, unsigned int thread)
{
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	v->fd = ioctl(vm, KVM_CREATE_VCPU, thread);
	check(v->fd, "KVM_CREATE_VCPU");
	v->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	check(v->run == MAP_FAILED ? -1 : 0, "mmap of a vCPU");
	set_features(v);
	set_mode(v, global_number(thread));
	set_registers(v, thread);
}

static void note_corrupt(const struct vcpu *v)
{
	struct kvm_regs regs;

	if (shared->corrupt++)
		return;
	check(ioctl(v->fd, KVM_GET_REGS, &regs), "KVM_GET_REGS");
	fprintf(stderr, "vm: corrupt: VM %u, address 0x%llx of the guest\n", proc, regs.rax);
}

static __attribute__((noreturn)) void stopped(const struct vcpu *v)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	check(ioctl(v->fd, KVM_GET_REGS, &regs), "KVM_GET_REGS");
	check(ioctl(v->fd, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	die("VM %u stopped: KVM's exit reason %u, rip 0x%llx, rax 0x%llx, cr2 0x%llx", proc, v->run->exit_reason,
	    regs.rip, regs.rax, sregs.cr2);
}

/* Until the guest halts. */
static void run_unit(struct vcpu *v)
{
	for (;;) {
		int result = ioctl(v->fd, KVM_RUN, 0);

		if (result < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		check(result, "KVM_RUN");
		v->returns++;
		if (v->run->exit_reason == KVM_EXIT_HLT)
			break;
		if (v->run->exit_reason != KVM_EXIT_IO)
			stopped(v);
		note_corrupt(v);
	}
	v->units++;
}

/* One of KVM's own counters, see Documentation/virt/kvm/api.rst; 0 if it has no such one. */
static unsigned long read_stat(const struct vcpu *v, const char *name)
{
	char buf[sizeof(struct kvm_stats_desc) + 256];
	struct kvm_stats_desc *desc = (void *)buf;
	int fd = ioctl(v->fd, KVM_GET_STATS_FD, NULL);
	struct kvm_stats_header header;
	uint64_t value = 0;

	check(fd, "KVM_GET_STATS_FD");
	check(pread(fd, &header, sizeof(header), 0), "stats");
	for (unsigned int i = 0; i < header.num_desc; i++) {
		size_t size = sizeof(*desc) + header.name_size;

		check(size > sizeof(buf) ? -1 : pread(fd, buf, size, header.desc_offset + i * size), "stats");
		if (!strcmp(desc->name, name))
			check(pread(fd, &value, sizeof(value), header.data_offset + desc->offset), "stats");
	}
	close(fd);
	return value;
}

static void end_vcpu(struct vcpu *v)
{
	totals->exits += read_stat(v, "exits");
	totals->returns += v->returns;
	totals->wakes += v->wakes;
}

/* Threads */

static void wake(struct vcpu *v)
{
	uint64_t one = 1;

	check(write(v->wake, &one, sizeof(one)), "write");
}

static void await(struct vcpu *v)
{
	uint64_t count;

	check(read(v->wake, &count, sizeof(count)), "read");
	v->wakes++;
}

static void run_alone(struct worker *w, struct vcpu *v)
{
	while (go_on()) {
		run_unit(v);
		tick(w);
		if (sleeps == SLEEP_TIMER) {
			usleep(NAP_US);
			v->wakes++;
		}
	}
}

/* Each works while the other one sleeps. */
static void run_first(struct worker *w, struct vcpu *v, struct vcpu *neighbour)
{
	while (go_on()) {
		run_unit(v);
		tick(w);
		wake(neighbour);
		await(v);
	}
	v->over = true;
	wake(neighbour);
}

static void run_second(struct worker *w, struct vcpu *v, struct vcpu *neighbour)
{
	for (;;) {
		await(v);
		if (neighbour->over)
			return;
		run_unit(v);
		tick(w);
		wake(neighbour);
	}
}

static void *run_vcpu(void *arg)
{
	unsigned int thread = (uintptr_t)arg;
	struct vcpu *v = &vcpus[thread];
	struct worker w = { };

	begin_thread(thread);
	create_vcpu(v, thread);
	bear_part(thread);
	wait_for_memory(NULL);
	free_thread();
	begin_worker(&w, thread);
	if (sleeps != SLEEP_PAIR)
		run_alone(&w, v);
	else if (thread % 2)
		run_second(&w, v, &vcpus[thread - 1]);
	else
		run_first(&w, v, &vcpus[thread + 1]);
	note_usage(&w);
	end_vcpu(v);
	return NULL;
}

static void run_vm(void)
{
	pthread_t threads[MAX_THREADS];

	if (opt.bind != BIND_NONE)
		run_on(home_of_thread(global_number(0)));
	create_vm();
	for (unsigned int i = 0; i < opt.threads; i++) {
		vcpus[i].wake = eventfd(0, 0);
		check(vcpus[i].wake, "eventfd");
	}
	for (unsigned int i = 0; i < opt.threads; i++) {
		if (pthread_create(&threads[i], NULL, run_vcpu, (void *)(uintptr_t)i))
			die("pthread_create failed");
	}
	wait_for_memory(NULL);
	count_huge_pages();
	for (unsigned int i = 0; i < opt.threads; i++)
		pthread_join(threads[i], NULL);
	verify_all();
}

static unsigned int start_vms(void)
{
	for (proc = 0; proc < opt.procs; proc++) {
		if (!fork_child()) {
			run_vm();
			_exit(0);
		}
	}
	return opt.procs;
}

/* The first process */

static void usage(FILE *f)
{
	fputs("usage: vm [OPTION...]\n"
	      "Virtual machines (KVM), whose vCPUs sweep over their memory.\n"
	      "  --vms N          machines, a process each (one per node)\n"
	      "  --vcpus N        of each machine (as many as CPUs in all)\n"
	      "  --mem MiB        memory of all machines together (256)\n"
	      "  --shared         every vCPU sweeps over all memory of its machine; without it, over a part of its own\n"
	      "  --sleep none|timer|pair  after each eighth of a sweep: go on (none); sleep for a millisecond; wake the\n"
	      "                   neighbour vCPU, and sleep until it has done the same\n"
	      "  --sweeps N       until every vCPU has swept so often (100)\n"
	      "  --stride BYTES   one access in as many (512)\n"
	      "  --marks N        intervals, each ended for numalab's meter when all vCPUs are through (30)\n"
	      "  --born NODE      all memory is first touched there; no policy remains\n"
	      "  --spread         vCPUs start on the nodes in turn, and are free then\n"
	      "  --bind none|hard|inverse  the best placement there is, or everything remote, by affinity and policy\n"
	      "  --thp            huge pages\n"
	      "Prints its state in JSON when it begins to sweep, at signal USR1, and in the end, which signal TERM brings\n"
	      "about early. Status 1: memory was not what it should be; 77: no virtualization here.\n", f);
}

static void parse_vm_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "vms", 1, NULL, 'v' }, { "vcpus", 1, NULL, 'c' }, { "mem", 1, NULL, 'm' }, { "shared", 0, NULL, 'S' },
		{ "sleep", 1, NULL, 'l' }, { "sweeps", 1, NULL, 's' }, { "stride", 1, NULL, 'r' },
		{ "marks", 1, NULL, 'k' }, { "born", 1, NULL, 'b' }, { "spread", 0, NULL, 'd' },
		{ "bind", 1, NULL, 'n' }, { "thp", 0, NULL, 'h' }, { "help", 0, NULL, 'H' }, { }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'v': opt.procs = number(optarg, 1, MAX_THREADS); break;
		case 'c': opt.threads = number(optarg, 1, MAX_THREADS); break;
		case 'm': opt.mib = number(optarg, 2, MAX_MIB); break;
		case 'S': all_share = true; break;
		case 'l': sleeps = CHOICE(optarg, sleep_names); break;
		case 's': opt.sweeps = number(optarg, 1, 1 << 30); break;
		case 'r': opt.stride = number(optarg, 8, PAGE); break;
		case 'k': opt.marks = number(optarg, 1, MAX_MARKS); break;
		case 'b': opt.born = number(optarg, 0, MAX_NODES - 1); break;
		case 'd': opt.spread = true; break;
		case 'n': opt.bind = CHOICE(optarg, bind_names); break;
		case 'h': opt.thp = true; break;
		case 'H': usage(stdout); exit(0);
		default: usage(stderr); exit(2);
		}
	}
	if (optind != argc) {
		usage(stderr);
		exit(2);
	}
}

static void fill_vm_defaults(void)
{
	if (!opt.procs)
		opt.procs = nr_nodes;
	if (!opt.threads)
		opt.threads = numa_num_configured_cpus() / opt.procs;
	if (!opt.threads)
		opt.threads = 1;
	if (opt.marks > opt.sweeps)
		opt.marks = opt.sweeps;
	if (nr_all() > MAX_THREADS)
		die("at most %d vCPUs", MAX_THREADS);
	if (PAGE % opt.stride)
		die("--stride: not a power of two from 8 to 4096");
	if (sleeps == SLEEP_PAIR && opt.threads % 2)
		die("pairs of vCPUs: --vcpus has to be even");
	if (opt.mib / nr_all() < HUGE >> 20)
		die("--mem: at least 2 MiB for each vCPU");
}

static void open_kvm(void)
{
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm >= 0)
		return;
	fprintf(stderr, "vm: /dev/kvm: %s, this machine has no virtualization\n", strerror(errno));
	exit(STATUS_SKIP);
}

void report(void)
{
	print_report();
	printf(",\"vmexits\":%lu,\"returns\":%lu,\"wakes\":%lu}\n", totals->exits, totals->returns, totals->wakes);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	sigset_t signals;

	parse_vm_options(argc, argv);
	open_kvm();
	find_nodes();
	fill_vm_defaults();
	make_plan();
	share_state();
	totals = (struct totals *)map(sizeof(*totals), MAP_SHARED);
	block_signals(&signals);
	if (!supervise(&signals, start_vms()))
		die("a machine failed");
	report();
	return shared->corrupt != 0;
}
