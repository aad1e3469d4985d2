/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_MAIN_H
#define _AUTONUMA_MAIN_H

/* Keeps the gears from starting or stopping meanwhile. False: they are about to. */
bool an_gears_trylock(void);
void an_gears_unlock(void);

/* Bring the gears in line with an_params.scan. May sleep. */
int an_gears_apply(void);

#endif /* _AUTONUMA_MAIN_H */
