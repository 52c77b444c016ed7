# SPDX-License-Identifier: Apache-2.0
"""What the agent itself costs: CPU per span, events per second, memory; where its time goes."""
import collections
import contextlib
import functools
import os
import re
import statistics
import subprocess
import sys
import time

from flowtrace_bench import (HERE, LOAD_CPU, OTHER_CPU, Skip, cpu_seconds, descriptors, e2e,
                             mapped_kib, need, resident_kib, run_on, say, table)
from nginx import Nginx

RATES, RECORDING_RATE = (2000, 10000), 10000
SECONDS, RECORDING_SECONDS, REPLAYS = 10, 16, 5
SPAN_US, EVENTS_PER_S, RESIDENT_MB, MAPS_MIB = 3, 1e6, 30, 64
PARSE_GB_S, MASK_GB_S, FIELDS_PER_S, ENCODE_NS = 1, 0.2, 2_000_000, 1200
CONNECTIONS, PARTS, IDLE_SECONDS = 10000, 4, 120
SK_STORAGE = "24"  # BPF_MAP_TYPE_SK_STORAGE
MIB = 1 << 20
LAST_SPANS_SECONDS = 0.6  # grace, batch age and a nap
PERF_HZ = 1999


# ---- CPU per span --------------------------------------------------------------------------------

@contextlib.contextmanager
def sink(bench):
    """The target of a local OTLP receiver."""
    port = e2e.free_port()
    program = e2e.Program(bench.directory, "sink", [sys.executable, HERE / "otlp_sink.py", port])
    try:
        program.wait_port(port)
        yield f"otlp:http://127.0.0.1:{port}"
    finally:
        program.stop()


def measure_spans(bench, load, export, cpu=None):
    """µs of the agent's CPU per span, spans per second, the share delivered, operations lost"""
    with bench.agent(exports=[export], cpu=cpu) as agent:
        pid, begin = agent.process.pid, time.monotonic()
        before = cpu_seconds(pid)
        load()
        seconds = time.monotonic() - begin
        time.sleep(LAST_SPANS_SECONDS)
        used = cpu_seconds(pid) - before
    totals = agent.totals()
    made = totals["spans"]
    delivered = int(re.search(r"spans offered, delivered (\d+)", agent.errors())[1])
    return used * 1e6 / made, made / seconds, delivered / made, totals["operations_ring_full"]


def spans(bench):
    """The agent's CPU per span"""
    seconds, rows = bench.seconds(SECONDS), []
    with Nginx(bench).running() as nginx, sink(bench) as otlp:
        paced = {f"nginx, {rate} requests/s": functools.partial(nginx.offer, rate, seconds)
                 for rate in RATES}
        runs = [(name, load, export, None) for name, load in paced.items()
                for export in ("none", otlp)]
        runs.append(("nginx at saturation", lambda: nginx.saturate(seconds), "none", None))
        runs.append(("one connection, no pause", lambda: run_on(
            LOAD_CPU, bench.tool("bench_socket"), "http", 200, seconds), "none", OTHER_CPU))
        for name, load, export, cpu in runs:
            us, rate, delivered, lost = measure_spans(bench, load, export, cpu)
            what = export.partition(":")[0]
            rows.append((name, what, f"{rate:.0f}", f"{us:.2f}", f"{100 * delivered:.1f}", lost))
            bench.budget(f"agent's CPU per span, {name}, {what}", f"{SPAN_US} µs",
                         f"{us:.2f} µs at {rate:.0f} spans/s", us <= SPAN_US)
    table(("load", "export", "spans/s", "µs CPU per span", "% delivered", "ring full"), rows)


# ---- replay --------------------------------------------------------------------------------------

def recording(bench):
    """A recording of nginx under load, made once a run."""
    path = bench.directory / "recording.ftr"
    if path.exists():
        return path
    with Nginx(bench).running() as nginx, bench.agent("--record", str(path)) as agent:
        nginx.offer(RECORDING_RATE, bench.seconds(RECORDING_SECONDS))
        time.sleep(LAST_SPANS_SECONDS)
    lost = agent.totals()["operations_ring_full"]
    say(f"  recorded {agent.totals()['operations']} operations, {lost} missing in the recording, "
        f"{path.stat().st_size / 1e6:.0f} MB")
    return path


def replay_command(path):
    return ["taskset", "-c", str(OTHER_CPU), e2e.AGENT, "replay", str(path), "--export", "none"]


