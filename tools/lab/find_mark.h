/* SPDX-License-Identifier: GPL-2.0 */
/* How QEMU plugins find the marks of mark.h in what the guest runs. */
#ifndef NUMALAB_FIND_MARK_H
#define NUMALAB_FIND_MARK_H

#include <string.h>

#include "mark.h"
#include "qemu-plugin-api.h"

static inline bool is_mark(const struct qemu_plugin_insn *insn, unsigned int *label)
{
	static const uint8_t opcode[] = { 0x0f, 0x1f, 0x84, 0x00 };
	uint32_t magic;
	uint8_t code[8];

	if (qemu_plugin_insn_data(insn, code, sizeof(code)) != sizeof(code) || memcmp(code, opcode, sizeof(opcode)))
		return false;
	memcpy(&magic, code + sizeof(opcode), sizeof(magic));
	*label = magic & 0xff;
	return (magic & ~0xffu) == NUMALAB_MARK_MAGIC;
}

#endif
