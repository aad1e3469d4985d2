# SPDX-License-Identifier: GPL-2.0
"""Unit tests of the benchmark on a real machine, with trees of files made by hand."""
import contextlib
import importlib.machinery
import importlib.util
import io
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import realmachine
from workloads import WORKLOADS

loader = importlib.machinery.SourceFileLoader("here", str(Path(__file__).with_name("here")))
here = importlib.util.module_from_spec(importlib.util.spec_from_loader("here", loader))
loader.exec_module(here)

MEMINFO = "Node {n} MemTotal: 2097152 kB\nNode {n} MemFree: {free} kB\nNode {n} Inactive(file): 1024 kB\n"


def stat(pid, parent, cpu):
    return f"{pid} (a) b) S {parent} " + " ".join(["0"] * 34) + f" {cpu} 0 0\n"


class Tree(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.root = Path(work.name)
        self.write("sys/devices/system/node/online", "0-2,4\n")
        for node, cpus, free in ((0, "", 1023 * 1024), (1, "0-1,4", 1023 * 1024), (2, "2", 0), (4, "3", 511 * 1024)):
            self.write(f"sys/devices/system/node/node{node}/cpulist", cpus + "\n")
            meminfo = MEMINFO.format(n=node, free=free) if free else "Node 2 MemFree: 0 kB\n"
            self.write(f"sys/devices/system/node/node{node}/meminfo", meminfo)
            self.write(f"sys/devices/system/node/node{node}/distance", "10 21 21 21\n")

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="ascii")

    def machine(self, **more):
        return realmachine.Machine(self.root, **more)

    def process(self, pid, parent, cpus, maps):
        self.write(f"proc/{pid}/stat", stat(pid, parent, cpus[0]))
        self.write(f"proc/{pid}/numa_maps", maps)
        for i, cpu in enumerate(cpus):
            self.write(f"proc/{pid}/task/{pid + i}/stat", stat(pid + i, parent, cpu))


class Machines(Tree):
    def test_bare_nodes_are_left_out(self):
        machine = self.machine()
        self.assertEqual((machine.ids, machine.shape.cpus, machine.shape.mib), ((1, 4), (3, 1), (1024, 512)))
        self.assertEqual(machine.bare, (0, 2))
        self.assertEqual(machine.node_of_cpu, {0: 1, 1: 1, 4: 1, 2: 2, 3: 4})
        self.assertEqual(self.machine(most_mib=100).shape.mib, (100, 100))

    def test_a_kernel_without_numa(self):
        self.assertEqual(realmachine.Machine(self.root / "none").shape.nodes, 0)

    def test_every_workload_has_a_command(self):
        for workload in WORKLOADS.values():
            self.assertGreater(workload.best_share(self.machine().shape), 0)
            words = here.command_of(workload, self.machine(), "none")
            if "--born" in words:
                self.assertEqual(words[words.index("--born") + 1], "1")
            self.assertIn("--bind", here.command_of(workload, self.machine(), "hard"))

    def test_counters(self):
        self.write("proc/vmstat", "nr_free_pages 5\nnuma_hint_faults 7\n")
        self.assertEqual(realmachine.counters(self.root), {"numa_hint_faults": 7})
        self.assertEqual(realmachine.counters(self.root / "none"), {})


class Shares(Tree):
    def test_pages(self):
        maps = ("7f00 default anon=3 dirty=3 N0=1 N1=2 kernelpagesize_kB=4\n"
                "8000 default huge N1=2 kernelpagesize_kB=2048\n")
        self.assertEqual(realmachine.pages_by_node(maps), {0: 1, 1: 1026})
        self.assertEqual(realmachine.pages_by_node(None), {})

    def test_share_over_processes(self):
        self.process(10, 1, [0], "1 default N1=999 kernelpagesize_kB=4\n")
        self.process(20, 10, [0, 3], "1 default N1=3 N4=1 kernelpagesize_kB=4\n")
        self.process(30, 20, [3], "1 default N1=1 kernelpagesize_kB=4\n")
        self.process(40, 10, [0], "")
        self.assertEqual(realmachine.family(10, self.root), [10, 20, 40, 30])
        self.assertAlmostEqual(realmachine.local_share(10, self.machine(), self.root), (0.75 + 0.25 + 0) / 3)

    def test_gone(self):
        self.assertIsNone(realmachine.local_share(77, self.machine(), self.root))
        self.assertIsNone(realmachine.cpu_of_thread(None))


class Switching(Tree):
    def setUp(self):
        super().setUp()
        self.ran, self.numad = [], False
        self.write("sysctl", "0\n")
        self.write("parameters/migrate", "fault\n")
        for name, value in (("SYSCTL", self.root / "sysctl"), ("PARAMETERS", self.root / "parameters"),
                            ("run", self.run_fake), ("numad_runs", lambda: self.numad)):
            patch = mock.patch.object(here, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def run_fake(self, *command):
        self.ran.append(" ".join(command))
        if command[:2] == ("modprobe", "-r"):
            (self.root / "parameters/migrate").unlink()
            (self.root / "parameters").rmdir()
            self.write("sysctl", "1\n")
        elif command[0] == "modprobe":
            self.write("parameters/migrate", command[2].partition("=")[2] + "\n")
        elif command[0] == "numad":
            self.numad = command[2] != "0"

    def sysctl(self):
        return (self.root / "sysctl").read_text(encoding="ascii").strip()

    def test_put_back_after_an_error(self):
        with self.assertRaises(SystemExit), here.Balancing() as balancing:
            self.assertEqual(self.ran, ["modprobe -r autonuma"])
            balancing.switch("none")
            self.assertEqual(self.sysctl(), "0")
            balancing.switch("numad")
            balancing.switch("async")
            self.assertFalse(self.numad)
            here.leave(15, None)
        self.assertEqual(self.sysctl(), "1")
        self.assertEqual(self.ran[-1], "modprobe autonuma migrate=fault")

    def test_a_foreign_numad_stays(self):
        self.numad = True
        with self.assertRaises(here.Failed), here.Balancing():
            pass
        self.assertEqual(self.ran, [])

    def test_root_is_needed_to_switch(self):
        with mock.patch.object(here, "present", lambda: list(here.CONTENDERS)):
            args = mock.Mock(contenders="none,in-tree")
            with self.assertRaisesRegex(here.Failed, "root"):
                here.chosen(args, False)
            self.assertEqual(here.chosen(args, True), ["none", "in-tree"])
            args.contenders = "none,hard,inverse"
            self.assertEqual(here.chosen(args, False), ["none", "hard", "inverse"])


class Tables(unittest.TestCase):
    def test_perf(self):
        text = "# started\n\n123,,node-loads:u,1,100.00,,\n<not supported>,,node-load-misses,0,100.00,,\n"
        self.assertEqual(here.perf_counts(text), {"node-loads": 123})

    def test_table(self):
        results = [{"workload": "numa01", "contender": name, "sweep_seconds": seconds, "shares": [0.5, 1.0], "perf": {}}
                   for name, seconds in (("none", 2.0), ("none", 2.2), ("hard", 1.0), ("hard", 1.1))]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            here.table(results, "numa01", ["none", "hard"], 1)
        self.assertIn("| hard | 1.05 (1.00..1.10) | 1.000 (1.000..1.000) | - | - | - |", out.getvalue())
        self.assertIn("hard / none, seconds: 0.500", out.getvalue())


class Ending(unittest.TestCase):
    def test_nothing_stays(self):
        process = subprocess.Popen(["sleep", "1000"])
        here.end(process)
        self.assertIsNotNone(process.returncode)


if __name__ == "__main__":
    unittest.main()
