// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions, and how long threads are away from their own code.
 *
 * An excursion begins when a vCPU leaves user mode and ends when it is back there. Its length is the number of kernel
 * instructions that this vCPU ran in between, whatever for. A thread is told by its address space (CR3) and thread
 * pointer (the base of FS). Excursions are sorted:
 *
 *	fault	it began with the page-fault exception, and the same thread went on with the instruction that faulted; the
 *		vCPU never halted. Hinting faults, first touches, waiting for a lock while spinning.
 *	wait	the same, but the vCPU halted, or ran another thread, or the thread went on on another vCPU: the thread
 *		slept. Its length is what the busiest vCPU ran meanwhile (user and kernel instructions), for a halted one
 *		runs none. Waiting for a page under migration, for mmap_lock.
 *	kernel	it began with a system call, an interrupt or another exception, or a page fault that ended elsewhere (in a
 *		signal handler), and the same thread went on without a halt. Timer ticks, and task work such as scanning.
 *
 * Excursions that end in another thread, or that halted, are in no class: nobody can tell here whether the thread
 * wanted to sleep.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"

#define KASLR_ALIGN	(1UL << 21)	/* CONFIG_PHYSICAL_ALIGN: below, the kernel's addresses are System.map's */
#define CR3_MASK	0x000ffffffffff000ULL
#define PAGE_MASK	((1UL << PAGE_SHIFT) - 1)
#define SUB_SHIFT	4		/* a power of two is cut in 16 */
#define NR_BUCKETS	(64 << SUB_SHIFT)
#define MAX_WAITING	256

/* The inline counters of a vCPU. */
struct insns {
	uint64_t user;
	uint64_t kernel;		/* until it entered user mode last */
	uint64_t away;			/* kernel instructions since */
};

struct thread {
	uint64_t cr3;
	uint64_t fs;
};

struct fault {
	struct thread thread;
	uint64_t at;			/* the instruction, within its page */
	uint64_t *clock;		/* of each vCPU, in instructions, when it began */
};

struct vcpu {
	GByteArray *buf;
	unsigned int seq;		/* odd: kernel and away are being written */
	bool in_fault;
	bool halted;
	struct thread thread;		/* which runs, or ran last, in user mode */
	struct fault fault;
} __attribute__((aligned(64)));

struct histogram {
	uint64_t n;
	uint64_t sum;
	uint64_t max;
	uint64_t bucket[NR_BUCKETS];
};

static struct vcpu *vcpus;
static qemu_plugin_u64 user_counter, away_counter;
static struct qemu_plugin_scoreboard *board;
static struct qemu_plugin_register *reg_cr3, *reg_fs, *reg_rsp;
static uint64_t fault_entry;		/* 0: not known, nothing is a fault */
static struct histogram histograms[NR_AWAY];

static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;	/* both below */
static struct fault waiting[MAX_WAITING];
static unsigned int nr_waiting;		/* read without the lock, too */

/* QEMU may move them as long as vCPUs are born. */
static struct insns *insns_of(unsigned int cpu)
{
	return qemu_plugin_scoreboard_find(board, cpu);
}

uint64_t user_insns(unsigned int cpu)
{
	return __atomic_load_n(&insns_of(cpu)->user, __ATOMIC_RELAXED);
}

/* From another thread, while the vCPU may move what it counted as away to kernel. */
uint64_t kernel_insns(unsigned int cpu)
{
	struct insns *insns = insns_of(cpu);
	struct vcpu *v = &vcpus[cpu];
	unsigned int seq;
	uint64_t sum;

	do {
		seq = __atomic_load_n(&v->seq, __ATOMIC_ACQUIRE) & ~1u;
		sum = __atomic_load_n(&insns->kernel, __ATOMIC_RELAXED) +
		      __atomic_load_n(&insns->away, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&v->seq, __ATOMIC_RELAXED) != seq);
	return sum;
}