def replay_once(path):
    """operations, spans, seconds of wall time and of CPU"""
    begin = time.monotonic()
    process = subprocess.Popen(replay_command(path), stderr=subprocess.PIPE, text=True,
                               preexec_fn=e2e.die_with_parent)
    text = process.stderr.read()
    usage = os.wait4(process.pid, 0)[2]
    totals = e2e.parse_counters(text)
    return (totals["operations"], totals["spans"], time.monotonic() - begin,
            usage.ru_utime + usage.ru_stime)


def replay(bench):
    """The core on one CPU: a recording, replayed"""
    path = recording(bench)
    runs = [replay_once(path) for _ in range(bench.rounds(REPLAYS))]
    n_operations, n_spans = runs[0][:2]
    wall, cpu = (statistics.median(column) for column in list(zip(*runs))[2:])
    table(("recorded operations", "spans", "wall s", "CPU s", "operations per CPU s",
           "µs CPU per span"),
          [(n_operations, n_spans, f"{wall:.2f}", f"{cpu:.2f}", f"{n_operations / cpu:.0f}",
            f"{cpu * 1e6 / n_spans:.2f}")])
    bench.budget("core, events per second on one core", "1,000,000",
                 f"{n_operations / cpu:,.0f}", n_operations / cpu >= EVENTS_PER_S)


# ---- profile -------------------------------------------------------------------------------------

def rooms_by_symbol(build):
    """function -> the rooms that define one of that name"""
    rooms = collections.defaultdict(set)
    archives = {a: a.parent.name for a in build.glob("agent/**/lib*.a")}
    archives |= {a: "exporters" for a in build.glob("exporters/**/lib*.a")}
    archives |= {a: "otlp" for a in build.glob("proto/**/lib*.a")}
    archives |= {o: "main" for o in build.glob("agent/flowtrace-agent.p/*.o")}
    for archive, room in archives.items():
        text = subprocess.run([need("nm", "binutils"), archive], capture_output=True, text=True,
                              check=True).stdout
        for symbol in re.findall(r" [tTwW] (\S+)$", text, re.MULTILINE):
            rooms[symbol].add(room)
    return rooms


def place_of(dso, symbol, rooms):
    if "flowtrace-agent" in dso:
        named = rooms.get(symbol, set())
        return named.copy().pop() if len(named) == 1 else "several rooms" if named else "other"
    if dso.startswith("[") or symbol.startswith("[k]"):
        return "kernel"
    return re.sub(r"\.so.*", "", dso)


def profile(bench):
    """Where the time goes: the replay, by room"""
    perf, path = need("perf", "linux-perf"), recording(bench)
    n_spans, cpu = replay_once(path)[1::2]
    data = bench.directory / "perf.data"
    subprocess.run([perf, "record", "-q", "-e", "cpu-clock", "-F", str(PERF_HZ), "-o", data, "--",
                    *replay_command(path)], check=True, capture_output=True,
                   preexec_fn=e2e.die_with_parent)
    text = subprocess.run([perf, "report", "-i", data, "--stdio", "--no-children", "-t", "|",
                           "-F", "sample,dso,symbol"], check=True, capture_output=True,
                          text=True).stdout
    rooms, places, symbols = rooms_by_symbol(bench.build), collections.Counter(), {}
    for samples, dso, mode, symbol in re.findall(
            r"^\s*(\d+)\s*\|\s*(\S+)\s*\|\s*\[(.)\] (.*?)\s*$", text, re.MULTILINE):
        place = "kernel" if mode == "k" else place_of(dso, symbol, rooms)
        places[place] += int(samples)
        symbols.setdefault(place, []).append((int(samples), symbol))
    if not places:
        raise Skip("perf took no samples")
    total = sum(places.values())
    rows = [(place, f"{100 * n / total:.1f}", f"{cpu * 1e9 / n_spans * n / total:.0f}",
             ", ".join(f"{s} {100 * k / total:.1f}" for k, s in sorted(symbols[place])[:-4:-1]))
            for place, n in places.most_common()]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for place, percent, ns, most in [("room", "%", "ns/span", "most of it"), *rows]:
        say(f"  {place:<{widths[0]}}  {percent:>5}  {ns:>7}  {most}")
    say(f"  {total} samples; ns are shares of the replay's {cpu * 1e6 / n_spans:.2f} µs per span")


# ---- parser and encoder --------------------------------------------------------------------------

