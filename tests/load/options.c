// SPDX-License-Identifier: GPL-2.0
/* load's options, and what follows from them. */
#define _GNU_SOURCE
#include <getopt.h>
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>

#include "load.h"

const char * const mode_names[] = {
	"procs", "private", "phase", "big", "table", "stripe", "subpage", "hot", "pipe", "sleep", "short", "tree",
	"segment", "visit",
};
static const char * const bind_names[] = { "none", "hard", "inverse" };
static const char * const wake_names[] = { "futex", "pipe", "timer" };

struct options opt = {
	.mib = 256, .sweeps = 100, .stride = 512, .marks = 30, .born = -1, .life = 5, .wake = WAKE_PIPE,
};

static void usage(FILE *f)
{
	fputs("usage: load MODE [OPTION...]\n"
	      "  procs    processes whose threads share all memory of their process (one process per node)\n"
	      "  private  one process, each thread has its own slice\n"
	      "  phase    as private; half way the threads change slices\n"
	      "  big      one process larger than a node, its threads share everything\n"
	      "  table    one process, a table all threads read\n"
	      "  stripe   one process, threads own 4 KiB pages in turn\n"
	      "  subpage  one process, threads own words in turn: every page is used by all of them\n"
	      "  hot      as procs; nine of ten accesses go to the first eighth of the memory\n"
	      "  pipe     one process, pairs of threads: one fills a ring of 64 KiB buffers, the other one checks them\n"
	      "  sleep    as private, but by request: in each pair one thread works while the other one sleeps\n"
	      "  short    as procs, but every process ends after --life sweeps, and a new one follows\n"
	      "  tree     a process fills memory, forks two that fork two ...; each writes its slice and reads the rest\n"
	      "  visit    as private, but of ten pages that a thread uses three are anywhere in the process's memory\n"
	      "  segment  processes that share one segment (one per CPU, of one thread)\n"
	      "  --mem MiB        in all (256)\n"
	      "  --procs N        processes\n"
	      "  --threads N      threads of each process\n"
	      "  --sweeps N       until every thread has swept so often (100)\n"
	      "  --stride BYTES   one access in as many (512)\n"
	      "  --marks N        intervals, each ended for numalab's meter when all threads are through (30)\n"
	      "  --shift N        phase: go on with the slice that many further (half the threads)\n"
	      "  --wake futex|pipe|timer  sleep: how a thread is woken (pipe); timer: by itself, every millisecond\n"
	      "  --life N         short: sweeps of a process (5)\n"
	      "  --in-order       each thread goes through its memory from the first page to the last\n"
	      "  --in-step        no thread of a process begins a sweep before all of them have done the last one\n"
	      "  --parts          segment: all map all of it, but each uses its own part\n"
	      "  --apart          segment: each process maps it elsewhere, as one does that was not forked from another\n"
	      "  --shared         memory is a shared mapping, of one process each; segment always is\n"
	      "  --fill PCT       a process bound to each node fills it up to so much, once the memory is there\n"
	      "  --born NODE      all memory is first touched there; no policy remains\n"
	      "  --spill          --born: elsewhere once that node is full\n"
	      "  --spread         threads start on the nodes in turn, and are free then\n"
	      "  --bind none|hard|inverse  the best placement there is, or everything remote, by affinity and policy\n"
	      "  --thp            huge pages\n"
	      "  --fork           children come and go that write copies of some pages\n"
	      "  --headless       the main thread of each process ends; memory is not verified\n"
	      "Prints its state in JSON when it begins to sweep, at signal USR1, and in the end, which signal TERM brings\n"
	      "about early. Status 1: memory was not what it should be.\n", f);
}

