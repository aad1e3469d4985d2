# SPDX-License-Identifier: GPL-2.0
"""Tests of programs.py and programs.sh: what can be known without a guest."""
import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import programs
from programs import PROGRAMS

LAB_MIB = 640  # of a node of the machine they are sized for
SCRIPT = programs.BENCH / "programs.sh"


def in_shell(command, **environment):
    """What busybox sh prints for a command after the functions are there."""
    text = SCRIPT.read_text() + command + "\n"
    return subprocess.run(["busybox", "sh", "-c", text], check=True, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", **environment}).stdout


def variables():
    """Numbers of programs.sh."""
    return {name: int(value) for name, value in re.findall(r"^(\w+)=(\d+)", SCRIPT.read_text(), re.MULTILINE)}


class Table(unittest.TestCase):
    def test_every_program_has_its_function(self):
        functions = re.findall(r"^(run_\w+)\(\) \($", SCRIPT.read_text(), re.MULTILINE)
        self.assertEqual(sorted(functions), sorted(program.function for program in PROGRAMS.values()))

    def test_descriptions_and_tags(self):
        for name, program in PROGRAMS.items():
            with self.subTest(name=name):
                self.assertTrue(program.description.endswith("."))
                self.assertIn("full", program.tags)
                self.assertIsNone(program.best_share(None))

    def test_what_is_born_on_a_node_fits_there(self):
        for name, program in PROGRAMS.items():
            with self.subTest(name=name):
                self.assertLessEqual(program.mib, 0.7 * LAB_MIB)

    def test_sizes_agree(self):
        numbers = variables()
        self.assertLessEqual(numbers["compress_first"] + numbers["compress_rest"], programs.INPUT_MIB)
        self.assertLess(numbers["redis_keys"] * 4000 >> 20, PROGRAMS["redis"].mib)
        buffers = int(re.search(r"shared_buffers = (\d+)MB", programs.SETTINGS)[1])
        self.assertLess(programs.SCALE * 15, buffers)
        self.assertEqual(numbers["postgres_rows"], programs.SCALE * 100000)
        self.assertLessEqual(buffers, PROGRAMS["postgres_1"].mib)


class Files(unittest.TestCase):
    def test_they_exist(self):
        for name, program in PROGRAMS.items():
            for argument in program.files():
                with self.subTest(name=name, argument=argument):
                    host, _, guest = argument.partition(":")
                    self.assertTrue(Path(host).exists())
                    self.assertTrue(guest == "" or guest.startswith("/"))

    def test_what_is_missing_is_named(self):
        with mock.patch("shutil.which", return_value=None), self.assertRaisesRegex(programs.Missing, "package nothing"):
            programs.program("nothing", "nothing")

    def test_made_once(self):
        calls = []
        with tempfile.TemporaryDirectory() as build, mock.patch.object(programs, "BUILD", Path(build)):
            first = programs.made("thing", "key", calls.append)
            self.assertEqual(programs.made("thing", "key", calls.append), first)
            self.assertNotEqual(programs.made("thing", "other", calls.append), first)
            self.assertTrue(first.is_dir())
        self.assertEqual(len(calls), 2)

    def test_compiled_files_have_sums(self):
        work = Path(programs.compile_files()[-1])
        names = [line.split()[1] for line in (work / "sums").read_text().splitlines()]
        self.assertEqual(sorted(names), sorted(f"{path.stem}.o" for path in work.glob("*.i")))
        self.assertGreaterEqual(len(names), 8)


class Turn(unittest.TestCase):
    def test_measured_part(self):
        script = ("mark() { :; }; idle_ms() { echo 500; }; measured_begin; idle_ms() { echo 740; }; measured_end 7 MiB; "
                  'echo "$json"')
        said = json.loads(in_shell(script))
        self.assertEqual((said["work"], said["unit"], said["idle_ms"]), (7, "MiB", 240))
        self.assertLess(said["wall_ms"], 10000)

    def test_idle_is_all_cpus(self):
        self.assertTrue(in_shell("idle_ms").strip().isdigit())


class Nodes(unittest.TestCase):
    def test_next_node(self):
        for node, after in ((0, 1), (1, 3), (3, 0)):
            self.assertEqual(in_shell(f"next_node {node}", NODES="0 1 3").strip(), str(after))

    def test_halves(self):
        for nodes, first, second in (("0 1 2 3", "0 1", "2 3"), ("0 1 2", "0", "1 2"), ("0", "0", "0")):
            self.assertEqual(in_shell("half first", NODES=nodes).split(), first.split())
            self.assertEqual(in_shell("half second", NODES=nodes).split(), second.split())

    def test_cpus(self):
        self.assertEqual(in_shell("all_cpus; cpus_on 1", NODE_OF_CPU="0:0:1:1:1").split(), ["5", "3"])


if __name__ == "__main__":
    unittest.main()
