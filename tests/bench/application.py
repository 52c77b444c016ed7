# SPDX-License-Identifier: Apache-2.0
"""What an application notices: nginx at saturation and at half of it; whether every request gives
its two spans."""
import contextlib
import re
import shutil
import statistics
import time

from flowtrace_bench import COMPARISON_HEADER, alternate, e2e, losses, need, run, say, table
from nginx import CONNECTIONS, Nginx

ROUNDS, SECONDS, TOP_SECONDS = 9, 4, 1
REDIS_COMMANDS = 1_000_000
NEW_PROGRAMS, NEW_BUDGET_MS = 20, 100
P99_RATIO, TLS_P99_RATIO, THROUGHPUT_RATIO = 1.05, 1.10, 0.99


class Completeness:
    """Requests by the client's own count against spans; only the application's port is traced, so
    both are exact."""

    def __init__(self):
        self.requests = self.spans = self.servers = 0
        self.lost = {}
        self.last = 0  # requests since begin()

    def begin(self):
        self.last = 0

    def count(self, agent):
        totals = agent.totals()
        self.requests += self.last
        self.spans += totals["spans"]
        self.servers += totals["parents_wire"]
        for name, n in losses(totals).items():
            self.lost[name] = self.lost.get(name, 0) + n

    @property
    def whole(self):
        return self.spans == 2 * self.requests and self.servers == self.requests

    def __str__(self):
        lost = ", ".join(f"{k} {v}" for k, v in sorted(self.lost.items())) or "nothing"
        return (f"{self.requests} requests gave {self.spans} spans "
                f"({100 * self.spans / (2 * self.requests):.3f} %), {self.servers} SERVER spans "
                f"below their CLIENT; lost: {lost}")