void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "mem", 1, NULL, 'm' }, { "procs", 1, NULL, 'p' }, { "threads", 1, NULL, 't' },
		{ "sweeps", 1, NULL, 's' }, { "stride", 1, NULL, 'r' }, { "marks", 1, NULL, 'k' },
		{ "shift", 1, NULL, 'i' }, { "born", 1, NULL, 'b' }, { "spill", 0, NULL, 'l' },
		{ "spread", 0, NULL, 'd' }, { "bind", 1, NULL, 'n' }, { "thp", 0, NULL, 'h' },
		{ "fork", 0, NULL, 'f' }, { "headless", 0, NULL, 'e' }, { "help", 0, NULL, 'H' }, { "wake", 1, NULL, 'w' },
		{ "life", 1, NULL, 'L' }, { "parts", 0, NULL, 'P' }, { "apart", 0, NULL, 'A' },
		{ "shared", 0, NULL, 'S' }, { "fill", 1, NULL, 'F' },
		{ "in-order", 0, NULL, 'o' }, { "in-step", 0, NULL, 'T' }, { }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'm': opt.mib = number(optarg, 2, 1 << 20); break;
		case 'p': opt.procs = number(optarg, 1, MAX_THREADS); break;
		case 't': opt.threads = number(optarg, 1, MAX_THREADS); break;
		case 's': opt.sweeps = number(optarg, 1, 1 << 30); break;
		case 'r': opt.stride = number(optarg, 8, PAGE); break;
		case 'k': opt.marks = number(optarg, 1, MAX_MARKS); break;
		case 'i': opt.shift = number(optarg, 1, MAX_THREADS); break;
		case 'b': opt.born = number(optarg, 0, MAX_NODES - 1); break;
		case 'l': opt.spill = true; break;
		case 'd': opt.spread = true; break;
		case 'n': opt.bind = CHOICE(optarg, bind_names); break;
		case 'h': opt.thp = true; break;
		case 'f': opt.churn = true; break;
		case 'e': opt.headless = true; break;
		case 'w': opt.wake = CHOICE(optarg, wake_names); break;
		case 'L': opt.life = number(optarg, 1, 1 << 30); break;
		case 'P': opt.parts = true; break;
		case 'A': opt.apart = true; break;
		case 'S': opt.shared = true; break;
		case 'F': opt.fill = number(optarg, 1, 99); break;
		case 'o': opt.in_order = true; break;
		case 'T': opt.in_step = true; break;
		case 'H': usage(stdout); exit(0);
		default: usage(stderr); exit(2);
		}
	}
	if (optind != argc - 1) {
		usage(stderr);
		exit(2);
	}
	opt.mode = CHOICE(argv[optind], mode_names);
}

static unsigned int default_procs(unsigned int cpus)
{
	switch (opt.mode) {
	case PROCS: case HOT: case SHORT:
		return nr_nodes;
	case TREE: case SEGMENT:
		return cpus;
	default:
		return 1;
	}
}

static unsigned int default_threads(unsigned int cpus)
{
	unsigned int threads = opt.mode == BIG ? 2 * cpus / nr_nodes : cpus / opt.procs;

	if (opt.mode == TREE || opt.mode == SEGMENT)
		threads = 1;
	if (opt.mode == PIPE || opt.mode == SLEEP)
		threads += threads % 2;
	return threads ? threads : 1;
}

static void refuse_nonsense(void)
{
	if (nr_all() > MAX_THREADS)
		die("at most %d threads", MAX_THREADS);
	if (opt.stride % 8 || PAGE % opt.stride)
		die("--stride: not a power of two from 8 to 4096");
	if ((opt.mode == PIPE || opt.mode == SLEEP) && opt.threads % 2)
		die("pairs of threads: --threads has to be even");
	if (opt.mode == SUBPAGE && opt.threads > PAGE / opt.stride)
		die("subpage: a page has %lu words only; see --stride", PAGE / opt.stride);
	if (opt.apart && opt.mode != SEGMENT)
		die("--apart: not with %s", mode_names[opt.mode]);
	if (opt.mode == SEGMENT && opt.threads > 1)
		die("segment: processes of one thread");
	if (opt.in_step && (opt.mode == PIPE || opt.mode == SLEEP || opt.mode == SHORT))
		die("--in-step: not with %s", mode_names[opt.mode]);
	if (opt.churn && (opt.mode == SHORT || opt.mode == TREE || opt.mode == SEGMENT))
		die("--fork: not with %s", mode_names[opt.mode]);
}

void fill_defaults(void)
{
	unsigned int cpus = numa_num_configured_cpus();

	if (!opt.procs)
		opt.procs = default_procs(cpus);
	if (!opt.threads)
		opt.threads = default_threads(cpus);
	if (!opt.shift)
		opt.shift = opt.threads > 1 ? opt.threads / 2 : 1;
	if (opt.marks > opt.sweeps)
		opt.marks = opt.sweeps;
	refuse_nonsense();
}
