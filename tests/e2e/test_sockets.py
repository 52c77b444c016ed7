#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kind of local socket gives events with the bytes that were sent, and with the right peers:
UDP, UNIX streams, packets and datagrams, MPTCP, batches of messages, sockets passed on, and bytes
that no buffer holds. HTTP over a UNIX socket becomes spans with both ends."""
import json
import pathlib
import shutil
import subprocess
import sys
import time

import flowtrace_e2e as e2e
import recording

PEERS = pathlib.Path(__file__).with_name("peers")


def truth_of(output):
    return {line["case"]: line for line in map(json.loads, output.splitlines())}


class SocketChecks:
    """`events` of a recording against the `truth` of peers/talk.py, which calls itself `name`."""

    hooks = "auto"
    arguments = ()
    sendfile_is_seen = True  # by a hook; before Linux 6.5 it is a gap in the positions
    unix_ends_meet = True    # the two ends of a UNIX stream see the same positions

    def events_of(self, case, direction):
        return [e for e in self.events if e.dir == direction
                and e.data.startswith(f"{case}: ".encode())]

    def check_bytes(self, case, transport):
        sent, received = (self.events_of(case, d) for d in (recording.OUT, recording.IN))
        wanted = sorted(self.truth[case]["sent"])
        self.assertEqual(sorted(e.data.decode() for e in sent), wanted)
        self.assertEqual(sorted(e.data.decode() for e in received), wanted)
        self.assertEqual({e.known.transport for e in sent + received}, {transport})
        return sent, received

    def check_peers(self, case, back_on_same=True):
        """What went `to` the server has its address as peer at the sender, and the reverse."""
        client, server = (tuple(self.truth[case][end][:2]) for end in ("from", "to"))
        for event in self.events_of(case, recording.OUT) + self.events_of(case, recording.IN):
            forth = not event.data.decode().partition(": ")[2].startswith("back")
            from_client = forth == (event.dir == recording.OUT)
            self.assertEqual(event.known.remote, server if from_client else client, event)

    def test_udp_has_the_peer_of_each_datagram(self):
        self.check_bytes("udp", recording.UDP)
        self.check_peers("udp")

    def test_udp_over_ipv6_has_the_peer_of_each_datagram(self):
        self.check_bytes("udp6", recording.UDP)
        self.check_peers("udp6")

    def test_a_dual_stack_server_sees_an_ipv4_peer(self):
        sent, received = self.check_bytes("dual", recording.UDP)
        client = tuple(self.truth["dual"]["from"])
        port = self.truth["dual"]["to"][1]
        self.assertEqual([e.known.remote for e in received if e.data == b"dual: to"], [client])
        self.assertEqual([e.known.remote for e in sent if e.data == b"dual: back"], [client])
        self.assertEqual([e.known.remote for e in sent if e.data == b"dual: to"],
                         [("127.0.0.1", port)])

    def test_each_message_of_a_batch_is_its_own(self):
        sent, received = (self.events_of("many", d) for d in (recording.OUT, recording.IN))
        wanted = self.truth["many"]["sent"]
        self.assertEqual([e.data.decode() for e in sent], wanted)
        self.assertEqual([e.data.decode() for e in received], wanted)
        self.assertEqual({e.known.remote for e in sent}, {tuple(self.truth["many"]["to"])})

    def check_stream(self, case, name):
        sent, received = self.check_bytes(case, recording.UNIX_STREAM)
        for one, other in zip(sent, received):
            self.assertEqual(one.data, other.data)
            if self.unix_ends_meet:
                self.assertEqual(one.position, other.position, "both ends see one position")
        self.assertEqual({e.known.has_starts for e in sent + received}, {self.unix_ends_meet})
        self.assertEqual({e.known.name for e in sent + received}, {name})
        client = {e.known.name_is_remote for e in sent if b": to" in e.data}
        self.assertEqual(client, {True})
        self.assertEqual({e.known.remote_tgid for e in sent}, {sent[0].tgid})

    def test_a_unix_stream_has_its_path_and_both_ends_see_the_same_positions(self):
        self.check_stream("path", self.truth["path"]["to"].encode() + b"\0")

    def test_an_abstract_name_is_a_name_too(self):
        self.check_stream("abstract", b"\0" + self.name.encode())

    def test_a_unix_datagram_has_its_peers_name(self):
        sent, _ = self.check_bytes("named", recording.UNIX_DATAGRAM)
        peers = {e.data.decode(): e.known.name.rstrip(b"\0").decode() for e in sent}
        self.assertEqual(peers, {"named: to": self.truth["named"]["to"],
                                 "named: back": self.truth["named"]["from"],
                                 "named: connected": self.truth["named"]["to"]})

    def test_packets_are_seen(self):
        self.check_bytes("packet", recording.UNIX_SEQPACKET)

    def test_a_socket_that_is_inherited_handed_over_or_duplicated_stays_one_connection(self):
        sent, received = (self.events_of("passed", d) for d in (recording.OUT, recording.IN))
        sent, received = ([e for e in events if not e.data.startswith(b"passed: he")]
                          for events in (sent, received))  # that went with the descriptor
        self.assertEqual([e.data.decode() for e in sent], self.truth["passed"]["sent"])
        self.assertEqual(len({e.connection for e in sent}), 1)
        self.assertEqual(len({e.tgid for e in sent}), 3)
        if self.unix_ends_meet:
            self.assertEqual([e.position for e in sent], [e.position for e in received])

    def test_bytes_without_a_buffer_are_a_length_and_what_follows_is_seen(self):
        sent, received = self.check_bytes("bytes", recording.TCP)
        for one, other in zip(sent, received):
            self.assertEqual(one.position & 0xffffffff, other.position & 0xffffffff)
        before = received[0].position - received[0].known.starts[recording.IN]
        self.assertEqual(before, 3000, "what sendfile sent has its place in the stream")
        if self.sendfile_is_seen:
            connection = [e for e in self.events if e.connection == sent[0].connection]
            self.assertEqual(sum(e.length for e in connection if not e.data), 3000)
            self.assertGreaterEqual(self.totals["bytes_not_captured"], 1)

    def test_multipath_tcp_is_marked_as_what_it_is(self):
        sent, _ = self.check_bytes("multipath", recording.MPTCP)
        self.assertFalse(any(e.known.has_starts for e in sent))
        self.assertEqual({e.known.remote for e in sent}, {tuple(self.truth["multipath"]["to"])})

    def test_operations_are_used_or_lost_under_a_name(self):
        used = e2e.sum_of(self.totals, "Operations used")
        lost = e2e.sum_of(self.totals, "Operations lost")
        self.assertEqual(self.totals["operations"], used + lost, self.totals)


class Sockets(SocketChecks, e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trace(cls)

    @staticmethod
    def trace(case):
        """Runs talk.py under an agent; the class gets events, truth and totals."""
        case.name = e2e.unique("talk")[:15]
        path = case.directory / "run.rec"
        agent = case.keep(e2e.Agent(case.directory, "--record", path,
                                   "--set", f"capture.hooks={case.hooks}", "--set",
                                   f"select.executables={case.name}",
                                   *case.arguments).wait_ready())
        talk = subprocess.run([sys.executable, PEERS / "talk.py", case.name], check=True,
                              capture_output=True, text=True, timeout=60)
        time.sleep(0.5)
        agent.stop()
        case.totals = agent.totals()
        case.truth = truth_of(talk.stdout)
        case.events = [e for e in recording.read(path) if e.kind == recording.DATA]


class SocketsBySystemCall(Sockets):
    """The last fallback sees the same, but for what has no system call of its own."""

    hooks = "syscalls"
    sendfile_is_seen = False
    unix_ends_meet = False


class TurnedOff(e2e.Case):
    """Families that are left out are counted, and nothing of them is seen."""

    hooks, arguments = "auto", ("--set", "capture.udp=false", "--set", "capture.unix=false")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Sockets.trace(cls)

    def test_only_tcp_is_seen(self):
        self.assertEqual({e.known.transport for e in self.events},
                         {recording.TCP, recording.MPTCP})

    def test_what_is_left_out_is_counted(self):
        used = e2e.sum_of(self.totals, "Operations used")
        lost = e2e.sum_of(self.totals, "Operations lost")
        left_out = sum(2 * len(self.truth[case]["sent"]) for case in
                       ("udp", "udp6", "dual", "many", "path", "abstract", "named", "packet"))
        self.assertGreaterEqual(self.totals["operations_turned_off"], left_out)
        self.assertEqual(self.totals["operations"], used + lost, self.totals)


class HttpOverUnix(e2e.Case):
    """curl and nginx over a UNIX socket, a body by sendfile between two requests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.socket = cls.directory / "http.sock"
        (cls.directory / "big").write_bytes(b"x" * 300_000)
        (cls.directory / "small").write_bytes(b"y" * 100)
        (cls.directory / "nginx.conf").write_text(
            f"daemon off; error_log stderr; pid {cls.directory}/pid; events {{}}\n"
            f"http {{ access_log off; sendfile on; server {{ listen unix:{cls.socket};\n"
            f"root {cls.directory}; }} }}\n")
        command = [shutil.which("nginx") or "/usr/sbin/nginx", "-e", cls.directory / "error.log",
                   "-p", cls.directory, "-c", cls.directory / "nginx.conf"]
        nginx = cls.keep(e2e.Program(cls.directory, "nginx", command))
        e2e.wait_until(cls.socket.exists, "nginx's socket")
        cls.agent = cls.keep(e2e.Agent(cls.directory, "--set", "select.executables=nginx,curl",
                                       "--set", "select.netns=" + own_netns()).wait_ready())
        mark = e2e.unique("m")
        cls.paths = [f"/small?{mark}=1", f"/big?{mark}=2", f"/small?{mark}=3"]
        done = subprocess.run(
            ["curl", "-sS", "--unix-socket", cls.socket, "-o", "/dev/null", "-w",
             "%{http_code} %{size_download}\n"] + [w for p in cls.paths for w in
                                                   ("http://host.test" + p, "-o", "/dev/null")],
            check=True, capture_output=True, text=True, timeout=30)
        cls.truth = done.stdout.split("\n")[:3]
        time.sleep(0.5)
        assert nginx.running()
        cls.agent.stop()
        cls.spans = [s for s in cls.agent.spans()
                     if any(mark in str(v) for v in s.attributes.values())]

    def test_each_request_is_a_pair_of_spans(self):
        self.assertEqual(self.truth, ["200 100", "200 300000", "200 100"])
        clients = {s.span_id: s for s in self.spans if s.kind == e2e.KIND_CLIENT}
        servers = [s for s in self.spans if s.kind == e2e.KIND_SERVER]
        self.assertEqual((len(clients), len(servers)), (3, 3), self.spans)
        for server in servers:
            client = clients[server.parent_id]
            self.assertEqual(server.trace_id, client.trace_id)
            self.assertEqual(server.path, client.path)
            self.assertIn("curl", client.service)
            self.assertEqual(server.service, "nginx")

    def test_the_transport_and_the_sockets_path_are_told(self):
        for span in self.spans:
            self.assertEqual(span.attributes["network.transport"], "unix")
            self.assertNotIn("network.peer.port", span.attributes)
        client = next(s for s in self.spans if s.kind == e2e.KIND_CLIENT)
        self.assertEqual(client.attributes["network.peer.address"], str(self.socket))


