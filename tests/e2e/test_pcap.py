#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What passes as packets is told as the kernel's hooks tell it: the same spans with the same ids,
from a file, a pipe or an interface, whatever order the packets come in; tshark is the second
opinion on what was asked and answered."""
import json
import random
import struct
import subprocess
import time

import flowtrace_e2e as e2e

# What only somebody on the host can know, and what only a capture lacks.
OF_THE_PROCESS = {"flowtrace.parent.evidence", "flowtrace.peer.span_id"}


def read_pcap(path):
    """The file's head, and its packets as (head, bytes)."""
    content = path.read_bytes()
    packets, offset = [], 24
    while offset < len(content):
        captured = struct.unpack_from("<I", content, offset + 8)[0]
        packets.append(content[offset:offset + 16 + captured])
        offset += 16 + captured
    return content[:24], packets


def write_pcap(path, head, packets):
    path.write_bytes(head + b"".join(packets))
    return path


def is_syn(packet):
    """Of an Ethernet frame with IPv4 and TCP, behind the file's own 16 bytes."""
    return packet[16 + 14 + 20 + 13] & 2


class Capture(e2e.Program):
    """tcpdump on the loopback interface, for these ports."""

    def __init__(self, directory, ports, *, name="capture"):
        self.path = directory / f"{name}.pcap"
        expression = " or ".join(f"tcp port {port}" for port in ports)
        super().__init__(directory, name, ["tcpdump", "-i", "lo", "-U", "-B", "8192", "-Z", "root",
                                           "--immediate-mode", "-w", self.path, expression])
        e2e.wait_until(lambda: "listening on" in self.errors(), "tcpdump listens")

    def stop(self, seconds=30):
        time.sleep(0.2)
        return super().stop(seconds)


def shape(span):
    """What a capture and the kernel must tell alike of a server's span."""
    attributes = {k: v for k, v in span.attributes.items() if k not in OF_THE_PROCESS}
    return (span.span_id, span.name, span.kind, span.error, json.dumps(attributes, sort_keys=True))


def play(directory, path, *arguments, command="pcap", stdin=None, name="played"):
    """Spans, counters, and what was said by an agent that plays a file."""
    out = directory / f"{name}.jsonl"
    out.unlink(missing_ok=True)
    done = subprocess.run([e2e.AGENT, command, str(path), "--export", f"file:{out}", *arguments],
                          stdin=stdin, capture_output=True, text=True, timeout=60, check=False)
    spans = e2e.read_spans(out) if out.exists() else []
    return spans, e2e.parse_counters(done.stderr), done


