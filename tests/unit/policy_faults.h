/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _POLICY_FAULTS_H
#define _POLICY_FAULTS_H

void test_fault(void);
void test_tells(void);
void test_knows(void);
void test_foreign(void);
void test_regions(void);
void test_crowded(void);
void test_turn(void);

#endif /* _POLICY_FAULTS_H */
