// SPDX-License-Identifier: GPL-2.0
/*
 * ask: asks autonuma what should be refused, by those who may not, and at random.
 *
 * ask refusals: every error that uapi/autonuma.h documents, a line "refusal NAME ERRNO" each, ok if there is none.
 * ask strangers: who may ask for what, a line "stranger WHO WHOM WHAT ERRNO" each; as root.
 * ask hold N: holds N sockets, many with something unread or under way. Says "holding" and waits for SIGUSR1, then asks
 *	again by each and says "old ERRNO COUNT"; after another SIGUSR1 it looks the family up anew, asks, and says
 *	"anew ERRNO COUNT".
 * ask fuzz SECONDS SEED THREADS: that many threads send requests, mutated ones for the most part, while processes and
 *	control groups come and go. Says "fuzzing" when all have a socket; SECONDS 0: until SIGUSR1. A line of JSON at
 *	the end; fails if an error is none of the interface's, or if a
 *	proper request does not work in the end.
 * ask churn: what fuzz executes.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "ask.h"
#include "common.h"

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "refusals"))
		return ask_refusals();
	if (!strcmp(what, "strangers"))
		return ask_strangers();
	if (!strcmp(what, "hold") && argc == 3)
		return ask_hold(number(argv[2], 1, 1000));
	if (!strcmp(what, "fuzz") && argc == 5)
		return ask_fuzz(number(argv[2], 0, 1000000), number(argv[3], 1, 0xffffffff),
				number(argv[4], 1, 64));
	if (!strcmp(what, "churn"))
		return usleep(100000);
	die("refusals, strangers, hold N or fuzz SECONDS SEED THREADS");
}
