# SPDX-License-Identifier: Apache-2.0
"""What the hooks cost the programs that are traced: per socket operation, per HTTP exchange."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

from flowtrace_bench import (COMPARISON_HEADER, LOAD_CPU, OTHER_CPU, Skip, alternate, cpu_seconds,
                             descriptors, e2e, need, run, run_on, say, table)

sys.path.insert(0, str(e2e.ROOT / "tests" / "e2e"))

import recording  # noqa: E402

STATS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
ROUNDS, SECONDS = 15, 0.5
CAPTURED_NS, NOT_CAPTURED_NS, EXCHANGE_NS = 450, 120, 2000
OPERATIONS_PER_EXCHANGE = 4
SPAWNS = 300
DESCRIBED_MS = 100
IDLE_SECONDS, SETTLE_SECONDS_IDLE = 10, 1


def socket_ns(bench, *mode):
    """A measurement: nanoseconds per operation."""
    def measure():
        return float(run_on(LOAD_CPU, bench.tool("bench_socket"), *mode, bench.seconds(SECONDS)))
    return measure


def judge(bench, what, result, budget):
    """A budget of 0 is one that no figure meets to the digit: it is left to the reader."""
    bench.budget(what, f"{budget:+} ns", f"{result.added:+.0f} ns on {result.base:.0f}",
                 result.added <= budget if budget else None)


def operations(bench):
    """In-kernel time per socket operation"""
    results = alternate(bench, bench.rounds(ROUNDS), {
        "captured": socket_ns(bench, "http", 512),
        "not captured": socket_ns(bench, "raw", 512),
        "UDP": socket_ns(bench, "udp", 512),
        "UDP to": socket_ns(bench, "udp-to", 512),
        "UNIX": socket_ns(bench, "unix", 512),
        "unrelated": socket_ns(bench, "syscall"),
    }, cpu=OTHER_CPU)
    table(COMPARISON_HEADER, [
        results["captured"].row("512 bytes, captured"),
        results["not captured"].row("512 bytes, not captured"),
        results["UDP"].row("UDP, connected, not captured"),
        results["UDP to"].row("UDP, by address, not captured"),
        results["UNIX"].row("UNIX stream, not captured"),
        results["unrelated"].row("getppid(2)"),
    ])
    say("  ns of CPU per operation; the load on one CPU, the agent on the other")
    judge(bench, "socket operation, 512 bytes captured", results["captured"], CAPTURED_NS)
    judge(bench, "socket operation, not captured", results["not captured"], NOT_CAPTURED_NS)
    judge(bench, "UDP, connected, not captured", results["UDP"], NOT_CAPTURED_NS)
    judge(bench, "UDP, by address, not captured", results["UDP to"], NOT_CAPTURED_NS)
    judge(bench, "UNIX stream, not captured", results["UNIX"], NOT_CAPTURED_NS)
    judge(bench, "unrelated system call", results["unrelated"], 0)


@contextlib.contextmanager
def stats_enabled():
    before = STATS.read_text()
    STATS.write_text("1")
    try:
        yield
    finally:
        STATS.write_text(before)


def program_times(pid):
    """name -> (ns, runs) of the agent's BPF programs"""
    times = {}
    for program in descriptors(pid, "prog_id"):
        shown = json.loads(subprocess.run([need("bpftool"), "-j", "prog", "show", "id", program],
                                          capture_output=True, check=True).stdout)
        times[shown["name"]] = (shown.get("run_time_ns", 0), shown.get("run_cnt", 0))
    return times


def programs(bench):
    """The kernel's own account of the BPF programs (bpf_stats)"""
    need("bpftool")
    if not STATS.exists():
        raise Skip("this kernel has no bpf_stats")
    rows = []
    for what, mode in {"captured": ("http", 512), "not captured": ("raw", 512),
                       "UDP": ("udp", 512), "UDP by address": ("udp-to", 512),
                       "UNIX": ("unix", 512)}.items():
        with bench.agent(cpu=OTHER_CPU) as agent, stats_enabled():
            before = program_times(agent.process.pid)
            socket_ns(bench, *mode)()
            after = program_times(agent.process.pid)
        for name in sorted(after):
            ns, runs = (a - b for a, b in zip(after[name], before.get(name, (0, 0))))
            if runs > 1000:
                rows.append((f"{name}, {what}", runs, f"{ns / runs:.0f}"))
    table(("program", "runs", "ns per run"), rows)
    say("  an empty program reads about 60 ns here: that is the clock, and it comes on top")


