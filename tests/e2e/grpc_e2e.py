# SPDX-License-Identifier: Apache-2.0
"""What the tests of gRPC share: peers that others wrote, and an agent that sees one port."""
import collections
import json
import subprocess

import flowtrace_e2e as e2e

PEERS = e2e.ROOT / "tests" / "e2e" / "peers" / "grpc"
SERVICE = "grpc.testing.TestService"


class Case(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = subprocess.run([e2e.ROOT / "scripts" / "get-grpc-peers"], capture_output=True,
                              text=True, check=False)
        if made.returncode:
            raise AssertionError(f"the peers could not be made: {made.stderr}")
        cls.go, cls.python, cls.node_path = made.stdout.splitlines()

    def start_agent(self, name, *ports):
        return self.keep(e2e.Agent(self.directory, "--set", "capture.head=16KiB", "--set",
                                   "capture.ring=32MiB", "--set",
                                   f"select.ports={','.join(map(str, ports))}",
                                   name=name).wait_ready())

    def seen_by(self, command):
        """(method, code) -> how often, as the client itself counted"""
        out = subprocess.run([*map(str, command)], check=True, timeout=60, capture_output=True,
                             text=True, env={"NODE_PATH": self.node_path, "PATH": "/usr/bin:/bin:"
                                             "/usr/local/bin"}).stdout
        return collections.Counter({tuple(key.split()): n for key, n in json.loads(out).items()})
