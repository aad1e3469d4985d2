// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a fuzzer's inputs without a fuzzer, then some that are made up, the same
 * each time:
 *
 *	replay NUMBER [FILE...]
 */
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"

#define MAX_INPUT	4096

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u8 data[MAX_INPUT];

static bool run_file(const char *name)
{
	FILE *file = fopen(name, "rb");
	size_t size;

	if (!file) {
		perror(name);
		return false;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	return true;
}

static void run_random(void)
{
	size_t size = rnd(MAX_INPUT), i;

	for (i = 0; i < size; i++)
		data[i] = rnd(256);
	LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	u32 nr = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	u32 i;

	rnd_state = 20120530;
	for (i = 2; i < (u32)argc; i++) {
		if (!run_file(argv[i]))
			return 1;
	}
	for (i = 0; i < nr; i++)
		run_random();
	printf("%u files, %u others\n", argc > 2 ? argc - 2 : 0, nr);
	return 0;
}
