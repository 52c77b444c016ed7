# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: the agent around a measurement and in alternation with none, its CPU
time, tables, and the summary of budgets. Starting and stopping comes from the end-to-end tests.

A figure with the agent always stands beside one without it from the same minute of the same run:
the machine drifts, ratios do not.
"""
import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import flowtrace_e2e as e2e  # noqa: E402

CPUS = sorted(os.sched_getaffinity(0))
LOAD_CPU, OTHER_CPU = CPUS[0], CPUS[-1]  # the same one on a machine that has but one
SETTLE_SECONDS = 0.3
PATIENCE_SECONDS = 300  # in all, for other agents on this host to end
CPUCLOCK_SCHED = 2


class Skip(Exception):
    """A benchmark, or a part of one, that this host cannot run; the text says why."""


class Bench:
    """One run: where things are, how long to measure, and what came out."""

    def __init__(self, build, directory, quick):
        self.build, self.directory, self.quick = build, directory, quick
        self.budgets = []  # (what, budget, reached, met)
        self.patience = PATIENCE_SECONDS
        self.disturbed = False
        e2e.AGENT = str(build / "agent" / "flowtrace-agent")

    def tool(self, name):
        """A program of tests/bench, as built."""
        return next(p for p in self.build.glob(f"tests/**/{name}") if p.is_file())

    def rounds(self, n):
        return 3 if self.quick else n

    def seconds(self, n):
        return max(0.3, n / 5) if self.quick else n

    def budget(self, what, budget, reached, met=None):
        """One row of the summary; met is None where the budget is a matter of reading."""
        self.budgets.append((what, budget, reached, {True: "yes", False: "no", None: ""}[met]))

    def wait_alone(self, own=None):
        """Other agents on this host would trace the measurement too: waits for them to end."""
        while others := agents_running() - {own}:
            if self.patience <= 0:
                if not self.disturbed:
                    say(f"  (another agent runs on this host, pid {min(others)}: "
                        "figures without the agent are too high)")
                self.disturbed = True
                return
            time.sleep(1)
            self.patience -= 1

    def alone(self, measure, own=None):
        """A figure that no other agent had a part in, as far as patience reaches."""
        while True:
            self.wait_alone(own)
            value = measure()
            if self.disturbed or not agents_running() - {own}:
                return value

    @contextlib.contextmanager
    def agent(self, *arguments, exports=("none",), cpu=None):
        """A ready agent; after the block it has stopped and totals() holds."""
        self.wait_alone()
        agent = e2e.Agent(self.directory, "--set", "status.listen=", *arguments, exports=exports)
        try:
            agent.wait_ready()
            if cpu is not None:
                pin(agent.process.pid, cpu)
            time.sleep(SETTLE_SECONDS)
            yield agent
        finally:
            agent.stop()


class Comparison:
    """Rounds of one measurement without and with the agent. What the agent adds is told from
    neighbors in time: the median of the rounds' own differences and ratios, for the machine may
    change its speed between rounds by more than that."""

    def __init__(self):
        self.without, self.with_agent = [], []

    def add(self, traced, value):
        (self.with_agent if traced else self.without).append(value)

    @property
    def base(self):
        return statistics.median(self.without)

    @property
    def traced(self):
        return statistics.median(self.with_agent)

    @property
    def added(self):
        return statistics.median(b - a for a, b in zip(self.without, self.with_agent))

    @property
    def ratio(self):
        return statistics.median(b / a for a, b in zip(self.without, self.with_agent))

    @property
    def spread(self):
        differences = sorted(b - a for a, b in zip(self.without, self.with_agent))
        return f"{differences[0]:+.1f} .. {differences[-1]:+.1f}"

    def row(self, name):
        return (name, f"{self.base:.1f}", f"{self.traced:.1f}", f"{self.added:+.1f}",
                f"{self.ratio:.3f}", self.spread)


COMPARISON_HEADER = ("", "without", "with", "added", "ratio", "added, by round")


def alternate(bench, rounds, measurements, *arguments, cpu=None, start=None, before=None,
              after=None):
    """Runs every measurement (name -> function to a number) in each round once without and once
    with the agent, the order changing from round to round. start() is called at the start of each
    round, before() ahead of the measurements with the agent, after(agent) when it has stopped."""
    results = {name: Comparison() for name in measurements}

    def measure_all(own=None):
        for name, measure in measurements.items():
            results[name].add(own is not None, bench.alone(measure, own))

    for i in range(rounds):
        if start:
            bench.alone(start)
        for traced in (False, True) if i % 2 == 0 else (True, False):
            if not traced:
                measure_all()
                continue
            with bench.agent(*arguments, cpu=cpu) as agent:
                if before:
                    before()
                measure_all(agent.process.pid)
                time.sleep(SETTLE_SECONDS)
            if after:
                after(agent)
    return results


def agents_running():
    """Pids of all flowtrace agents."""
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if path.read_text().strip() == "flowtrace-agent":
                found.add(int(path.parent.name))
    return found


def run(*command):
    """Standard output of a program."""
    done = subprocess.run([str(c) for c in command], text=True, check=False, capture_output=True,
                          preexec_fn=e2e.die_with_parent)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stdout} {done.stderr}")
    return done.stdout


def run_on(cpu, *command):
    """The same, pinned to one CPU."""
    return run("taskset", "-c", cpu, *command)


def pin(pid, cpu):
    """Existing threads; later ones inherit."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(int(task), {cpu})


def cpu_seconds(pid):
    """utime + stime of a process so far, all threads, in the resolution of the scheduler."""
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def mapped_kib(pid, name):
    """The resident part of the mappings whose name holds `name`."""
    total, inside = 0, False
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = name in line
        elif inside and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total


def descriptors(pid, key):
    """The fdinfo, as dicts, of all descriptors that have `key` in it, each BPF object once."""
    found = {}
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            info = dict(re.findall(r"^(\w+):\s+(\S+)", path.read_text(), re.MULTILINE))
            if key in info:
                found.setdefault(info[key], {}).update(info)
    return found


def need(program, package=None):
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if not path:
        raise Skip(f"no {program} (package {package or program})")
    return path


def say(line=""):
    print(line, flush=True)


def table(header, rows):
    """Columns as wide as they have to be, the first to the left, numbers to the right."""
    rows = [header, *rows]
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(header))]
    for row in rows:
        cells = [str(c).ljust(w) if i == 0 else str(c).rjust(w)
                 for i, (c, w) in enumerate(zip(row, widths))]
        say("  " + "  ".join(cells).rstrip())


def losses(totals):
    """What the agent says it lost: the nonzero counters of both identities' right sides."""
    lost = {name for name, heading in e2e.counter_classes().items() if "lost" in heading.lower()}
    return {name: n for name, n in totals.items() if name in lost and n}