@contextlib.contextmanager
def redis_server(bench):
    port = e2e.free_port()
    server = e2e.Program(bench.directory, "redis", [
        need("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "",
        "--appendonly", "no", "--dir", bench.directory])
    try:
        server.wait_port(port)
        yield port
    finally:
        server.stop()


def redis(bench):
    """Redis, pipelined: redis-benchmark with 16 commands at a time over 50 connections"""
    complete = Completeness()
    with redis_server(bench) as port:
        def measure():
            n = int(REDIS_COMMANDS / (20 if bench.quick else 1))
            said = run(need("redis-benchmark", "redis-tools"), "-p", port, "-P", 16, "-n", n, "-t",
                       "get", "--csv")
            complete.last += n
            return float(said.splitlines()[-1].split(",")[1].strip('"'))
        result = alternate(bench, bench.rounds(ROUNDS), {"rate": measure}, "--set",
                           f"select.ports={port}", before=complete.begin,
                           after=complete.count)["rate"]
    table(COMPARISON_HEADER, [result.row("commands/s")])
    say(f"  {complete}")
    bench.budget("Redis pipelined at saturation, throughput", "reported",
                 f"{100 * (result.ratio - 1):+.1f} %")


def saturation(bench):
    """nginx at saturation, wrk with 64 connections, two CPUs for all"""
    saturate(bench, "nginx", tls=False)


def tls_saturation(bench):
    """nginx with TLS at saturation, wrk with 64 connections, two CPUs for all"""
    saturate(bench, "nginx with TLS", tls=True)


def saturate(bench, name, tls):
    complete = Completeness()
    with Nginx(bench, tls).running() as nginx:
        def measure():
            rate, requests = nginx.saturate(bench.seconds(SECONDS))
            complete.last += requests
            return rate
        result = alternate(bench, bench.rounds(ROUNDS), {"rate": measure}, "--set",
                           f"select.ports={nginx.port}", before=complete.begin,
                           after=complete.count)["rate"]
    table(COMPARISON_HEADER, [result.row("requests/s")])
    say(f"  {complete}")
    say("  (wrk does not count the requests that are under way when it ends, up to 64 a round)")
    bench.budget(f"{name} at saturation, throughput", "reported",
                 f"{100 * (result.ratio - 1):+.1f} %")


def half(bench):
    """nginx at half of its untraced saturation: throughput, latency, completeness"""
    offer_half(bench, "nginx", tls=False, p99_ratio=P99_RATIO)


def tls_half(bench):
    """nginx with TLS at half of its untraced saturation: throughput, latency, completeness"""
    offer_half(bench, "nginx with TLS", tls=True, p99_ratio=TLS_P99_RATIO)


def offer_half(bench, name, tls, p99_ratio):
    complete, said, offered = Completeness(), {}, []
    with Nginx(bench, tls).running() as nginx:
        def find_half():
            offered.append(nginx.saturate(TOP_SECONDS)[0] / 2)

        def offer():
            said.update(nginx.offer(offered[-1], bench.seconds(SECONDS)))
            complete.last += int(said["received"])
            return said["received"] / said["seconds"]
        results = alternate(bench, bench.rounds(ROUNDS), {
            "requests/s": offer,
            "p50 µs": lambda: said["p50_us"],
            "p99 µs": lambda: said["p99_us"],
        }, "--set", f"select.ports={nginx.port}", start=find_half, before=complete.begin,
            after=complete.count)
    say(f"  offered, by round: {' '.join(f'{rate:.0f}' for rate in offered)} requests/s "
        f"over {CONNECTIONS} connections")
    table(COMPARISON_HEADER, [result.row(name) for name, result in results.items()])
    say(f"  {complete}")
    rate, p99 = results["requests/s"], results["p99 µs"]
    bench.budget(f"{name} at half, throughput", "same", f"{100 * (rate.ratio - 1):+.1f} %",
                 rate.ratio >= THROUGHPUT_RATIO)
    bench.budget(f"{name} at half, p99", f"{100 * (p99_ratio - 1):+.0f} %",
                 f"{100 * (p99.ratio - 1):+.1f} %", p99.ratio <= p99_ratio)
    bench.budget(f"{name}, completeness at {min(offered):.0f} to {max(offered):.0f} requests/s",
                 "every request 2 spans", f"{complete.spans} of {2 * complete.requests}",
                 complete.whole)


def tls_new(bench):
    """a program with a TLS library that nobody ran before: exec to the first request that is seen"""
    tool, firsts = bench.tool("tls_client"), []
    library = re.search(r"libssl\S* => (\S+)", run("ldd", tool))[1]
    with Nginx(bench, tls=True).running() as nginx:
        with bench.agent("--set", f"select.ports={nginx.port}",
                         exports=("file:" + str(bench.directory / "new.jsonl"),)):
            for i in range(bench.rounds(NEW_PROGRAMS)):
                home = bench.directory / f"new-{i}"
                home.mkdir()
                shutil.copy(library, home)
                run("env", f"LD_LIBRARY_PATH={home}", tool, nginx.port, f"new-{i}",
                    time.clock_gettime_ns(time.CLOCK_BOOTTIME))
            time.sleep(1)
        seen = {}
        for span in e2e.read_spans(bench.directory / "new.jsonl"):
            if span.kind == e2e.KIND_CLIENT:
                name, at = span.path.strip("/").split("/")
                seen.setdefault(name, []).append(int(at) / 100)
        firsts = sorted(min(times) for times in seen.values())
    say(f"  from the start of the program to the first request seen, in ms: median "
        f"{statistics.median(firsts):.1f}, {firsts[0]:.1f} to {firsts[-1]:.1f}, "
        f"{len(firsts)} of {bench.rounds(NEW_PROGRAMS)} programs")
    bench.budget("new program with TLS, until it is seen", f"{NEW_BUDGET_MS} ms",
                 f"{firsts[-1]:.0f} ms", firsts[-1] <= NEW_BUDGET_MS and
                 len(firsts) == bench.rounds(NEW_PROGRAMS))
