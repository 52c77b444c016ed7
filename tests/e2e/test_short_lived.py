#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Processes that live for ten milliseconds, and connections that are older than the agent."""
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import time

import flowtrace_e2e as e2e


EXEC = """
import os, sys, time, urllib.request
before, after, url = sys.argv[1:]
urllib.request.urlopen(url + before).read()
time.sleep(0.3)
os.execvp("curl", ["curl", "-sf", "-o", "/dev/null", url + after])
"""


# One request over a socket of its own, and the answer read to its end.
FETCH = """#!/usr/bin/perl
use IO::Socket::INET;
my ($port, $name, $forks) = @ARGV;
if ($forks) { my $child = fork; if ($child) { waitpid($child, 0); exit } }
my $socket = IO::Socket::INET->new("127.0.0.1:$port") or die;
print $socket "GET /orders/$name HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n";
1 while <$socket>;
"""


class ShortLived(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        go = cls.directory / "go"
        old = cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", "20",
                                         "--start-after", str(go)))
        time.sleep(1)
        agent = cls.keep(e2e.Agent(cls.directory).wait_ready())
        go.touch()
        old.wait()
        cls.truth = e2e.answers_of(old)
        cls.curls = [e2e.unique("curl") for _ in range(20)]
        for name in cls.curls:
            subprocess.run(["curl", "-sf", "-o", "/dev/null",
                            f"http://127.0.0.1:{cls.flow.port}/orders/{name}"], check=True)
        cls.before, cls.after = e2e.unique("before"), e2e.unique("after")
        subprocess.run([sys.executable, "-c", EXEC, cls.before, cls.after,
                        f"http://127.0.0.1:{cls.flow.port}/orders/"], check=True)
        time.sleep(0.5)
        agent.stop()
        cls.spans = agent.spans()

    def spans_of(self, name, service, kind):
        return [s for s in self.spans if (s.id, s.service, s.kind) == (name, service, kind)]

    def test_every_curl_is_seen_under_its_name(self):
        seen = [len(self.spans_of(name, "curl", e2e.KIND_CLIENT)) for name in self.curls]
        self.assertEqual(seen, [1] * 20)

    def test_the_server_end_of_every_curl_is_its_child(self):
        for name in self.curls:
            client, = self.spans_of(name, "curl", e2e.KIND_CLIENT)
            server, = self.spans_of(name, "nginx", e2e.KIND_SERVER)
            self.assertEqual((server.trace_id, server.parent_id),
                             (client.trace_id, client.span_id))

    def test_connections_older_than_the_agent_are_traced(self):
        """The first request that the agent meets tells where the next one begins."""
        self.assertEqual(len(self.truth), 20)
        for name in list(self.truth)[2:]:
            for client, server in self.flow.hops.values():
                spans = (self.spans_of(name, client, e2e.KIND_CLIENT),
                         self.spans_of(name, server, e2e.KIND_SERVER))
                self.assertEqual([len(s) for s in spans], [1, 1], f"{name} {client} {server}")
                self.assertEqual(spans[1][0].parent_id, spans[0][0].span_id)

    def test_a_process_that_executes_another_program_is_that_one_then(self):
        spans = {s.id: s for s in self.spans if s.kind == e2e.KIND_CLIENT
                 and s.attributes.get("server.port") == self.flow.port}
        self.assertIn("python", spans[self.before].resource["process.executable.name"])
        self.assertEqual(spans[self.after].service, "curl")
        self.assertEqual(spans[self.after].resource.get("process.executable.name"), "curl")

    def test_what_was_before_the_agent_is_not_invented(self):
        self.assertFalse([s for s in self.spans if s.id == list(self.truth)[0]])


