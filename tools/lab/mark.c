// SPDX-License-Identifier: GPL-2.0
/*
 * mark [n]: closes an interval of numalab's meter, labelled n (0 by default). "mark pages" is told in
 * meter_pages.c; start and end are the guest init's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"

/* The label is part of the instruction, so there is one instruction per label, each 16 bytes after the one before. */
__asm__(".text\n"
	".balign 16\n"
	"marks:\n"
	".set label, 0\n"
	".rept 256\n"
	".byte 0x0f, 0x1f, 0x84, 0x00\n"
	".long 0x4c414200 + label\n"
	"ret\n"
	".balign 16\n"
	".set label, label + 1\n"
	".endr\n");

_Static_assert(NUMALAB_MARK_MAGIC == 0x4c414200, "the table above has the magic as a number");

extern const char marks[];

static long parse_label(const char *text)
{
	char *end;
	long label;

	if (!strcmp(text, "start"))
		return NUMALAB_MARK_START;
	if (!strcmp(text, "pages"))
		return NUMALAB_MARK_PAGES;
	if (!strcmp(text, "end"))
		return NUMALAB_MARK_END;
	label = strtol(text, &end, 10);
	if (end == text || *end || label >= NUMALAB_MARK_PAGES)
		return -1;
	return label;
}

int main(int argc, char **argv)
{
	long label = argc > 1 ? parse_label(argv[1]) : 0;

	if (label < 0 || argc > 2) {
		fprintf(stderr, "usage: mark [0..%d or pages]\n", NUMALAB_MARK_PAGES - 1);
		return 2;
	}
	((void (*)(void))(marks + 16 * label))();
	return 0;
}
