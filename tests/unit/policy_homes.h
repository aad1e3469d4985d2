/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _POLICY_HOMES_H
#define _POLICY_HOMES_H

void test_homes(void);

#endif /* _POLICY_HOMES_H */
