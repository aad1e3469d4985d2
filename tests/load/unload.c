// SPDX-License-Identifier: GPL-2.0
/*
 * unload: waits for an instant at which autonuma has planted entries, pages queued and pages on their way all at once,
 * and unloads it there and then; with --scan it writes 0 to the parameter scan instead, with a PID it kills that
 * process. Prints what it saw, how it ended, and how long that took: "instant PLANTED QUEUED MOVING", "unloaded",
 * "stopped" or "killed", "took MILLISECONDS".
 *
 * With migrate=thread threads bring what they ask for by themselves, and nothing stays queued: then
 * QUEUED is how many do so.
 *
 * PLANTED is what the module an_check finds, if that is loaded; else what was planted and has not faulted yet, which
 * is the same as long as no memory is freed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STATUS		"/sys/kernel/debug/autonuma/status"
#define REPORT		"/sys/module/an_check/parameters/report"
#define SCAN		"/sys/module/autonuma/parameters/scan"
#define MIGRATE		"/sys/module/autonuma/parameters/migrate"
#define POLL_US		1000		/* whoever plants and moves has to have a CPU */
#define STALE_NS	200000000	/* what an_check found so long ago is asked for again */

struct state {
	long planted, queued, moving;
};

static char text[65536];	/* "\nname value" */

static bool read_text(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text + 1, sizeof(text) - 2);

	if (fd >= 0)
		close(fd);
	text[0] = '\n';
	text[n < 0 ? 0 : n + 1] = '\0';
	return n >= 0;
}

static long value(const char *name)
{
	const char *at = strstr(text, name);

	if (!at) {
		fprintf(stderr, "unload: no%sin:%s\n", name, text);
		exit(2);
	}
	return atol(at + strlen(name));
}

static bool threads_carry(void)
{
	return read_text(MIGRATE) && strstr(text, "\nthread");
}

static void read_status(struct state *s)
{
	bool carry = threads_carry();

	if (!read_text(STATUS)) {
		perror(STATUS);
		exit(2);
	}
	s->queued = value(carry ? "\ncarrying_now " : "\nqueued_now ");
	s->moving = value("\nmoving_now ");
}

/* An entry faults at most once: what was planted and has not faulted is there still. */
static void count_planted(struct state *s)
{
	if (read_text(REPORT)) {
		s->planted = value("\nplanted ");
		return;
	}
	read_status(s);
	s->planted = value("\nscan_planted ") - value("\nfaults ");
}

static long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000L + now.tv_nsec;
}

static void wait_for_instant(struct state *s)
{
	long counted;

	do {
		count_planted(s);
		counted = now_ns();
		do {
			read_status(s);
			if (s->planted > 0 && s->queued && s->moving)
				return;
			usleep(POLL_US);
		} while (now_ns() - counted < STALE_NS);
	} while (1);
}

static bool unload(void)
{
	return !syscall(SYS_delete_module, "autonuma", O_NONBLOCK);
}

static bool stop(void)
{
	int fd = open(SCAN, O_WRONLY);
	bool done = fd >= 0 && write(fd, "0", 1) == 1;

	if (fd >= 0)
		close(fd);
	return done;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool scan = !strcmp(what, "--scan"), done;
	struct state s;
	long began;

	wait_for_instant(&s);
	began = now_ns();
	done = scan ? stop() : *what ? !kill(atoi(what), SIGKILL) : unload();
	if (!done) {
		perror("unload");
		return 1;
	}
	printf("instant %ld %ld %ld\n%s\n", s.planted, s.queued, s.moving,
	       scan ? "stopped" : *what ? "killed" : "unloaded");
	printf("took %ld\n", (now_ns() - began) / 1000000);
	return 0;
}
