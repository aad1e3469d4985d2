// SPDX-License-Identifier: GPL-2.0
/*
 * an_hold: holds the mmap_lock of a process for writing.
 *
 * A PID written to the parameter hold: when the write returns the lock is held.
 * Anything written to the parameter release: when the write returns no lock is held
 * any more. Several may be held at once; until the last one is given back the module
 * stays.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/wait.h>

/* Lives on the stack of hold_set(), until locked is completed. */
struct hold {
	struct mm_struct *mm;	/* mm_users held, put by the holder */
	struct completion locked;
};

/* How often all were told to give back, and how many locks are held. */
static int releases;
static atomic_t held;
static DECLARE_WAIT_QUEUE_HEAD(changed);

static struct mm_struct *mm_of(pid_t nr)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	struct mm_struct *mm = NULL;

	put_pid(pid);
	if (task) {
		mm = get_task_mm(task);
		put_task_struct(task);
	}
	return mm;
}

static int holder(void *data)
{
	struct hold *hold = data;
	struct mm_struct *mm = hold->mm;
	int before = READ_ONCE(releases);

	mmap_write_lock(mm);
	atomic_inc(&held);
	complete(&hold->locked);
	wait_event_idle(changed, READ_ONCE(releases) != before);
	mmap_write_unlock(mm);
	mmput(mm);
	atomic_dec(&held);
	wake_up_all(&changed);
	module_put_and_kthread_exit(0);
}

static int start_holder(struct hold *hold)
{
	struct task_struct *task;

	__module_get(THIS_MODULE);
	init_completion(&hold->locked);
	task = kthread_run(holder, hold, "an_hold");
	if (IS_ERR(task)) {
		module_put(THIS_MODULE);
		return PTR_ERR(task);
	}
	wait_for_completion(&hold->locked);
	return 0;
}

static int hold_set(const char *val, const struct kernel_param *kp)
{
	struct hold hold;
	pid_t nr;
	int err;

	err = kstrtoint(val, 10, &nr);
	if (err)
		return err;
	hold.mm = mm_of(nr);
	if (!hold.mm)
		return -ESRCH;
	err = start_holder(&hold);
	if (err)
		mmput(hold.mm);
	return err;
}

static const struct kernel_param_ops hold_ops = {
	.set = hold_set,
};
module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "PID: hold the mmap_lock of that process for writing, until told to release it");

static int release_set(const char *val, const struct kernel_param *kp)
{
	WRITE_ONCE(releases, releases + 1);
	wake_up_all(&changed);
	wait_event_idle(changed, !atomic_read(&held));
	return 0;
}

static const struct kernel_param_ops release_ops = {
	.set = release_set,
};
module_param_cb(release, &release_ops, NULL, 0200);
MODULE_PARM_DESC(release, "anything: give back all locks that are held");

MODULE_DESCRIPTION("Holds mmap_lock, for tests");
MODULE_AUTHOR("The AutoNUMA developers");
MODULE_LICENSE("GPL");
