#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers in Java, Node, Go and Python under load without the agent, with it, with agents that are
killed again and again meanwhile, and without it again: the same answers, no errors, no more trouble
by the kernel's count. The CPU time of each server is printed; nothing timed is judged."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import threading

import flowtrace_e2e as e2e
import harm_e2e as harm

PEERS = pathlib.Path(__file__).with_name("peers")
SERVERS = {8081: "go", 8082: "java", 8083: "node", 8084: "python"}
SECONDS, LONGER, KILLS = 2, 6, 2


def build_go(directory):
    go = shutil.which("go") or "/usr/local/go/bin/go"
    subprocess.run([go, "build", "-o", directory / "server-go", PEERS / "servers" / "server.go"],
                   check=True, env={**os.environ, "GO111MODULE": "off",
                                    "GOCACHE": str(e2e.CACHE / "go-build"),
                                    "GOPATH": str(e2e.CACHE / "go")})


class NoHarmRuntimes(harm.Checks, e2e.Case):
    FILES = 3 * len(SERVERS)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        big = bytes(range(256)) * 20_000
        cls.sum_of_big = hashlib.sha256(big).hexdigest()
        (cls.directory / "small").write_text("small\n" * 30)
        (cls.directory / "big").write_bytes(big)
        build_go(cls.directory)
        cls.before = cls.turn(SECONDS)
        agent = cls.keep(cls.new_agent("agent"))
        traced = cls.turn(SECONDS)
        agent.stop()
        cls.spans = agent.spans()
        cls.traced = [traced, *cls.turns_with_killed_agents()]
        cls.after = cls.turn(SECONDS)

    @classmethod
    def turn(cls, seconds):
        return harm.turn(PEERS / "load_runtimes.sh", cls.directory, seconds)

    @classmethod
    def new_agent(cls, name):
        return e2e.Agent(cls.directory, "--set", f"select.ports={','.join(map(str, SERVERS))}",
                         name=name).wait_ready()

    @classmethod
    def turns_with_killed_agents(cls):
        """As many as it takes: on a busy host an agent needs seconds until it is ready."""
        done, turns, cls.killed = threading.Event(), [], 0

        def kill_and_restart():
            while not done.is_set():
                agent = cls.new_agent("killed")
                agent.process.kill()
                agent.process.wait()
                cls.killed += 1
        thread = threading.Thread(target=kill_and_restart)
        thread.start()
        try:
            while cls.killed <= KILLS and thread.is_alive():
                turns.append(cls.turn(LONGER))
        finally:
            done.set()
            thread.join()
        return turns

    def test_the_agent_saw_each_server(self):
        ports = {s.attributes.get("server.port") for s in self.spans if s.kind == e2e.KIND_SERVER}
        self.assertEqual(ports, set(SERVERS))

    def test_agents_were_killed_under_load(self):
        print(f"{self.killed} ... ", end="")
        self.assertGreater(self.killed, KILLS)

    def test_what_the_servers_used_is_told(self):
        killed = ["killed"] * (len(self.traced) - 1)
        for what, text in zip(["without", "traced", *killed, "without"], self.turns):
            requests = {SERVERS[int(port)]: int(n) for port, n in
                        re.findall(r"^(\d+): +(\d+) requests in", text, re.MULTILINE)}
            ticks = dict(re.findall(r"^cpu (\w+) (\d+)$", text, re.MULTILINE))
            self.assertEqual(set(requests), set(SERVERS.values()))
            print("\n  " + what, *(f"{name}: {n} requests, {10 * int(ticks[name])} ms of CPU;"
                                   for name, n in requests.items()), end="")
            self.assertTrue(all(n > 50 for n in requests.values()), requests)


if __name__ == "__main__":
    e2e.main()