static uint64_t take_away(struct vcpu *v, struct insns *insns)
{
	uint64_t away = insns->away;

	__atomic_store_n(&v->seq, v->seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&insns->kernel, insns->kernel + away, __ATOMIC_RELAXED);
	__atomic_store_n(&insns->away, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&v->seq, v->seq + 1, __ATOMIC_RELEASE);
	return away;
}

/* Histograms: exact below 16, then 16 buckets for each power of two. */

static unsigned int bucket_of(uint64_t value)
{
	unsigned int log;

	if (value < 1 << SUB_SHIFT)
		return value;
	log = 63 - __builtin_clzll(value);
	return (log - SUB_SHIFT + 1) << SUB_SHIFT | (value >> (log - SUB_SHIFT) & ((1 << SUB_SHIFT) - 1));
}

/* The least value in it. */
static uint64_t value_of(unsigned int bucket)
{
	unsigned int shift = bucket >> SUB_SHIFT, sub = bucket & ((1 << SUB_SHIFT) - 1);

	return shift ? (uint64_t)((1 << SUB_SHIFT) + sub) << (shift - 1) : sub;
}

static void note(enum away kind, uint64_t length)
{
	struct histogram *h = &histograms[kind];
	uint64_t max = __atomic_load_n(&h->max, __ATOMIC_RELAXED);

	__atomic_fetch_add(&h->n, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&h->sum, length, __ATOMIC_RELAXED);
	__atomic_fetch_add(&h->bucket[bucket_of(length)], 1, __ATOMIC_RELAXED);
	while (length > max && !__atomic_compare_exchange_n(&h->max, &max, length, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* The guest's registers and memory */

static uint64_t number_in(const GByteArray *buf, size_t offset)
{
	uint64_t value = 0;
	size_t len = buf->len > offset ? buf->len - offset : 0;

	memcpy(&value, buf->data + offset, len < sizeof(value) ? len : sizeof(value));
	return value;
}

static uint64_t read_register(struct vcpu *v, struct qemu_plugin_register *reg)
{
	g_byte_array_set_size(v->buf, 0);
	qemu_plugin_read_register(reg, v->buf);
	return number_in(v->buf, 0);
}

/* The lowest of the words that the exception put on the stack: error code, RIP, CS. */
static bool read_fault(struct vcpu *v, uint64_t *rip)
{
	uint64_t rsp = read_register(v, reg_rsp);

	g_byte_array_set_size(v->buf, 0);
	if (!qemu_plugin_read_memory_vaddr(rsp, v->buf, 24))
		return false;
	*rip = number_in(v->buf, 8);
	return (number_in(v->buf, 16) & 3) == 3;
}

/* Threads */

static bool same_thread(const struct thread *a, const struct thread *b)
{
	return a->cr3 == b->cr3 && a->fs == b->fs;
}

/* Code is translated once for all the addresses it is mapped at, so only the place in the page is known. */
static bool resumes(const struct fault *f, const struct thread *thread, uint64_t at)
{
	return same_thread(&f->thread, thread) && f->at == at;
}

static void read_clocks(uint64_t *clock)
{
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		clock[cpu] = user_insns(cpu) + kernel_insns(cpu);
}

static uint64_t ran_since(const uint64_t *clock)
{
	uint64_t most = 0;

	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++) {
		uint64_t ran = user_insns(cpu) + kernel_insns(cpu) - clock[cpu];

		if (ran > most)
			most = ran;
	}
	return most;
}

static void swap_faults(struct fault *a, struct fault *b)
{
	struct fault old = *a;

	*a = *b;
	*b = old;
}

/* Another thread runs now. The table is far larger than what can wait; a thread that was killed stays in it. */
static void put_to_waiting(struct fault *f)
{
	unsigned int i;

	pthread_mutex_lock(&wait_lock);
	i = nr_waiting < MAX_WAITING ? nr_waiting++ : (unsigned int)rand() % MAX_WAITING;
	swap_faults(&waiting[i], f);
	pthread_mutex_unlock(&wait_lock);
}

static void end_waiting(const struct thread *thread, uint64_t at)
{
	pthread_mutex_lock(&wait_lock);
	for (unsigned int i = 0; i < nr_waiting; i++) {
		if (!same_thread(&waiting[i].thread, thread))
			continue;
		if (waiting[i].at == at)
			note(AWAY_WAIT, ran_since(waiting[i].clock));
		swap_faults(&waiting[i], &waiting[--nr_waiting]);
		break;
	}
	pthread_mutex_unlock(&wait_lock);
}

/* Events */

/* The first block of the page-fault handler; for the kernel's own faults, too. */
static void on_fault(unsigned int cpu, void *data)
{
	struct vcpu *v = &vcpus[cpu];
	uint64_t rip;

	(void)data;
	if (insns_of(cpu)->away || !read_fault(v, &rip))
		return;
	v->in_fault = true;
	v->fault.thread = v->thread;
	v->fault.at = rip & PAGE_MASK;
	read_clocks(v->fault.clock);
}

static void end_fault(struct vcpu *v, uint64_t at, uint64_t away)
{
	v->in_fault = false;
	if (!same_thread(&v->fault.thread, &v->thread)) {
		put_to_waiting(&v->fault);
		return;
	}
	if (!resumes(&v->fault, &v->thread, at)) {
		if (!v->halted)
			note(AWAY_KERNEL, away);
	} else if (v->halted) {
		note(AWAY_WAIT, ran_since(v->fault.clock));
	} else {
		note(AWAY_FAULT, away);
	}
}

/* A block of user code, and kernel code ran before; data is where it begins. */
static void on_return(unsigned int cpu, void *data)
{
	struct vcpu *v = &vcpus[cpu];
	uint64_t at = (uintptr_t)data & PAGE_MASK, away = take_away(v, insns_of(cpu));
	struct thread before = v->thread;

	v->thread.cr3 = read_register(v, reg_cr3) & CR3_MASK;
	v->thread.fs = read_register(v, reg_fs);
	access_forget_line(cpu);
	if (v->in_fault)
		end_fault(v, at, away);
	else if (!v->halted && same_thread(&before, &v->thread))
		note(AWAY_KERNEL, away);
	if (__atomic_load_n(&nr_waiting, __ATOMIC_RELAXED))
		end_waiting(&v->thread, at);
	v->halted = false;
}

static void on_idle(qemu_plugin_id_t id, unsigned int cpu)
{
	(void)id;
	vcpus[cpu].halted = true;
}

/*
 * Blocks of the kernel cost one addition; those of user programs a test, too. The page-fault handler's callback comes
 * before the addition, so that nothing is away yet if it was entered from user mode.
 */
void stall_instrument(struct qemu_plugin_tb *tb, bool user)
{
	uint64_t vaddr = qemu_plugin_tb_vaddr(tb);

	if (user)
		qemu_plugin_register_vcpu_tb_exec_cond_cb(tb, on_return, QEMU_PLUGIN_CB_R_REGS, QEMU_PLUGIN_COND_NE,
							  away_counter, 0, (void *)(uintptr_t)vaddr);
	else if (fault_entry && vaddr % KASLR_ALIGN == fault_entry % KASLR_ALIGN)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_fault, QEMU_PLUGIN_CB_R_REGS, NULL);
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64,
							  user ? user_counter : away_counter,
							  qemu_plugin_tb_n_insns(tb));
}