class Gone(e2e.Case):
    """The agent is stopped while the process lives: only what the kernel noted is left of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mounts = [line.split() for line in open("/proc/mounts", encoding="utf-8")]
        root = next(pathlib.Path(m[1]) for m in mounts if m[2] == "cgroup2")
        cls.container = secrets.token_hex(32)
        cgroup = root / f"docker-{cls.container}.scope"
        cgroup.mkdir()
        cls.stack.callback(cgroup.rmdir)
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory, *cls.flow.selection).wait_ready())
        cls.name = e2e.unique("gone-curl")
        agent.process.send_signal(signal.SIGSTOP)
        subprocess.run(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; exec curl -s -o /dev/null "
                        f"http://127.0.0.1:{cls.flow.port}/orders/{cls.name}"], check=True)
        agent.process.send_signal(signal.SIGCONT)
        time.sleep(1)
        agent.stop()
        cls.span, = [s for s in agent.spans()
                     if s.id == cls.name and s.kind == e2e.KIND_CLIENT and s.service == "curl"]

    def test_it_still_has_its_name_its_start_and_its_container(self):
        self.assertEqual(self.span.service, "curl")
        self.assertIn("process.creation.time", self.span.resource)
        self.assertEqual(self.span.resource.get("container.id"), self.container)
        self.assertEqual(self.span.resource.get("process.executable.path"),
                         str(pathlib.Path(shutil.which("curl")).resolve()))


class Many(e2e.Case):
    """120 processes of four kinds that make one request and end."""
    ROUNDS, STOPPED = 30, False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        script = cls.directory / "basket.pl"
        script.write_text(FETCH)
        script.chmod(0o755)
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory, *cls.flow.selection).wait_ready())
        port = str(cls.flow.port)
        kinds = {  # service -> command, environment, real path of the executable
            "curl": (lambda name: ["curl", "-s", "-o", "/dev/null",
                                   f"http://127.0.0.1:{port}/orders/{name}"], {}, "curl"),
            "basket": (lambda name: [script, port, name], {}, "perl"),
            "checkout": (lambda name: ["perl", script, port, name],
                         {"OTEL_SERVICE_NAME": "checkout"}, "perl"),
            "forked": (lambda name: [script, port, name, "forks"],
                       {"OTEL_RESOURCE_ATTRIBUTES": "service.name=forked"}, "perl"),
        }
        cls.expected = {}
        for _ in range(cls.ROUNDS):
            if cls.STOPPED:
                agent.process.send_signal(signal.SIGSTOP)
            for service, (command, environment, program) in kinds.items():
                name = e2e.unique(service)
                path = str(pathlib.Path(shutil.which(program)).resolve())
                cls.expected[name] = (service, path, pathlib.Path(path).name)
                subprocess.run(command(name), check=True,
                               env={"PATH": os.environ["PATH"], **environment})
            agent.process.send_signal(signal.SIGCONT)
        e2e.wait_until(lambda: agent.counters()["processes"] >= len(cls.expected),
                       "all of them are described", 60)
        time.sleep(1)
        agent.stop()
        cls.spans = {s.id: s for s in agent.spans() if s.kind == e2e.KIND_CLIENT
                     and s.id in cls.expected and s.service not in ("nginx", "orders")}

    maxDiff = None

    def test_each_has_its_service_its_executable_and_its_start(self):
        seen = {name: (s.service, s.resource.get("process.executable.path"),
                       s.resource.get("process.executable.name"))
                for name, s in self.spans.items()}
        self.assertEqual(len(self.expected), 4 * self.ROUNDS)
        self.assertEqual(seen, self.expected)
        self.assertTrue(all("process.creation.time" in s.resource for s in self.spans.values()))

    def test_each_is_a_process_of_its_own(self):
        self.assertEqual(len({(s.resource["process.pid"], s.resource["process.creation.time"])
                              for s in self.spans.values()}), 4 * self.ROUNDS)


class ManyGone(Many):
    """The same with an agent that is stopped while they live: none is there when it looks."""
    STOPPED = True


if __name__ == "__main__":
    e2e.main()