class SameAsTheKernel(e2e.Case):
    N = 200

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory, *flow.selection).wait_ready())
        capture = cls.keep(Capture(cls.directory, [flow.port, flow.orders_port, flow.stock_port]))
        shopper = cls.keep(e2e.start_shopper(cls.directory, flow.port, "--requests", cls.N,
                                             "--connections", "4", "--rate", "100"))
        shopper.wait()
        capture.stop()
        agent.stop()
        cls.truth = e2e.answers_of(shopper)
        cls.pcap = capture.path
        cls.kernel = sorted(shape(s) for s in agent.spans() if s.kind == e2e.KIND_SERVER)
        cls.spans, cls.counters, cls.done = play(cls.directory, cls.pcap)

    def test_every_exchange_is_one_span_of_the_server(self):
        self.assertEqual(len(self.truth), self.N)
        self.assertEqual({s.kind for s in self.spans}, {e2e.KIND_SERVER})
        for name in self.truth:
            self.assertEqual(sum(s.id == name for s in self.spans), 3, name)

    def test_the_spans_and_their_ids_are_those_of_the_kernels_hooks(self):
        self.assertEqual(sorted(map(shape, self.spans)), self.kernel)

    def test_every_packet_is_counted_once(self):
        _, packets = read_pcap(self.pcap)
        self.assertEqual(self.counters["packets"], len(packets))
        self.assertEqual(e2e.sum_of(self.counters, "Packets used"), len(packets))
        self.assertEqual(self.counters["operations"],
                         e2e.sum_of(self.counters, "Operations used"))

    def test_a_pipe_gives_the_same_bytes(self):
        play(self.directory, self.pcap, name="file")
        with open(self.pcap, "rb") as pipe:
            play(self.directory, "-", stdin=pipe, name="pipe")
        self.assertEqual((self.directory / "pipe.jsonl").read_bytes(),
                         (self.directory / "file.jsonl").read_bytes())

    def test_a_recording_of_the_capture_replays_to_the_same_bytes(self):
        recording = self.directory / "capture.ftr"
        play(self.directory, self.pcap, "--record", str(recording), name="recorded")
        play(self.directory, recording, command="replay", name="replayed")
        self.assertEqual((self.directory / "replayed.jsonl").read_bytes(),
                         (self.directory / "recorded.jsonl").read_bytes())

    def test_tshark_reads_the_same_requests_and_answers(self):
        fields = ["http.request.method", "http.request.uri", "http.response.code"]
        lines = subprocess.run(
            ["tshark", "-r", self.pcap, "-Y", "http", "-T", "fields",
             *[word for field in fields for word in ("-e", field)],
             *[word for port in self.flow.hops for word in ("-d", f"tcp.port=={port},http")]],
            capture_output=True, text=True, check=True).stdout.splitlines()
        asked = sorted(line.split("\t")[:2] for line in lines if line.split("\t")[0])
        answered = sorted(int(line.split("\t")[2]) for line in lines if line.split("\t")[2])
        self.assertEqual(asked, sorted([s.attributes["http.request.method"], s.path]
                                       for s in self.spans))
        self.assertEqual(answered, sorted(s.attributes["http.response.status_code"]
                                          for s in self.spans))

    def mutated(self, change, name):
        head, packets = read_pcap(self.pcap)
        path = write_pcap(self.directory / f"{name}.pcap", head, change(packets))
        return play(self.directory, path, name=name)

    def test_shuffled_and_doubled_packets_change_nothing(self):
        generator = random.Random(1)

        def change(packets):
            """Each packet up to four places from its own, one in five twice; SYNs first."""
            keyed = [(-1 if is_syn(p) else i + generator.uniform(0, 4), p)
                     for i, p in enumerate(packets)]
            keyed += [(i + generator.uniform(0, 8), p) for i, p in enumerate(packets)
                      if generator.random() < 0.2]
            return [p for _, p in sorted(keyed, key=lambda item: item[0])]
        spans, counters, _ = self.mutated(change, "shuffled")
        self.assertEqual({shape(s)[0] for s in spans}, {shape(s)[0] for s in self.spans})
        self.assertEqual(len(spans), len(self.spans))
        self.assertGreater(counters["packets_repeated"], 0)

    def test_lost_packets_lose_their_exchanges_and_no_others(self):
        generator = random.Random(2)
        spans, counters, _ = self.mutated(
            lambda packets: [p for p in packets if generator.random() > 0.05], "lossy")
        sound = {shape(s)[0]: s for s in self.spans}
        for span in spans:
            if "http.response.status_code" in span.attributes and span.span_id in sound:
                self.assertEqual(span.attributes["http.response.status_code"],
                                 sound[span.span_id].attributes["http.response.status_code"])
                self.assertEqual(span.path, sound[span.span_id].path)
        self.assertGreater(len(spans), len(self.spans) * 0.6)
        self.assertEqual(counters["operations"], e2e.sum_of(counters, "Operations used") +
                         e2e.sum_of(counters, "Operations lost"))

    def test_a_capture_that_begins_midway_still_gives_the_rest(self):
        spans, _, _ = self.mutated(lambda packets: packets[len(packets) // 2:], "midway")
        self.assertGreater(len(spans), len(self.spans) * 0.4)
        self.assertEqual({s.kind for s in spans}, {e2e.KIND_SERVER})
        self.assertEqual({s.attributes["server.port"] for s in spans},
                         {s.attributes["server.port"] for s in self.spans})

    def test_a_cut_file_is_played_up_to_the_cut(self):
        path = self.directory / "cut.pcap"
        path.write_bytes(self.pcap.read_bytes()[:-7])
        spans, _, done = play(self.directory, path, name="cut")
        self.assertGreater(len(spans), len(self.spans) - 3)
        self.assertIn("up to there", done.stderr)
        self.assertNotEqual(done.returncode, 0)


class Formats(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = e2e.free_port()
        cls.keep(e2e.Program(cls.directory, "stock", ["node", e2e.SAMPLE / "stock.js", cls.port])
                 ).wait_port(cls.port)
        capture = cls.keep(Capture(cls.directory, [cls.port]))
        for n in range(5):
            subprocess.run(["curl", "-s", "-o", "/dev/null", "-H", "Host: stock.example",
                            f"http://127.0.0.1:{cls.port}/stock/{n}"], check=True)
        capture.stop()
        cls.pcap = capture.path
        cls.spans, _, _ = play(cls.directory, cls.pcap)

    def test_the_service_has_the_name_that_its_clients_use(self):
        self.assertEqual([s.service for s in self.spans], ["stock.example"] * 5)

    def test_no_process_or_host_is_made_up(self):
        self.assertEqual(set(self.spans[0].resource), {
            "service.name", "telemetry.distro.name", "telemetry.distro.version"})

    def test_pcapng_and_nanoseconds_are_read(self):
        for kind in ("pcapng", "nsecpcap"):
            path = self.directory / f"converted.{kind}"
            subprocess.run(["editcap", "-F", kind, self.pcap, path], check=True)
            spans, _, _ = play(self.directory, path, name=kind)
            self.assertEqual([shape(s) for s in spans], [shape(s) for s in self.spans], kind)

    def test_short_snapshots_are_gaps_but_lengths_hold(self):
        path = self.directory / "short.pcap"
        subprocess.run(["editcap", "-s", "200", self.pcap, path], check=True)
        spans, _, _ = play(self.directory, path, name="short")
        self.assertEqual([s.span_id for s in spans], [s.span_id for s in self.spans])

    def test_what_is_no_capture_is_refused_in_one_line(self):
        for path, words in ((e2e.SAMPLE / "stock.js", "capture"), ("/nonexistent", "No such file")):
            _, _, done = play(self.directory, path, name="refused")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)


class Interface(e2e.Case):
    N = 100

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = e2e.free_port()
        cls.keep(e2e.Program(cls.directory, "stock", ["node", e2e.SAMPLE / "stock.js", cls.port])
                 ).wait_port(cls.port)
        agent = cls.keep(e2e.Agent(cls.directory, "--source", "pcap:lo", "--set",
                                   f"select.ports={cls.port}").wait_ready())
        shopper = cls.keep(e2e.start_shopper(cls.directory, cls.port, "--path", "/stock/",
                                             "--requests", cls.N, "--connections", "4"))
        shopper.wait()
        time.sleep(0.5)
        cls.metrics = agent.counters()
        cls.status = agent.stop()
        cls.truth = e2e.answers_of(shopper)
        cls.spans, cls.totals = agent.spans(), agent.totals()

    def test_every_request_is_one_span(self):
        self.assertEqual(sorted(s.id for s in self.spans), sorted(self.truth))
        self.assertEqual(self.status, 0)

    def test_the_agents_own_connections_are_left_alone(self):
        self.assertGreater(self.totals["packets_own"], 0)  # the metrics were asked for

    def test_a_missing_interface_is_named(self):
        done = subprocess.run([e2e.AGENT, "run", "--source", "pcap:nope0"], capture_output=True,
                              text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nope0", done.stderr)


if __name__ == "__main__":
    e2e.main()
