// SPDX-License-Identifier: GPL-2.0
/*
 * unload: waits for an instant at which autonuma has planted entries, pages queued and pages on their way all at once,
 * and unloads it there and then. Prints what it saw, and how it ended: "instant PLANTED QUEUED MOVING", "unloaded".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATUS	"/sys/kernel/debug/autonuma/status"

struct state {
	long planted, faults, queued, moving;
};

static void read_value(const char *text, const char *name, long *value)
{
	const char *at = strstr(text, name);

	if (!at) {
		fprintf(stderr, "unload: no%sin " STATUS "\n", name);
		exit(2);
	}
	*value = atol(at + strlen(name));
}

static void read_state(struct state *s)
{
	static char text[65536];
	int fd = open(STATUS, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0) {
		perror(STATUS);
		exit(2);
	}
	close(fd);
	text[n] = '\0';
	read_value(text, "\nscan_planted ", &s->planted);
	read_value(text, "\nfaults ", &s->faults);
	read_value(text, "\nqueued_now ", &s->queued);
	read_value(text, "\nmoving_now ", &s->moving);
}

int main(void)
{
	struct state s;

	/* An entry faults at most once: what was planted and has not faulted is there still. */
	do {
		read_state(&s);
	} while (s.planted <= s.faults || !s.queued || !s.moving);
	if (syscall(SYS_delete_module, "autonuma", O_NONBLOCK)) {
		perror("delete_module");
		return 1;
	}
	printf("instant %ld %ld %ld\nunloaded\n", s.planted - s.faults, s.queued, s.moving);
	return 0;
}
