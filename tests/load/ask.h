/* SPDX-License-Identifier: GPL-2.0 */
/* ask: requests to autonuma by bare netlink, so that wrong ones can be sent, too. */
#ifndef ASK_H
#define ASK_H

#include <autonuma.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More than one attribute of the largest size. */
#define MESSAGE_MAX	(80 << 10)

struct message {
	union {
		struct nlmsghdr head;
		char bytes[MESSAGE_MAX];
	};
};

struct link {
	int sock;
	uint16_t family;
	struct message request, answer;	/* the answer's length is 0 if there was none */
};

/* ask_link.c. All errors are negative errnos. */
int link_socket(void);
int link_resolve(struct link *l);
struct link *link_open(void);
void link_close(struct link *l);
void begin(struct link *l, uint8_t cmd);
void put(struct link *l, uint16_t type, const void *data, size_t len);
void put_u32(struct link *l, uint16_t type, uint32_t value);
void put_settings(struct link *l, uint32_t choice);
int send_request(struct link *l);
int exchange(struct link *l);
const void *found(const struct link *l, uint16_t type, size_t len);
unsigned int count_found(const struct link *l, uint16_t type);
int choose(struct link *l, uint16_t type, int fd, uint32_t choice);
int ask_about(struct link *l, uint8_t cmd, uint16_t type, int fd);
int dump_policy(struct link *l);

const char *name_of(int err);
int pidfd(pid_t pid, unsigned int flags);
int directory(const char *path);
int cgroup_dir(const char *name);
pid_t start_child(void (*run)(void *), void *arg);
pid_t start_sleeper(void);
void end_child(pid_t pid);
void run_child(void (*run)(void *), void *arg);

/* The subcommands. */
int ask_refusals(void);
int ask_strangers(void);
int ask_hold(unsigned int nr);
int ask_fuzz(unsigned int seconds, uint64_t seed, unsigned int threads);

/* ask_churn.c: what goes on beside the fuzzer. */
#define FORKERS		2
#define NR_SLOTS	8
struct churned {
	pid_t pids[FORKERS * NR_SLOTS];	/* the first of each part is a forker */
	unsigned long forks, execs, cgroups, moves;
};

struct churned *churn_start(void);
void churn_stop(void);

#define CGROUPS		"/sys/fs/cgroup"

#endif
