/* SPDX-License-Identifier: GPL-2.0 */
/*
 * numalab_mark(n) closes an interval of numalab's meter: the meter writes one line, labelled n (0..252), with what it
 * counted since the mark before. It is a no-op instruction, so a program with marks runs anywhere.
 */
#ifndef NUMALAB_MARK_H
#define NUMALAB_MARK_H

#define NUMALAB_MARK_MAGIC	0x4c414200	/* the displacement of the no-op; its low byte is the label */
#define NUMALAB_MARK_PAGES	253		/* closes nothing: the meter writes who used which page since the last one */
#define NUMALAB_MARK_END	254		/* numalab's own: the program has ended */
#define NUMALAB_MARK_START	255		/* numalab's own: the program starts, forget the boot */

/* nopl disp32(%rax,%rax,1); n has to be a constant */
#define numalab_mark(n) \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n\t.long %c0" : : "i" (NUMALAB_MARK_MAGIC | (n)) : "memory")

#endif
