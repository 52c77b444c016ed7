# SPDX-License-Identifier: Apache-2.0
"""What exporting costs: CPU per span delivered, beside the OpenTelemetry SDK for Go sending the same
spans to the same sink; and how much memory an agent with its exporters takes."""
import contextlib
import statistics
import subprocess
import sys
import time

from flowtrace_bench import HERE, Skip, e2e, mapped_kib, resident_kib, say, table
from kafka_e2e import Kafka

BATCHES, ROUNDS = 400, 7
DELIVERY_NS, RESIDENT_MB = 800, 22
WATCHED_S, SAMPLE_S, RATE = 40, 0.1, 200  # past the half minute after which memory is given back
CONNECTED_S = 2  # by then the agent has given back what making its connections needed
MIB = 1 << 20
KIB_PER_MB = 1000 / 1.024


@contextlib.contextmanager
def sink(bench, script):
    """The address of a local receiver that takes everything."""
    port = e2e.free_port()
    program = e2e.Program(bench.directory, script, [sys.executable, HERE / script, port])
    try:
        program.wait_port(port)
        yield f"127.0.0.1:{port}"
    finally:
        program.stop()


def go_exporter():
    got = subprocess.run([e2e.ROOT / "scripts" / "get-go-exporter"], capture_output=True, text=True,
                         check=False)
    if got.returncode:
        raise Skip(f"no Go exporter to compare with: {got.stderr.strip()}")
    return got.stdout.splitlines()[-1]


def nanoseconds(*command):
    return int(subprocess.run([str(c) for c in command], capture_output=True, text=True,
                              check=True).stdout)


def delivery(bench):
    """CPU per span delivered, 512 to a batch, beside the OpenTelemetry SDK for Go"""
    go, tool = go_exporter(), bench.tool("bench_delivery")
    batches = BATCHES // 4 if bench.quick else BATCHES
    with contextlib.ExitStack() as stack:
        grpc = stack.enter_context(sink(bench, "otlp_sink.py"))
        http = stack.enter_context(sink(bench, "http_sink.py"))
        kafka = Kafka(bench.directory)
        stack.callback(kafka.stop)
        commands = {
            "otlp": (tool, f"otlp:http://{grpc}", batches),
            "Go SDK, gRPC": (go, "grpc", grpc, batches),
            "otlp_http": (tool, f"otlp_http:http://{http}", batches),
            "Go SDK, HTTP": (go, "http", http, batches),
            "otlp, gzip": (tool, f"otlp:http://{grpc};compression=gzip", batches // 4),
            "otlp_http, gzip": (tool, f"otlp_http:http://{http};compression=gzip", batches // 4),
            "kafka": (tool, f"kafka:{kafka.brokers()}", batches),
        }
        found = {name: [] for name in commands}
        for _ in range(bench.rounds(ROUNDS)):
            for name, command in commands.items():
                found[name].append(nanoseconds(*command))
    medians = {name: statistics.median(figures) for name, figures in found.items()}
    table(("exporter", "ns CPU per span", "least", "most"),
          [(name, f"{medians[name]:.0f}", min(f), max(f)) for name, f in found.items()])
    say("  (flowtrace's spans are encoded before, see encoder; the SDK's figures hold its encoding)")
    for name in ("otlp", "otlp_http", "kafka"):
        bench.budget(f"delivery, CPU per span, {name}", f"{DELIVERY_NS} ns",
                     f"{medians[name]:.0f} ns", medians[name] <= DELIVERY_NS)


def watch_resident(agent, seconds):
    """MB: the most while connections are made, the most afterwards, and at the end."""
    begin, connecting, later = time.monotonic(), [], []
    while (passed := time.monotonic() - begin) < seconds:
        now = resident_kib(agent.process.pid) / KIB_PER_MB
        (connecting if passed < CONNECTED_S else later).append(now)
        time.sleep(SAMPLE_S)
    return max(connecting), max(later), later[-1]


def exporting(bench):
    """Memory of an agent that exports by gRPC and to Kafka"""
    with contextlib.ExitStack() as stack:
        flow = e2e.Flow(bench.directory)
        stack.callback(flow.stop)
        grpc = stack.enter_context(sink(bench, "otlp_sink.py"))
        kafka = Kafka(bench.directory)
        stack.callback(kafka.stop)
        rows = []
        exports = {"none": ["none"], "otlp": [f"otlp:http://{grpc}"],
                   "kafka": [f"kafka:{kafka.brokers()}"]}
        exports["otlp and kafka"] = exports["otlp"] + exports["kafka"]
        for name, targets in exports.items():
            with bench.agent(*flow.selection, exports=targets) as agent:
                shopper = e2e.start_shopper(bench.directory, flow.port, "--requests",
                                            RATE * WATCHED_S, "--rate", RATE)
                found = watch_resident(agent, WATCHED_S)
                maps = mapped_kib(agent.process.pid, "bpf-map") / KIB_PER_MB
                shopper.wait()
            rows.append((name, *(f"{mb:.1f}" for mb in (*found, maps))))
    table(("exporters", f"most MB, first {CONNECTED_S} s", "most, later", "at the end",
           "of it BPF maps"), rows)
    bench.budget("resident with gRPC and Kafka, once connected", f"{RESIDENT_MB} MB",
                 f"{rows[-1][2]} MB", float(rows[-1][2]) <= RESIDENT_MB)
