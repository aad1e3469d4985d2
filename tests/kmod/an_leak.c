// SPDX-License-Identifier: GPL-2.0
/* an_leak: forgets memory when it is loaded, so that a test sees it found. */
#include <linux/module.h>
#include <linux/slab.h>

static int __init an_leak_init(void)
{
	char *forgotten = kmalloc(128, GFP_KERNEL);

	if (!forgotten)
		return -ENOMEM;
	OPTIMIZER_HIDE_VAR(forgotten);
	strscpy(forgotten, "forgotten", 128);
	return 0;
}

static void __exit an_leak_exit(void)
{
}

module_init(an_leak_init);
module_exit(an_leak_exit);

MODULE_DESCRIPTION("Leaks memory, for a test");
MODULE_LICENSE("GPL");
