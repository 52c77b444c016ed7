#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""DNS: one span at both ends for every question that dnspython, dig, glibc and Go ask named and
dnsmasq, over UDP and TCP, at several concurrencies; tshark agrees on names, codes and times."""
import collections
import json
import math
import os
import pathlib
import shutil
import subprocess
import time

import dns_e2e as dns
import flowtrace_e2e as e2e
import stores_e2e as stores

TYPES = {"A": 1, "AAAA": 28, "SRV": 33, "MX": 15, "TXT": 16, "CNAME": 5}
CODES = {"NOERROR": 0, "SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}


# What only somebody on the host can know, and what only a capture lacks.
OF_THE_PROCESS = {"flowtrace.parent.evidence", "flowtrace.peer.span_id"}


def shape_without_id(span):
    attributes = {k: v for k, v in span.attributes.items() if k not in OF_THE_PROCESS}
    return span.name, span.kind, span.error, json.dumps(attributes, sort_keys=True)


def shape(span):
    return span.span_id, *shape_without_id(span)


class Counted(e2e.Case):
    RUNS = [(1, 64, "udp"), (16, 16, "udp"), (64, 16, "udp"), (1, 16, "tcp"), (16, 8, "tcp"),
            (64, 8, "tcp")]  # workers, questions of each, how

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        port = e2e.free_port()
        # named receives by recvmmsg, whose first call is only certain where its beginning was seen.
        cls.recording = cls.directory / "recording.ftr"
        agent = cls.keep(e2e.Agent(cls.directory, "--set", f"select.ports={port}", "--record",
                                   cls.recording).wait_ready())
        server = cls.keep(dns.Named(cls.directory, port))
        cls.capture = cls.keep(dns.Capture(cls.directory, port))
        cls.truth = collections.Counter()
        for workers, n, how in cls.RUNS:
            cls.truth += dns.ask(server.port, n, workers, how)
        time.sleep(1)
        agent.stop()
        cls.capture.stop()
        cls.totals = agent.totals()
        cls.spans = agent.spans()
        cls.asked = dns.of_dns(agent.spans(), e2e.KIND_CLIENT)
        cls.served = dns.of_dns(agent.spans(), e2e.KIND_SERVER)

    def test_every_question_is_one_span_at_each_end(self):
        self.assertEqual(sum(self.truth.values()), sum(w * n for w, n, _ in self.RUNS))
        self.assertEqual({code for _, _, code in self.truth}, set(CODES))
        self.assertEqual(dns.counts_of(self.asked), self.truth)
        self.assertEqual(dns.counts_of(self.served), self.truth)

    def test_the_ends_of_tcp_are_joined(self):
        clients = {s.span_id for s in self.asked if s.attributes["network.transport"] == "tcp"}
        servers = [s for s in self.served if s.attributes["network.transport"] == "tcp"]
        self.assertEqual(len(servers), sum(w * n for w, n, how in self.RUNS if how == "tcp"))
        self.assertEqual({s.parent_id for s in servers}, clients)

    def test_span_ids_are_unlike_each_other(self):
        ids = [s.span_id for s in self.asked + self.served]
        self.assertEqual(len(set(ids)), len(ids))

    def test_addresses_and_records_are_told(self):
        for span in self.asked:
            name, kind, code = dns.said(span)
            answers = sorted(span.attributes.get("dns.answers", []))
            records = span.attributes.get("flowtrace.dns.records", [])
            if (name, kind) in (("web.shop.test", "A"), ("www.shop.test", "A")):
                self.assertEqual(answers, ["192.0.2.1", "192.0.2.2"])
                self.assertEqual(records, ["CNAME web.shop.test"] * name.startswith("www"))
            elif kind == "AAAA":
                self.assertEqual(answers, ["2001:db8::1"])
            elif kind == "SRV":
                self.assertEqual(records, ["SRV 5 10 8080 web.shop.test"])
            elif kind == "MX":
                self.assertEqual(records, ["MX 10 mail.shop.test"])
            else:
                self.assertEqual((answers, records, span.error), ([], [], True), code)

    def test_nothing_of_it_is_lost(self):
        for name in ("operations_gap", "streams_gaps", "operations_unparsed",
                     "operations_unknown_protocol", "connections_desynchronized",
                     "responses_unpaired", "exchanges_unfinished"):
            self.assertEqual(self.totals[name], 0, name)

    def test_tshark_reads_the_same_names_types_and_codes(self):
        read = collections.Counter(answer[:3] for answer in self.capture.answers())
        self.assertEqual(read, collections.Counter({
            (name, TYPES[kind], CODES[code]): n for (name, kind, code), n in self.truth.items()}))

    def play(self, command, path):
        out = self.directory / f"{command}.jsonl"
        out.unlink(missing_ok=True)
        stores.run(e2e.AGENT, command, path, "--export", f"file:{out}")
        return e2e.read_spans(out)

    def test_a_replay_gives_the_same_spans_and_ids(self):
        played = self.play("replay", self.recording)
        self.assertEqual(sorted(map(shape, played)), sorted(map(shape, self.spans)))

    def test_a_capture_gives_the_same_spans_of_the_server_and_of_tcp_the_same_ids(self):
        played = self.play("pcap", self.capture.file)
        self.assertEqual(sorted(map(shape_without_id, played)),
                         sorted(map(shape_without_id, self.served)))
        ids = [{s.span_id for s in spans if s.attributes["network.transport"] == "tcp"}
               for spans in (played, self.served)]
        self.assertEqual(*ids)

    def test_of_the_capture_tshark_has_the_same_response_times(self):
        spans = self.play("pcap", self.capture.file)
        self.assertEqual(dns.counts_of(spans), self.truth)
        ours, theirs = collections.defaultdict(list), collections.defaultdict(list)
        for span in spans:
            ours[dns.said(span)[0], TYPES[dns.said(span)[1]]].append((span.end - span.start) / 1e9)
        for name, kind, _, seconds in self.capture.answers():
            self.assertFalse(math.isnan(seconds), f"tshark has no question for {name}")
            theirs[name, kind].append(seconds)
        self.assertEqual(ours.keys(), theirs.keys())
        for key, times in ours.items():
            for mine, other in zip(sorted(times), sorted(theirs[key]), strict=True):
                self.assertAlmostEqual(mine, other, delta=1.5e-6, msg=str(key))


class Programs(e2e.Case):
    """dig, and Go's resolver, through dnsmasq to named: three ends that are traced."""

    N = 200

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ports = e2e.free_ports(2)
        agent = cls.keep(e2e.Agent(
            cls.directory, "--set", "select.ports={},{}".format(*cls.ports)).wait_ready())
        named = cls.keep(dns.Named(cls.directory, cls.ports[1]))
        masq = cls.keep(dns.Dnsmasq(cls.directory, named.port, port=cls.ports[0]))
        go = cls.directory / "ask"
        stores.run("go", "build", "-o", go, e2e.ROOT / "tests/e2e/peers/ask.go",
                   env={**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"})
        cls.found = sum(int(stores.run(go, f"127.0.0.1:{masq.port}", f"w{w}.many.shop.test.", cls.N, w))
                        for w in (1, 16, 64))
        for arguments in (["big.shop.test", "TXT", "+bufsize=512", "+ignore"],
                          ["big.shop.test", "TXT", "+bufsize=512"],
                          ["note.shop.test", "TXT", "+dnssec", "+nocookie"],
                          ["version.bind", "CH", "TXT"], ["web.shop.test", "TYPE65280"],
                          ["web.shop.test", "+edns=9", "+noednsneg"]):
            dns.dig(named.port, *arguments)
        dns.dig(named.port, "+tcp", "+keepopen", "web.shop.test", "A", "www.shop.test", "A")
        dns.dig(named.port, "shop.test", "AXFR")
        time.sleep(1)
        agent.stop()
        cls.totals, cls.text = agent.totals(), agent.spans_path.read_text()
        cls.spans = agent.spans()

    def by(self, service, kind, port):
        return [s for s in dns.of_dns(self.spans, kind)
                if s.service == service and s.attributes["server.port"] == port]

    def test_every_look_up_of_go_is_two_spans_at_every_end(self):
        """... of its own; dnsmasq asks for what it is asked, and named answers. All names differ."""
        self.assertEqual(self.found, 3 * self.N)
        masq, named = self.ports
        expected = collections.Counter((f"{i}.w{w}.many.shop.test", kind, "NOERROR")
                                       for w in (1, 16, 64) for i in range(1, self.N + 1)
                                       for kind in ("A", "AAAA"))
        for service, kind, port in (("ask", e2e.KIND_CLIENT, masq),
                                    ("dnsmasq", e2e.KIND_SERVER, masq),
                                    ("dnsmasq", e2e.KIND_CLIENT, named),
                                    ("named", e2e.KIND_SERVER, named)):
            found = [s for s in self.by(service, kind, port) if "many" in dns.said(s)[0]]
            self.assertEqual(dns.counts_of(found), expected, (service, kind))

    def of_dig(self, name, kind):
        return [s for s in self.by("dig", e2e.KIND_CLIENT, self.ports[1])
                if dns.said(s)[:2] == (name, kind)]

    def test_a_truncated_answer_is_asked_again_over_tcp(self):
        spans = sorted(self.of_dig("big.shop.test", "TXT"), key=lambda s: s.start)
        self.assertEqual([s.attributes["network.transport"] for s in spans], ["udp", "udp", "tcp"])
        self.assertEqual([s.attributes.get("flowtrace.dns.truncated") for s in spans],
                         [True, True, None])
        self.assertEqual(spans[2].attributes["flowtrace.dns.answer.count"], 10)

    def test_edns_classes_types_and_extended_codes_are_told(self):
        note, = self.of_dig("note.shop.test", "TXT")
        self.assertTrue(note.attributes["flowtrace.dns.edns.dnssec_ok"])
        self.assertEqual(note.attributes["flowtrace.dns.edns.udp_size"], 1232)
        version, = self.of_dig("version.bind", "TXT")
        self.assertEqual(version.attributes["flowtrace.dns.question.class"], "CH")
        odd, = self.of_dig("web.shop.test", "TYPE65280")
        self.assertEqual(odd.name, "QUERY TYPE65280")
        self.assertIn("BADVERS", [dns.said(s)[2] for s in self.of_dig("web.shop.test", "A")])

    def test_several_questions_on_a_connection_are_several_spans(self):
        self.assertEqual(len([s for s in self.of_dig("www.shop.test", "A")
                              if s.attributes["network.transport"] == "tcp"]), 1)

    def test_a_zone_transfer_is_one_span(self):
        span, = self.of_dig("shop.test", "AXFR")
        self.assertEqual(dns.said(span)[2], "NOERROR")

    def test_what_texts_hold_does_not_leave_the_agent(self):
        self.assertNotIn("secret", self.text)

    def test_nothing_is_unpaired(self):
        self.assertEqual(self.totals["responses_unpaired"], 0)
        self.assertEqual(self.totals["operations_unparsed"], 0)


class Namespace:
    """With a loopback device, a route for groups, and this resolv.conf."""

    def __init__(self, resolv_conf):
        self.name = e2e.unique("ftdns")[-12:]
        stores.run("ip", "netns", "add", self.name)
        self.etc = pathlib.Path("/etc/netns") / self.name
        self.etc.mkdir(parents=True)
        (self.etc / "resolv.conf").write_text(resolv_conf)
        (self.etc / "nsswitch.conf").write_text("hosts: dns\n")
        for command in (("link", "set", "lo", "up"), ("link", "add", "d0", "type", "veth", "peer", "d1"),
                        ("address", "add", "10.99.0.1/24", "dev", "d0"), ("link", "set", "d0", "up"), ("link", "set", "d1", "up"),
                        ("route", "add", "224.0.0.0/4", "dev", "d0")):
            stores.run("ip", "-n", self.name, *command)
        self.prefix = ["ip", "netns", "exec", self.name]

    def inode(self):
        return os.stat(f"/run/netns/{self.name}").st_ino

    def run(self, *command):
        return subprocess.run([*self.prefix, *map(str, command)], capture_output=True, text=True,
                              timeout=60, check=False)

    def stop(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=False)
        shutil.rmtree(self.etc, ignore_errors=True)


SILENT = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.53", 53))
print("listens", flush=True)
time.sleep(600)
"""


class Glibc(e2e.Case):
    """getent asks for A and AAAA at once, from one socket, on the port that resolv.conf implies."""

    N = 20

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        space = cls.keep(Namespace("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n"))
        cls.keep(dns.Dnsmasq(cls.directory, None, "--host-record=web.shop.test,192.0.2.1,2001:db8::1",
                             "--local=/shop.test/", port=53, prefix=space.prefix))
        silent = cls.keep(e2e.Program(cls.directory, "silent", [*space.prefix, "python3", "-c", SILENT]))
        e2e.wait_until(lambda: "listens" in silent.out.read_text(), "the silent server listens")
        agent = cls.keep(e2e.Agent(
            cls.directory, "--set", f"select.netns={space.inode()}", "--set",
            "exchange.timeout=4s").wait_ready())
        cls.found = sum("192.0.2.1" in space.run("getent", "ahosts", "web.shop.test").stdout
                        for _ in range(cls.N))
        cls.missing = space.run("getent", "ahosts", "nope.shop.test").returncode
        for group, port in (("224.0.0.251", 5353), ("224.0.0.252", 5355)):
            space.run("dig", f"@{group}", "-p", port, "+tries=1", "+time=1", "printer.local", "A")
        (space.etc / "resolv.conf").write_text("nameserver 127.0.0.53\noptions timeout:1 attempts:2\n")
        space.run("getent", "ahosts", "silent.shop.test")
        time.sleep(6)
        agent.stop()
        cls.spans, cls.totals = agent.spans(), agent.totals()

    def test_each_look_up_is_two_questions_at_both_ends(self):
        self.assertEqual((self.found, self.missing), (self.N, 2))
        expected = {("web.shop.test", kind, "NOERROR"): self.N for kind in ("A", "AAAA")} | \
            {("nope.shop.test", kind, "NXDOMAIN"): 1 for kind in ("A", "AAAA")}
        asked = [s for s in dns.of_dns(self.spans, e2e.KIND_CLIENT) if s.service == "getent"
                 and "silent" not in dns.said(s)[0]]
        served = [s for s in dns.of_dns(self.spans, e2e.KIND_SERVER) if s.service == "dnsmasq"]
        self.assertEqual(dns.counts_of(asked), expected)
        self.assertEqual(dns.counts_of(served), expected)

    def test_what_nobody_answers_was_asked_twice_and_timed_out_once(self):
        spans = [s for s in dns.of_dns(self.spans, e2e.KIND_CLIENT)
                 if dns.said(s)[0] == "silent.shop.test"]
        self.assertEqual(sorted(dns.said(s)[1] for s in spans), ["A", "AAAA"])
        for span in spans:
            self.assertEqual(span.attributes["error.type"], "timeout")
            self.assertEqual(span.attributes["flowtrace.request.repeats"], 1)
            self.assertTrue(span.error)

    def test_questions_to_groups_are_one_way_and_have_their_names(self):
        for name in ("mdns", "llmnr"):
            spans = [s for s in self.spans if s.attributes.get("network.protocol.name") == name]
            self.assertEqual([(s.name, s.kind, s.error) for s in spans],
                             [("QUERY A", stores.KIND_PRODUCER, False)], name)
            self.assertEqual(spans[0].attributes["dns.question.name"], "printer.local")


if __name__ == "__main__":
    e2e.main()
