#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two "hosts", each with an agent that sees one network namespace only, and a router between them
that changes the server's address and port and the client's: both agents derive the same ids, over
IPv4 and IPv6, on connections older than themselves, and for requests that are sent together."""
import os
import subprocess
import sys
import time

import flowtrace_e2e as e2e

PEER = e2e.ROOT / "tests/e2e/peers/nat.py"
PORT, INNER_PORT = 80, 8080
ROUTER4, ROUTER6 = "10.77.1.1", "fd77:1::1"
SERVER4, SERVER6 = "10.77.2.2", "fd77:2::2"
OLD, NEW = 12, 6 * (1 + 5)  # requests for each address family, as in peers/nat.py

RULES = f"""
table inet nat {{
    chain before {{
        type nat hook prerouting priority dstnat;
        ip daddr {ROUTER4} tcp dport {PORT} dnat ip to {SERVER4}:{INNER_PORT}
        ip6 daddr {ROUTER6} tcp dport {PORT} dnat ip6 to [{SERVER6}]:{INNER_PORT}
    }}
    chain behind {{
        type nat hook postrouting priority srcnat;
        meta nfproto ipv4 masquerade fully-random
        meta nfproto ipv6 masquerade fully-random
    }}
}}
"""


def run(*command, text=None):
    result = subprocess.run([str(c) for c in command], input=text, capture_output=True, text=True)
    if result.returncode:
        raise AssertionError(f"{command}: {result.stderr}")


class Network:
    """client - router - server, with names that nobody else uses."""

    def __init__(self):
        tag = e2e.unique("ft")[-4:]
        self.client, self.router, self.server = (f"{part}-{tag}" for part in ("c", "r", "s"))
        for name in (self.client, self.router, self.server):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        self.link(self.client, 1)
        self.link(self.server, 2)
        for setting in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            path = "/proc/sys/" + setting.replace(".", "/")
            run("ip", "netns", "exec", self.router, "sh", "-c", f"echo 1 > {path}")
        run("ip", "netns", "exec", self.router, "nft", "-f", "-", text=RULES)

    def link(self, name, n):
        ends = f"v{n}-{name}"[:15], f"w{n}-{name}"[:15]
        run("ip", "link", "add", ends[0], "netns", name, "type", "veth", "peer", ends[1], "netns",
            self.router)
        for where, device, host in ((name, ends[0], 2), (self.router, ends[1], 1)):
            run("ip", "-n", where, "address", "add", f"10.77.{n}.{host}/24", "dev", device)
            run("ip", "-n", where, "address", "add", f"fd77:{n}::{host}/64", "dev", device, "nodad")
            run("ip", "-n", where, "link", "set", device, "up")
        run("ip", "-n", name, "route", "add", "default", "via", f"10.77.{n}.1")
        run("ip", "-n", name, "route", "add", "default", "via", f"fd77:{n}::1")

    def command(self, name, *command):
        return ["ip", "netns", "exec", name, *command]

    def inode(self, name):
        return os.stat(f"/run/netns/{name}").st_ino

    def stop(self):
        for name in (self.client, self.router, self.server):
            subprocess.run(["ip", "netns", "delete", name], check=False)


class Nat(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network = cls.keep(Network())
        for address in (SERVER4, SERVER6):
            cls.keep(e2e.Program(cls.directory, address.replace(":", "-"), cls.network.command(
                cls.network.server, sys.executable, PEER, "serve", address, INNER_PORT)))
        cls.prefix = e2e.unique("nat")
        cls.wait_for_servers()
        asker = subprocess.Popen(
            [str(c) for c in cls.network.command(cls.network.client, sys.executable, PEER, "ask",
                                                 cls.prefix, PORT, ROUTER4, ROUTER6)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=e2e.die_with_parent)
        cls.before = [asker.stdout.readline() for _ in range(3)]
        agents = [cls.keep(e2e.Agent(cls.directory, "--set",
                                     f"select.netns={cls.network.inode(name)}", name=name))
                  for name in (cls.network.client, cls.network.server)]
        for agent in agents:
            agent.wait_ready()
        cls.answered = asker.communicate("\n", timeout=60)[0].split()
        time.sleep(0.5)
        for agent in agents:
            agent.stop()
        cls.clients, cls.servers = ({s.id: s for s in agent.spans()} for agent in agents)

    @classmethod
    def wait_for_servers(cls):
        for address in (ROUTER4, ROUTER6):
            probe = cls.network.command(
                cls.network.client, sys.executable, "-c",
                f"import socket; socket.create_connection(('{address}', {PORT}), 2).close()")
            e2e.wait_until(lambda: subprocess.run(probe, stderr=subprocess.DEVNULL,
                                                  check=False).returncode == 0,
                           f"the server behind {address}", 30)

    def expected(self):
        """All but the first request on each old connection: that one tells where a message begins."""
        return [name for name in self.answered if not name.endswith("-old-0")]

    def test_the_client_was_answered_through_both_translations(self):
        self.assertEqual(self.before[2], "open\n")
        self.assertEqual(len(self.answered), 2 * (OLD + NEW))

    def test_each_agent_sees_its_own_end_only(self):
        self.assertEqual({s.kind for s in self.clients.values()}, {e2e.KIND_CLIENT})
        self.assertEqual({s.kind for s in self.servers.values()}, {e2e.KIND_SERVER})

    def test_both_ends_of_every_request_are_seen(self):
        self.assertEqual([n for n in self.expected() if n not in self.clients], [])
        self.assertEqual([n for n in self.expected() if n not in self.servers], [])

    def test_addresses_were_translated(self):
        for name in self.expected():
            client, server = self.clients[name], self.servers[name]
            self.assertIn(client.attributes["network.peer.address"], (ROUTER4, ROUTER6))
            self.assertIn(server.attributes["network.peer.address"], ("10.77.2.1", "fd77:2::1"))

    def test_both_agents_derive_the_same_ids(self):
        for name in self.expected():
            client, server = self.clients[name], self.servers[name]
            self.assertEqual(server.trace_id, client.trace_id, name)
            self.assertEqual(server.attributes.get("flowtrace.peer.span_id"), client.span_id, name)
        traces = {span.trace_id for span in self.clients.values()}
        self.assertEqual(len(traces), len(self.clients))


if __name__ == "__main__":
    e2e.main()
