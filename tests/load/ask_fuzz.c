// SPDX-License-Identifier: GPL-2.0
/* ask fuzz: requests at random, made from proper ones. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "ask.h"
#include "common.h"

#define MAX_ERRNO	1024
#define MAX_THREADS	64
#define USER		1000
#define HUGE_ATTR	60000

/* The interface's own, and what generic netlink may say before it is asked. */
static const int documented[] = {
	0, EBADF, EINVAL, E2BIG, ESRCH, ENODEV, EPERM, EACCES, ENOMEM,
	ERANGE, EOPNOTSUPP, EMSGSIZE, ENOBUFS, ENOENT,
};

struct fuzzer {
	pthread_t thread;
	struct link *l;
	uint64_t random;
	bool user;		/* not as root */
	unsigned long sent, answered, gone, by_errno[MAX_ERRNO];
};

static struct fuzzer fuzzers[MAX_THREADS];
static struct churned *churned;
static int self;
static bool enough;

static uint32_t below(struct fuzzer *f, uint32_t limit)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return (f->random >> 32) % limit;
}

static bool one_in(struct fuzzer *f, uint32_t n)
{
	return !below(f, n);
}

/* --- proper requests --- */

/* Often one whose children inherit. */
static pid_t some_pid(struct fuzzer *f)
{
	unsigned int slot = one_in(f, 4) ? below(f, FORKERS) * NR_SLOTS : below(f, FORKERS * NR_SLOTS);
	pid_t pid = churned->pids[slot];

	return pid ?: getpid();
}

static int some_cgroup(struct fuzzer *f)
{
	char path[64];

	snprintf(path, sizeof(path), CGROUPS "/ask.%u%s", below(f, 8), one_in(f, 2) ? "/in" : "");
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void put_home(struct fuzzer *f)
{
	uint64_t map = 1 + below(f, 3);

	put(f->l, AUTONUMA_A_HOME_NODES, &map, sizeof(map));
}

static void put_choice(struct fuzzer *f)
{
	struct autonuma_settings s = { .choice = below(f, 3) };

	if (s.choice == AUTONUMA_CHOICE_ASKED) {
		s.flags = below(f, 2) ? AUTONUMA_F_DRY_RUN : 0;
		s.migrate_rate_mbps = below(f, 2) ? below(f, 1048577) : 0;
		s.scan_budget_pct = below(f, 2) ? below(f, 101) : 0;
	}
	put(f->l, AUTONUMA_A_SETTINGS, &s, sizeof(s));
	if (s.choice == AUTONUMA_CHOICE_ASKED && one_in(f, 4))
		put_home(f);
}

/* Returns what is to be closed behind it. */
static int build(struct fuzzer *f)
{
	uint8_t cmd = AUTONUMA_CMD_SET + below(f, 3);
	bool group = cmd != AUTONUMA_CMD_EXPLAIN && one_in(f, 3);
	pid_t pid = one_in(f, 8) ? getpid() : some_pid(f);
	int fd = group ? some_cgroup(f) : pidfd(pid, 0);

	begin(f->l, cmd);
	put_u32(f->l, group ? AUTONUMA_A_CGROUP_FD : AUTONUMA_A_PIDFD, one_in(f, 20) ? below(f, 64) : (uint32_t)fd);
	if (cmd == AUTONUMA_CMD_SET)
		put_choice(f);
	else if (cmd == AUTONUMA_CMD_EXPLAIN && one_in(f, 2))
		put_u32(f->l, AUTONUMA_A_TID, pid);
	return fd;
}

/* --- what is done to them --- */

/* Whom it is for stays. */
static void flip(struct fuzzer *f)
{
	struct message *m = &f->l->request;

	if (m->head.nlmsg_len > NLMSG_HDRLEN)
		m->bytes[NLMSG_HDRLEN + below(f, m->head.nlmsg_len - NLMSG_HDRLEN)] ^= 1 << below(f, 8);
}

/* Of any length and type, with random content; nested now and then. */
static void add_attribute(struct fuzzer *f)
{
	static __thread char content[HUGE_ATTR];
	size_t len = one_in(f, 40) ? HUGE_ATTR : below(f, one_in(f, 4) ? 600 : 24);
	uint16_t type = one_in(f, 4) ? below(f, 0x10000) : below(f, AUTONUMA_A_MAX + 3);

	if (f->l->request.head.nlmsg_len + len + 8 > MESSAGE_MAX)
		return;
	for (size_t i = 0; i < len && i < 64; i++)
		content[i] = one_in(f, 2) ? 0 : below(f, 256);
	put(f->l, type, content, len);
}

static void add_target(struct fuzzer *f)
{
	put_u32(f->l, one_in(f, 2) ? AUTONUMA_A_PIDFD : AUTONUMA_A_CGROUP_FD, below(f, 64));
}

/* The length that the first attribute says it has. */
static void lie_about_length(struct fuzzer *f)
{
	struct nlattr *attr = (void *)(f->l->request.bytes + NLMSG_HDRLEN + GENL_HDRLEN);

	attr->nla_len = below(f, one_in(f, 2) ? 0x10000 : 24);
}

static void cut(struct fuzzer *f)
{
	struct nlmsghdr *head = &f->l->request.head;

	head->nlmsg_len -= below(f, head->nlmsg_len - NLMSG_HDRLEN + 1);
}

static void change_flags(struct fuzzer *f)
{
	f->l->request.head.nlmsg_flags = NLM_F_REQUEST | below(f, 0x10000);
}

static void resize_settings(struct fuzzer *f)
{
	char bytes[64] = { AUTONUMA_CHOICE_ASKED };

	begin(f->l, AUTONUMA_CMD_SET);
	put_u32(f->l, AUTONUMA_A_PIDFD, self);
	bytes[below(f, 64)] = below(f, 3);
	put(f->l, AUTONUMA_A_SETTINGS, bytes, below(f, 64));
}

static void mutate(struct fuzzer *f)
{
	static void (*const ways[])(struct fuzzer *) = {
		flip, flip, add_attribute, add_attribute, add_target, lie_about_length, cut, change_flags,
		resize_settings,
	};

	do
		ways[below(f, sizeof(ways) / sizeof(ways[0]))](f);
	while (one_in(f, 3));
}

/* --- what they are answered --- */

static bool is_documented(int err)
{
	for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++)
		if (documented[i] == err)
			return true;
	return false;
}

