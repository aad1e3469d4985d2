/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_PROBE_H
#define _AUTONUMA_PROBE_H

int an_probe_attach(const char *name, void *probe);
void an_probe_detach(const char *name, void *probe);

#endif /* _AUTONUMA_PROBE_H */
