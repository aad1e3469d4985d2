# SPDX-License-Identifier: GPL-2.0
"""Programs from Debian's archive, unmodified: which files they need in the guest, and how to run them there.

The functions are in programs.sh. Input that takes long to make is made once, on this PC, and kept in the build
directory.
"""

import hashlib
import lzma
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from boot import BENCH, BUILD, TOP, Failed

NOBODY = 65534
TIMEOUT_S = 600


class Missing(Failed):
    """Something is not on this PC; the message names the Debian package that has it."""


def found(path, package):
    if not path or not Path(path).exists():
        raise Missing(f"no {path}: install Debian's package {package} (tools/lab/deps.sh)")
    return str(path)


def program(name, package):
    return found(shutil.which(name) or f"/usr/bin/{name}", package)


def made(name, key, make):
    """A directory of the build directory, made by make(directory) if there is none for this key."""
    target = BUILD / "programs" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=target.parent) as work:
            new = Path(work, name)
            new.mkdir()
            make(new)
            new.rename(target)
    return target


def version(*command):
    """The first line it prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[0]


# --- redis ---

def redis_files():
    return [program("redis-server", "redis-server"), program("redis-cli", "redis-tools"),
            program("redis-benchmark", "redis-tools")]


# --- postgres ---

SCALE = 10  # pgbench's: 15 MiB each

SETTINGS = """
listen_addresses = ''
max_connections = 100
superuser_reserved_connections = 1
shared_buffers = 176MB
shared_memory_type = mmap
dynamic_shared_memory_type = mmap
huge_pages = off
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
min_wal_size = 32MB
checkpoint_timeout = 1h
bgwriter_lru_maxpages = 0
autovacuum = off
max_parallel_workers_per_gather = 0
jit = off
timezone = GMT
log_timezone = GMT
"""

FINISH = "create extension pg_prewarm; vacuum (freeze, analyze); checkpoint"


def postgres_bin():
    """The newest version's programs."""
    bins = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return bins[-1].parent if bins else Path(found("/usr/lib/postgresql/VERSION/bin", "postgresql"))


def as_nobody(command, cwd):
    """Postgres refuses root."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    run = subprocess.run(list(map(str, command)), cwd=cwd, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, check=False,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         timeout=TIMEOUT_S, **user)
    if run.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{run.stdout[-4000:]}")


def fill_cluster(bin_dir, work):
    """pgbench's tables, in work/data; the server's socket is in work, too."""
    data, server = work / "data", ["-h", work, "-U", "postgres"]
    as_nobody([bin_dir / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--locale=C", "--encoding=UTF8",
               "--wal-segsize=1", "--no-sync"], work)
    with open(data / "postgresql.conf", "a", encoding="ascii") as conf:
        conf.write(SETTINGS)
    as_nobody([bin_dir / "pg_ctl", "-D", data, "-o", f"-k {work}", "-l", work / "log", "-w", "start"], work)
    try:
        as_nobody([bin_dir / "pgbench", "-i", "-I", "dtgvp", "-q", "-s", SCALE, *server, "postgres"], work)
        for statement in FINISH.split("; "):
            as_nobody([bin_dir / "psql", "-X", "-q", "-c", statement, *server, "postgres"], work)
    finally:
        as_nobody([bin_dir / "pg_ctl", "-D", data, "-m", "fast", "-w", "stop"], work)


def make_cluster(bin_dir):
    def make(target):
        with tempfile.TemporaryDirectory(prefix="autonuma-postgres.") as work:
            if os.geteuid() == 0:
                os.chown(work, NOBODY, NOBODY)
            fill_cluster(bin_dir, Path(work))
            shutil.copytree(Path(work, "data"), target / "postgres")
    return make


def postgres_files():
    bin_dir = postgres_bin()
    number = bin_dir.parent.name
    library = found(bin_dir.parent / "lib/pg_prewarm.so", f"postgresql-{number}")
    zones = found(Path("/usr/share/postgresql", number, "timezonesets"), f"postgresql-{number}")
    setpriv = program("setpriv", "util-linux")
    cluster = made("postgres", version(bin_dir / "postgres", "--version") + SETTINGS + FINISH + str(SCALE),
                   make_cluster(bin_dir))
    return [f"{bin_dir}/postgres:{bin_dir}/postgres", found(bin_dir / "pgbench", f"postgresql-{number}"),
            found(bin_dir / "psql", f"postgresql-client-{number}"), f"{setpriv}:/usr/bin/setpriv",
            f"{library}:{library}", f"{zones}:{zones.rpartition('/')[0]}", str(cluster / "postgres")]


# --- compile ---

# This project's own, of which it always has the sources. Preprocessed, so that no headers have to come along.
SOURCES = "tools/lab/*.c"
COMPILER = "/usr/bin/gcc"  # not what stands before it on the PATH, as ccache does


def make_sources(target):
    """target/compile: NAME.i, and sums: a line "SHA256 NAME.o" of what each becomes on this PC."""
    work = target / "compile"
    work.mkdir()
    sums = []
    for source in sorted(TOP.glob(SOURCES)):
        text, result = work / f"{source.stem}.i", target / "object"
        subprocess.run([COMPILER, "-std=gnu11", "-E", "-P", "-o", text, source], check=True)
        subprocess.run([COMPILER, "-O0", "-c", "-o", result, text], check=True)
        sums.append(f"{hashlib.sha256(result.read_bytes()).hexdigest()} {text.stem}.o\n")
        result.unlink()
    (work / "sums").write_text("".join(sums), encoding="ascii")


def part_of_gcc(name, package):
    return found(shutil.which(version(COMPILER, f"-print-prog-name={name}")), package)


def compile_files():
    compiler = os.path.realpath(found(COMPILER, "gcc"))
    parts = [part_of_gcc("cc1", "cpp"), part_of_gcc("as", "binutils")]
    key = "-O0" + version(COMPILER, "--version") + version(parts[1], "--version")
    key += "".join(path.read_text() for path in sorted(TOP.glob(SOURCES)))
    return [f"{compiler}:/usr/bin/gcc", f"{parts[0]}:{parts[0]}", f"{parts[1]}:/usr/bin/as",
            str(made("compile", key, make_sources) / "compile")]


# --- compress ---

ARCHIVE = "/usr/src/linux-source-6.12.tar.xz"
INPUT_MIB = 96


def make_input(target):
    """target/compress/input: the first part of the kernel's sources."""
    (target / "compress").mkdir()
    with lzma.open(ARCHIVE) as archive, open(target / "compress/input", "wb") as out:
        for _ in range(INPUT_MIB):
            out.write(archive.read(1 << 20))