static void tally(struct fuzzer *f, int err)
{
	if (err < 0 || err >= MAX_ERRNO)
		err = MAX_ERRNO - 1;
	if (!is_documented(err) && !f->by_errno[err])
		fprintf(stderr, "ask: error %d, request %d\n", err,
			((struct genlmsghdr *)NLMSG_DATA(&f->l->request.head))->cmd);
	f->by_errno[err]++;
}

/* What of a cut request is taken for another one may be of any family. */
static void take_answer(struct fuzzer *f, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);

	if (h->nlmsg_type != NLMSG_ERROR || e->msg.nlmsg_type != f->l->family)
		return;
	f->answered++;
	tally(f, -e->error);
	f->gone += e->error == -ENOENT;
}

/* All that is answered has been when the request was sent. */
static void take_answers(struct fuzzer *f)
{
	struct nlmsghdr *h;
	ssize_t len;

	while (1) {
		len = recv(f->l->sock, &f->l->answer, sizeof(f->l->answer), MSG_DONTWAIT);
		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0)
			tally(f, errno);
		for (h = &f->l->answer.head; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len))
			take_answer(f, h);
	}
}

static void send_raw(struct fuzzer *f, size_t len)
{
	if (send(f->l->sock, &f->l->request, len, 0) < 0)
		tally(f, errno);
	f->sent++;
	take_answers(f);
}

static void fuzz_once(struct fuzzer *f)
{
	int fd = build(f);
	size_t len = f->l->request.head.nlmsg_len;

	if (!one_in(f, 3)) {
		mutate(f);
		len = f->l->request.head.nlmsg_len;
		if (one_in(f, 10))
			len = 1 + below(f, len);
		if (one_in(f, 20))
			f->l->request.head.nlmsg_len = below(f, 2 * len);
	}
	send_raw(f, len);
	if (fd >= 0)
		close(fd);
}

static unsigned int opened;	/* sockets */

