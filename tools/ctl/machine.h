/* SPDX-License-Identifier: GPL-2.0 */
/* What the whole machine tells: the module, the hooks, the kernel's own balancing. */
#ifndef CTL_MACHINE_H
#define CTL_MACHINE_H

#include <stdbool.h>

#define MODULE_DIR	"/sys/module/autonuma"
#define PARAMETERS_DIR	MODULE_DIR "/parameters"

enum known { NO, YES, UNKNOWN };

/* Can the module be loaded into this kernel? */
enum known kernel_has_hooks(void);

bool module_is_loaded(void);

/* Its version, to be freed, or NULL. */
char *module_version(void);

/* Does it take requests? Unknown with --root. */
enum known module_listens(void);

/* Is it on, by its parameters? What an older module does not have is on. */
bool module_is_on(void);

/* A parameter as it reads, to be freed, or NULL. */
char *parameter(const char *name);

/* Is a bool of the kernel there, and off? */
bool parameter_is_off(const char *name);

/* Calls @seen for each parameter, by name. */
void each_parameter(void (*seen)(const char *name, const char *value, void *arg), void *arg);

#endif
