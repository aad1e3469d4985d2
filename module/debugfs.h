/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_DEBUGFS_H
#define _AUTONUMA_DEBUGFS_H

void an_debugfs_init(void);
void an_debugfs_exit(void);

#endif /* _AUTONUMA_DEBUGFS_H */
