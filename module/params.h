/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_PARAMS_H
#define _AUTONUMA_PARAMS_H

/* Of main.c: bring the gears in line with an_params.scan. May sleep. */
int an_gears_apply(void);

#endif /* _AUTONUMA_PARAMS_H */
