/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_SCAND_H
#define _AUTONUMA_SCAND_H

int an_scand_start(void);
void an_scand_stop(void);
void an_scand_rouse(void);

#endif /* _AUTONUMA_SCAND_H */