def compress_files():
    archive = Path(found(ARCHIVE, "linux-source-6.12"))
    stat = archive.stat()
    return [program("zstd", "zstd"),
            str(made("compress", f"{INPUT_MIB} {stat.st_size} {stat.st_mtime}", make_input) / "compress")]


# --- the table ---

@dataclass(frozen=True)
class Program:
    """A function of programs.sh. What it reaches at best is what the hard bind is measured to reach."""
    description: str
    function: str
    files: Callable
    process: str     # the names of its processes
    tags: frozenset
    mib: int         # of memory, in all

    meter_every = 1000000  # misses: unmodified programs mark no intervals
    one_host_cpu = False
    sweeps = None

    def words(self, _machine, bind, _thp):
        """The guest's command."""
        return [self.function, bind]

    def definitions(self):
        """What the guest's script needs for it."""
        return (BENCH / "programs.sh").read_text()

    def guest_files(self, _build):
        """Arguments of numalab's --file."""
        return self.files()

    def size(self, _machine):
        """MiB"""
        return self.mib

    def scale(self, _machine):
        """Sizes, to be read."""
        return f"about {self.mib} MiB in all"

    def process_mib(self, _machine):
        """Of the largest one. All are so small that numad leaves them alone."""
        return self.mib

    def best_share(self, _machine):
        """Not computed."""
        return None

    def must_move(self, _machine):
        """Not computed."""
        return None

    def supports(self, machine):
        """Which binds mean something."""
        return ("hard", "inverse") if len(machine.cpu_nodes) > 1 else ("hard",)


FULL = frozenset({"full"})
SHORT = frozenset({"full", "short"})

PROGRAMS = {
    "redis": Program(
        "A redis-server for each node, 40000 values of 4000 bytes in all, each under a redis-benchmark of its own that "
        "gets them at random. Hard bind: server and client on a node of their own.",
        "run_redis", redis_files, "redis-server", SHORT, 200),
    "postgres_1": Program(
        "PostgreSQL with one backend under pgbench, which sums 200 rows at random places; all of a database of 150 MiB "
        "is in the shared buffers. Hard bind: both on the first node.",
        "run_postgres_one", postgres_files, "postgres", FULL, 200),
    "postgres_many": Program(
        "The same with two backends for each CPU. All read all of the buffers, so no placement makes those accesses "
        "local while backends run everywhere. Hard bind: the server on half of the nodes, an equal part of the buffers "
        "on each; pgbench on the others.",
        "run_postgres_many", postgres_files, "postgres", FULL, 250),
    "compile": Program(
        "Compilers, as many at once as there are CPUs, of this project's preprocessed C files. Short-lived processes "
        "whose memory is first touched where they run: nothing is born on the first node but files. Hard bind: a part "
        "of the files for each node.",
        "run_compile", compile_files, "cc1", FULL, 250),
    "compress": Program(
        "A zstd for each node, with a thread for each of its CPUs and a long-distance window of 16 MiB, on parts of "
        "the kernel's sources. Hard bind: each on a node of its own.",
        "run_compress", compress_files, "zstd", FULL, 200),
}