def exchange(bench):
    """One HTTP/1.1 exchange of 200 bytes each way, seen from both ends"""
    result = alternate(bench, bench.rounds(ROUNDS), {"exchange": lambda: OPERATIONS_PER_EXCHANGE
                       * socket_ns(bench, "http", 200)()}, cpu=OTHER_CPU)["exchange"]
    table(COMPARISON_HEADER, [result.row("exchange, 4 operations")])
    say("  ns of CPU per exchange, which gives 2 spans")
    judge(bench, "HTTP/1.1 exchange, both ends", result, EXCHANGE_NS)


def spawn_us():
    """A measurement: microseconds for a process that starts, does nothing and ends."""
    start = time.perf_counter()
    for _ in range(SPAWNS):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    return (time.perf_counter() - start) / SPAWNS * 1e6


def forks(bench):
    """Processes that start and end (fork, exec, exit)"""
    result = alternate(bench, bench.rounds(ROUNDS), {"spawn": spawn_us})["spawn"]
    table(COMPARISON_HEADER, [result.row("/bin/true")])
    say("  us per process, of wall time: the agent is not pinned away from it")
    bench.budget("fork, exec and exit of /bin/true", "reported",
                 f"{result.added:+.0f} us on {result.base:.0f} ({result.ratio:.2f})")


def fallback(bench):
    """The last fallback, which sees the end of every system call (capture.hooks=syscalls)"""
    results = alternate(bench, bench.rounds(ROUNDS), {
        "captured": socket_ns(bench, "http", 512),
        "unrelated": socket_ns(bench, "syscall"),
    }, "--set", "capture.hooks=syscalls", cpu=OTHER_CPU)
    table(COMPARISON_HEADER, [results["captured"].row("512 bytes, captured"),
                              results["unrelated"].row("getppid(2)")])
    bench.budget("unrelated system call, last fallback", "reported",
                 f"{results['unrelated'].added:+.0f} ns on {results['unrelated'].base:.0f}")


def described(bench):
    """From a process's first operation until the core knows what process it is"""
    path = bench.directory / "described.ftr"
    with bench.agent("--record", str(path)):
        for _ in range(SPAWNS):
            run(bench.tool("bench_socket"), "idle", "1", "0.0")
            time.sleep(0.01)
    first, known = {}, {}
    for event in recording.read(path):
        if event.kind == recording.PROCESS:
            known.setdefault(event.tgid, event.time_ns)
        elif event.kind == recording.DATA and event.known and event.known.comm == "bench_socket":
            first.setdefault(event.tgid, event.time_ns)
    unknown = len(first.keys() - known.keys())
    latencies = sorted((known[p] - first[p]) / 1e6 for p in first.keys() & known.keys())
    if not latencies:
        raise RuntimeError("no process was described")
    table(("processes", "not described", "ms, median", "99 %", "longest"),
          [(len(first), unknown, f"{latencies[len(latencies) // 2]:.1f}",
            f"{latencies[len(latencies) * 99 // 100]:.1f}", f"{latencies[-1]:.1f}")])
    say("  each lives for a few milliseconds: most are gone before the agent looks")
    bench.budget("a new process is known and selected", f"{DESCRIBED_MS} ms",
                 f"{latencies[-1]:.0f} ms at most", latencies[-1] <= DESCRIBED_MS and not unknown)


def idle(bench):
    """The agent's CPU when nothing selected happens"""
    with bench.agent("--set", "select.ports=1") as agent:
        time.sleep(SETTLE_SECONDS_IDLE)
        before = cpu_seconds(agent.process.pid)
        time.sleep(bench.seconds(IDLE_SECONDS))
        used = cpu_seconds(agent.process.pid) - before
    seconds = bench.seconds(IDLE_SECONDS)
    table(("CPU ms", "in s"), [(f"{used * 1e3:.0f}", seconds)])
    bench.budget("the agent's CPU when idle", "reported",
                 f"{100 * used / seconds:.2f} % of one CPU")