/* Output; what is counted while it prints goes to the next interval. */

static uint64_t take(uint64_t *counter)
{
	return __atomic_exchange_n(counter, 0, __ATOMIC_RELAXED);
}

static uint64_t quantile(const struct histogram *h, unsigned int per_mille)
{
	uint64_t below = 0;

	for (unsigned int i = 0; i < NR_BUCKETS; i++) {
		below += h->bucket[i];
		if (below && below * 1000 >= h->n * per_mille)
			return value_of(i);
	}
	return 0;
}

static void print_buckets(FILE *out, const struct histogram *h)
{
	const char *separator = "";

	for (unsigned int i = 0; i < NR_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		fprintf(out, "%s[%llu,%llu]", separator, (unsigned long long)value_of(i),
			(unsigned long long)h->bucket[i]);
		separator = ",";
	}
}

static void print_histogram(FILE *out, const char *name, struct histogram *shared)
{
	static struct histogram h;

	h.n = 0;
	for (unsigned int i = 0; i < NR_BUCKETS; i++) {
		h.bucket[i] = take(&shared->bucket[i]);
		h.n += h.bucket[i];
	}
	take(&shared->n);
	fprintf(out, ",\"%s\":{\"n\":%llu,\"p50\":%llu,\"p99\":%llu,\"p999\":%llu,\"max\":%llu,\"sum\":%llu,\"hist\":[", name,
		(unsigned long long)h.n, (unsigned long long)quantile(&h, 500), (unsigned long long)quantile(&h, 990),
		(unsigned long long)quantile(&h, 999), (unsigned long long)take(&shared->max),
		(unsigned long long)take(&shared->sum));
	print_buckets(out, &h);
	fputs("]}", out);
}

