/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_TAKEBACK_H
#define _AUTONUMA_TAKEBACK_H

void an_take_back(void);

#endif /* _AUTONUMA_TAKEBACK_H */