static void *fuzz(void *arg)
{
	struct fuzzer *f = arg;
	unsigned long gone = 0;

	/* This thread only, as the system call does it. */
	if (f->user && (syscall(SYS_setresgid, USER, USER, USER) || syscall(SYS_setresuid, USER, USER, USER)))
		die("no user: %m");
	f->l = link_open();
	__atomic_add_fetch(&opened, 1, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
		if (f->gone == gone)
			fuzz_once(f);
		else if (!link_resolve(f->l))
			gone = f->gone;
		else
			usleep(10000);
	}
	link_close(f->l);
	return NULL;
}

/* --- what it comes to --- */

/* Memory may be wanting, by injected failure. */
static bool chosen(struct link *l, uint32_t choice)
{
	const struct autonuma_settings *s = NULL;
	int err;

	for (int i = 0; i < 100; i++) {
		err = choose(l, AUTONUMA_A_PIDFD, self, choice) ?:
		      ask_about(l, AUTONUMA_CMD_GET, AUTONUMA_A_PIDFD, self);
		if (err != -ENOMEM)
			break;
	}
	if (!err)
		s = found(l, AUTONUMA_A_SETTINGS, sizeof(*s));
	if (!s || s->choice != choice)
		fprintf(stderr, "ask: chosen %u: %s, %d\n", choice, name_of(err), s ? (int)s->choice : -1);
	return s && s->choice == choice;
}

static bool works(void)
{
	struct link *l = link_open();
	bool ok = chosen(l, AUTONUMA_CHOICE_ASKED) && chosen(l, AUTONUMA_CHOICE_EXCLUDED) &&
		  chosen(l, AUTONUMA_CHOICE_DEFAULT);

	link_close(l);
	return ok;
}

static unsigned long sum_errors(unsigned int threads, int err)
{
	unsigned long sum = 0;

	for (unsigned int i = 0; i < threads; i++)
		sum += fuzzers[i].by_errno[err];
	return sum;
}

static bool report(unsigned int threads, bool ok)
{
	unsigned long sent = 0, answered = 0, undocumented = 0, n;

	for (unsigned int i = 0; i < threads; i++) {
		sent += fuzzers[i].sent;
		answered += fuzzers[i].answered;
	}
	printf("{\"requests\":%lu,\"answers\":%lu", sent, answered);
	for (int err = 0; err < MAX_ERRNO; err++) {
		n = sum_errors(threads, err);
		if (n)
			printf(",\"%s\":%lu", err ? strerrorname_np(err) ?: "unknown" : "ok", n);
		if (!is_documented(err))
			undocumented += n;
	}
	printf(",\"undocumented\":%lu,\"works\":%d", undocumented, ok);
	printf(",\"forks\":%lu,\"execs\":%lu,\"cgroups\":%lu,\"moves\":%lu}\n", churned->forks, churned->execs,
	       churned->cgroups, churned->moves);
	return ok && !undocumented;
}

/* For so long, or if that is 0 until SIGUSR1, which is blocked. */
static void run(unsigned int seconds, unsigned int threads, const sigset_t *told)
{
	int signal;

	while (__atomic_load_n(&opened, __ATOMIC_RELAXED) < threads)
		usleep(10000);
	puts("fuzzing");
	fflush(stdout);
	if (seconds)
		sleep(seconds);
	else
		sigwait(told, &signal);
}

int ask_fuzz(unsigned int seconds, uint64_t seed, unsigned int threads)
{
	unsigned int i;
	sigset_t told;

	sigemptyset(&told);
	sigaddset(&told, SIGUSR1);
	sigprocmask(SIG_BLOCK, &told, NULL);
	churned = churn_start();
	self = pidfd(getpid(), 0);
	for (i = 0; i < threads; i++) {
		fuzzers[i].random = (seed + i) * 0x9e3779b97f4a7c15;
		fuzzers[i].user = i % 4 == 3;
		if (pthread_create(&fuzzers[i].thread, NULL, fuzz, &fuzzers[i]))
			die("no thread: %m");
	}
	run(seconds, threads, &told);
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	for (i = 0; i < threads; i++)
		pthread_join(fuzzers[i].thread, NULL);
	churn_stop();
	return !report(threads, works());
}