def own_netns():
    return str(pathlib.Path("/proc/self/ns/net").stat().st_ino)


class Resolver(e2e.Case):
    """glibc asks for A and AAAA with one sendmmsg."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        path = cls.directory / "run.rec"
        (cls.directory / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        agent = cls.keep(e2e.Agent(cls.directory, "--record", path, "--set",
                                   "select.ports=53").wait_ready())
        done = subprocess.run(
            ["unshare", "--mount", "--net", "sh", "-ec",
             "ip link set lo up; mount --bind \"$1/resolv.conf\" /etc/resolv.conf; "
             "\"$2\" \"$3\" & trap \"kill $!\" EXIT; "
             "for i in 1 2 3 4 5 6 7 8 9; do [ -e \"$1/up\" ] || sleep 0.2; done; "
             "getent ahosts one.test", "sh", cls.directory, sys.executable,
             PEERS / "names.py"],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "UP": str(cls.directory / "up")},
            capture_output=True, text=True, timeout=60, check=False)
        cls.answer = done.stdout + done.stderr
        time.sleep(0.5)
        agent.stop()
        cls.events = [e for e in recording.read(path) if e.kind == recording.DATA]

    def test_both_questions_are_datagrams_with_their_bytes_and_peer(self):
        self.assertIn("192.0.2.7", self.answer, self.events)
        self.assertIn("2001:db8::7", self.answer)
        asked = [e for e in self.events if e.known.comm == "getent" and e.dir == recording.OUT]
        kinds = sorted(e.data[-4:-2] for e in asked)  # QTYPE, in front of QCLASS
        self.assertEqual(kinds, [b"\0\x01", b"\0\x1c"], self.events)
        self.assertEqual({e.known.remote for e in asked}, {("127.0.0.1", 53)})
        self.assertTrue(all(b"\x03one\x04test\0" in e.data for e in asked))
        answers = [e for e in self.events if e.known.comm == "getent" and e.dir == recording.IN]
        self.assertEqual(sorted(e.data[:2] for e in answers), sorted(e.data[:2] for e in asked))


if __name__ == "__main__":
    e2e.main()
