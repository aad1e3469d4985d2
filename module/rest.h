/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_REST_H
#define _AUTONUMA_REST_H

struct an_process;

void an_rest_apply(struct an_process *p);
void an_rest_pass_ended(struct an_process *p);

#endif /* _AUTONUMA_REST_H */
