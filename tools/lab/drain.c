// SPDX-License-Identifier: GPL-2.0
/*
 * drain PORT: copies standard input to a virtio-serial port and returns only when the host has taken the last byte.
 * A write to the port returns before that, and a guest that powers off then loses the end of its output.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buf += n;
		len -= n;
	}
	return 0;
}

/* The driver reports POLLOUT once the host has consumed what was written. */
static int wait_consumed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (!(p.revents & POLLOUT)) {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static char buf[32768];
	ssize_t n;
	int port;

	if (argc != 2) {
		fprintf(stderr, "usage: drain PORT\n");
		return 2;
	}
	port = open(argv[1], O_WRONLY | O_CLOEXEC);
	if (port < 0) {
		perror(argv[1]);
		return 1;
	}
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || write_all(port, buf, n)) {
			perror("drain");
			return 1;
		}
	}
	return wait_consumed(port) ? 1 : 0;
}
