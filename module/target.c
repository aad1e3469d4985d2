// SPDX-License-Identifier: GPL-2.0
/*
 * Whom a request is about, and whether its sender may ask for that. Everything
 * runs in the sender: its file table, its credentials, its pid namespace.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <net/sock.h>
#include "ask.h"
#include "uapi/autonuma.h"

/*
 * The kernel's own threads have nothing to balance, nor has a process that
 * waits for its parent only.
 */
static int check_leader(const struct task_struct *leader)
{
	if (leader->flags & PF_KTHREAD)
		return -EINVAL;
	return atomic_read(&leader->signal->live) ? 0 : -ESRCH;
}

static int get_leader(struct an_target *target)
{
	struct task_struct *leader = get_pid_task(target->pid, PIDTYPE_TGID);
	int err;

	if (!leader)
		return pid_has_task(target->pid, PIDTYPE_PID) ? -EINVAL : -ESRCH;
	err = check_leader(leader);
	if (err)
		put_task_struct(leader);
	else
		target->leader = leader;
	return err;
}

static int get_process(struct an_target *target, int fd)
{
	struct file *file = fget(fd);
	struct pid *pid;
	int err;

	if (!file)
		return -EBADF;
	pid = pidfd_pid(file);
	target->pid = IS_ERR(pid) ? NULL : get_pid(pid);
	fput(file);
	if (!target->pid)
		return -EBADF;
	err = get_leader(target);
	if (err)
		put_pid(target->pid);
	return err;
}

/* Not through a read-only mount either, as containers have it. */
static int may_write(struct file *file)
{
	if (__mnt_is_readonly(file->f_path.mnt) ||
	    inode_permission(file_mnt_idmap(file), file_inode(file), MAY_WRITE))
		return -EACCES;
	return 0;
}

static int opener_may_write(const struct cred *opener, struct file *file)
{
	const struct cred *sender = override_creds(opener);
	int err = may_write(file);

	revert_creds(sender);
	return err;
}

/*
 * Write access to the directory is what delegation grants: to the sender, and to
 * who opened the socket, whose groups may be others. The descriptor may be
 * exchanged by another thread between two looks at it: then the two differ.
 */
static int may_write_cgroup(const struct cgroup *cgrp, int fd,
			    const struct cred *opener)
{
	struct file *file = fget(fd);
	struct inode *inode;
	int err;

	if (!file)
		return -EBADF;
	inode = file_inode(file);
	if (inode->i_sb->s_magic != CGROUP2_SUPER_MAGIC ||
	    inode->i_ino != cgroup_id(cgrp))
		err = -EBADF;
	else
		err = may_write(file) ?: opener_may_write(opener, file);
	fput(file);
	return err;
}

static int get_cgroup(struct an_target *target, int fd,
		      const struct cred *opener)
{
	struct cgroup *cgrp = cgroup_get_from_fd(fd);
	int err;

	if (IS_ERR(cgrp))
		return PTR_ERR(cgrp) == -ENOENT ? -ENODEV : -EBADF;
	err = may_write_cgroup(cgrp, fd, opener);
	if (err)
		cgroup_put(cgrp);
	else
		target->cgroup = cgrp;
	return err;
}

static const struct cred *opener_of(struct sk_buff *skb)
{
	return NETLINK_CB(skb).sk->sk_socket->file->f_cred;
}

/*
 * A program that writes into a socket somebody else has given it must not lend
 * its rights: it may have no more of them than who opened the socket. Further
 * groups give rights to cgroups only, see may_write_cgroup().
 */
static bool opener_may_as_much(const struct cred *opener)
{
	const struct cred *sender = current_cred();

	return uid_eq(opener->euid, sender->euid) &&
	       uid_eq(opener->fsuid, sender->fsuid) &&
	       gid_eq(opener->fsgid, sender->fsgid) &&
	       opener->user_ns == sender->user_ns &&
	       cap_issubset(sender->cap_effective, opener->cap_effective);
}

/**
 * an_target_get - find whom a request is about
 * @target: filled in
 * @skb: the request
 * @info: likewise
 *
 * Context: the sender, may sleep. Of a cgroup the right to ask is checked, too.
 * Return: 0, then an_target_put() ends it; or the errors of uapi/autonuma.h.
 */
int an_target_get(struct an_target *target, struct sk_buff *skb,
		  const struct genl_info *info)
{
	struct nlattr *pidfd = info->attrs[AUTONUMA_A_PIDFD];
	struct nlattr *cgroup = info->attrs[AUTONUMA_A_CGROUP_FD];
	const struct cred *opener = opener_of(skb);

	memset(target, 0, sizeof(*target));
	if (!pidfd == !cgroup)
		return -EINVAL;
	if (!opener_may_as_much(opener))
		return -EPERM;
	if (pidfd)
		return get_process(target, nla_get_u32(pidfd));
	return get_cgroup(target, nla_get_u32(cgroup), opener);
}

void an_target_put(struct an_target *target)
{
	if (target->cgroup)
		cgroup_put(target->cgroup);
	if (target->leader)
		put_task_struct(target->leader);
	put_pid(target->pid);
}

/* As for the CPU affinity: owner, or CAP_SYS_NICE. Context: the sender. */
int an_target_may_choose(const struct an_target *target)
{
	const struct cred *sender = current_cred(), *cred;
	bool may;

	if (target->cgroup)
		return 0;
	rcu_read_lock();
	cred = __task_cred(target->leader);
	may = uid_eq(sender->euid, cred->euid) ||
	      uid_eq(sender->euid, cred->uid) ||
	      ns_capable(cred->user_ns, CAP_SYS_NICE);
	rcu_read_unlock();
	return may ? 0 : -EPERM;
}

/* As for /proc/PID/numa_maps. Context: the sender. */
int an_target_may_read(const struct an_target *target)
{
	if (target->cgroup || same_thread_group(target->leader, current))
		return 0;
	return ptrace_may_access(target->leader, PTRACE_MODE_READ_FSCREDS) ?
	       0 : -EACCES;
}