void stall_print(FILE *out)
{
	print_histogram(out, "stall", &histograms[AWAY_FAULT]);
	print_histogram(out, "stall_wait", &histograms[AWAY_WAIT]);
	print_histogram(out, "stall_kernel", &histograms[AWAY_KERNEL]);
}

void stall_forget(void)
{
	for (unsigned int kind = 0; kind < NR_AWAY; kind++) {
		struct histogram *h = &histograms[kind];

		take(&h->n);
		take(&h->sum);
		take(&h->max);
		for (unsigned int i = 0; i < NR_BUCKETS; i++)
			take(&h->bucket[i]);
	}
}

/* Beginning */

static void find_registers(void)
{
	GArray *all = qemu_plugin_get_registers();
	const qemu_plugin_reg_descriptor *reg = (const void *)all->data;

	for (unsigned int i = 0; i < all->len; i++) {
		if (!strcmp(reg[i].name, "cr3"))
			reg_cr3 = reg[i].handle;
		else if (!strcmp(reg[i].name, "fs_base"))
			reg_fs = reg[i].handle;
		else if (!strcmp(reg[i].name, "rsp"))
			reg_rsp = reg[i].handle;
	}
	g_array_free(all, true);
	if (!reg_cr3 || !reg_fs || !reg_rsp) {
		fputs("meter: QEMU tells no register cr3, fs_base or rsp\n", stderr);
		exit(1);
	}
}

static void on_birth(qemu_plugin_id_t id, unsigned int cpu)
{
	(void)id;
	if (cpu == 0)
		find_registers();
}

static bool init_fault(struct fault *f)
{
	f->clock = calloc(machine.nr_cpus, sizeof(*f->clock));
	return f->clock;
}

bool stall_init(qemu_plugin_id_t id, uint64_t entry)
{
	fault_entry = entry;
	board = qemu_plugin_scoreboard_new(sizeof(struct insns));
	user_counter = (qemu_plugin_u64){ board, offsetof(struct insns, user) };
	away_counter = (qemu_plugin_u64){ board, offsetof(struct insns, away) };
	vcpus = aligned_alloc(64, machine.nr_cpus * sizeof(*vcpus));
	if (!vcpus)
		return false;
	memset(vcpus, 0, machine.nr_cpus * sizeof(*vcpus));
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++) {
		vcpus[cpu].buf = g_byte_array_new();
		if (!init_fault(&vcpus[cpu].fault))
			return false;
	}
	for (unsigned int i = 0; i < MAX_WAITING; i++) {
		if (!init_fault(&waiting[i]))
			return false;
	}
	qemu_plugin_register_vcpu_init_cb(id, on_birth);
	qemu_plugin_register_vcpu_idle_cb(id, on_idle);
	return true;
}
