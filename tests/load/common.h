/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs for the guests share. */
#ifndef COMMON_H
#define COMMON_H

/* Ends the program, with its name and this message. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* The value of an option, which has to lie between these. */
unsigned long number(const char *text, unsigned long min, unsigned long max);

/* The same for a word: its index in an array of words. */
unsigned int choice(const char *text, const char * const *words, unsigned int nr);
#define CHOICE(text, words) choice(text, words, sizeof(words) / sizeof((words)[0]))

#endif