def parser(bench):
    """The parser of message heads"""
    text = run_on(LOAD_CPU, bench.tool("bench_parser"))
    say("  " + text.strip().replace("\n", "\n  "))
    slowest = min(float(line.split()[-1]) for line in text.splitlines()[1:])
    bench.budget("parser, message heads", f"{PARSE_GB_S} GB/s", f"{slowest:.2f} GB/s at least",
                 slowest >= PARSE_GB_S)
    text = run_on(LOAD_CPU, bench.tool("bench_http2"))
    say("  " + text.strip().replace("\n", "\n  "))
    slowest = min(int(line.split()[-2]) for line in text.splitlines()[1:])
    bench.budget("parser, compressed header fields", f"{FIELDS_PER_S:,}/s",
                 f"{slowest:,}/s at least", slowest >= FIELDS_PER_S)


def stores(bench):
    """The parsers of stores and of DNS, and SQL masked and summarized"""
    text = run_on(LOAD_CPU, bench.tool("bench_stores"))
    say("  " + text.strip().replace("\n", "\n  "))
    rows = [(line[:11].strip(), *line[34:].split()) for line in text.splitlines()[1:]]
    parsed = [float(gb_s) for name, size, _, _, gb_s in rows if name != "sql" and int(size) >= 64]
    masked = next(float(row[-1]) for row in rows if row[0] == "sql")
    bench.budget("parsers of stores and DNS, from 64 bytes on", f"{PARSE_GB_S} GB/s",
                 f"{min(parsed):.2f} GB/s at least", min(parsed) >= PARSE_GB_S)
    bench.budget("SQL masked", f"{MASK_GB_S} GB/s", f"{masked:.2f} GB/s", masked >= MASK_GB_S)


def encoder(bench):
    """The encoder of spans"""
    text = run_on(LOAD_CPU, bench.tool("bench_otlp"))
    say("  " + text.strip().replace("\n", "\n  "))
    ns = float(re.search(r"^span.*?([\d.]+) +\d+$", text, re.MULTILINE)[1])
    bench.budget("encoder, a span of 15 attributes", f"{ENCODE_NS} ns", f"{ns:.0f} ns",
                 ns <= ENCODE_NS)


# ---- memory --------------------------------------------------------------------------------------

def map_bytes(pid):
    """All of the agent's BPF maps; and besides what each socket carries"""
    maps = descriptors(pid, "map_id").values()
    return (sum(int(m["memlock"]) for m in maps),
            sum(int(m["value_size"]) for m in maps if m["map_type"] == SK_STORAGE))


@contextlib.contextmanager
def idle_connections(bench):
    """CONNECTIONS open and used ones, in parts: a process may have few descriptors."""
    parts = [e2e.Program(bench.directory, f"idle{i}", [bench.tool("bench_socket"), "idle",
                                                       CONNECTIONS // PARTS, IDLE_SECONDS])
             for i in range(PARTS)]

    def opened():
        for part in parts:
            if not part.running():
                raise RuntimeError(f"bench_socket ended: {part.errors()}")
        return all("open" in part.out.read_text() for part in parts)
    try:
        e2e.wait_until(opened, "open connections", 60)
        time.sleep(1)
        yield
    finally:
        for part in parts:
            part.stop()


def memory(bench):
    """Memory with 10,000 open connections, both ends here"""
    rows = []
    with sink(bench) as otlp:
        for export in ("none", otlp):
            what = export.partition(":")[0]
            with bench.agent(exports=[export]) as agent:
                before = resident_kib(agent.process.pid)
                with idle_connections(bench):
                    after = resident_kib(agent.process.pid)
                    shared = mapped_kib(agent.process.pid, "bpf-map")
                    maps, per_socket = map_bytes(agent.process.pid)
            sockets = 2 * CONNECTIONS * per_socket
            rows.append((what, f"{before / 1000:.1f}", f"{after / 1000:.1f}",
                         f"{shared / 1000:.1f}", agent.totals()["connections"],
                         f"{maps / MIB:.1f}", f"{sockets / MIB:.1f}"))
            bench.budget(f"resident at 10,000 connections, {what}", f"{RESIDENT_MB} MB",
                         f"{after / 1000:.1f} MB", after / 1000 <= RESIDENT_MB)
    table(("export", "MB at start", "MB with connections", "of these BPF maps", "connections",
           "BPF maps MiB", "socket storage MiB"), rows)
    say("  both ends are here, so each connection counts twice; so does each page of the ring")
    bench.budget("BPF maps and socket storage", f"{MAPS_MIB} MiB",
                 f"{(maps + sockets) / MIB:.1f} MiB", (maps + sockets) / MIB <= MAPS_MIB)
