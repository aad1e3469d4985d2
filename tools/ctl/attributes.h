/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel has and the C library has not. */
#ifndef CTL_ATTRIBUTES_H
#define CTL_ATTRIBUTES_H

#define __printf(format, first)	__attribute__((__format__(printf, format, first)))
#define __noreturn		__attribute__((__noreturn__))
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#endif
