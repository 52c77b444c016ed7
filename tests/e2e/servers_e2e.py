# SPDX-License-Identifier: Apache-2.0
"""HTTP/1 servers that others wrote, started as they are, and a raw socket to ask them with bytes
that no client would send."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys

import flowtrace_e2e as e2e

PEERS = e2e.ROOT / "tests" / "corpus" / "peers"
NAMES = ("nginx", "apache", "haproxy", "node", "go", "python")


def build_go(source, program):
    """Go's compiler cache is kept outside the checkout."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    subprocess.run([go, "build", "-o", program, source], check=True, env={
        **os.environ, "GOCACHE": str(e2e.CACHE / "go-build"), "GOPATH": str(e2e.CACHE / "go"),
        "GO111MODULE": "off"})
    return program


class Servers:
    """All of NAMES, running; `ports` by name. Behind HAProxy stands a Python server."""

    def __init__(self, case):
        self.case, self.directory = case, case.directory
        self.ports = dict(zip(NAMES, e2e.free_ports(len(NAMES))))
        self.behind = e2e.free_port()
        (self.directory / "www").mkdir(mode=0o755)
        python = [sys.executable, PEERS / "server.py"]
        self.start("behind", [*python, self.behind], self.behind)
        for name, command in {
                "nginx": [shutil.which("nginx") or "/usr/sbin/nginx", "-e",
                          self.directory / "nginx.log", "-c",
                          self.configure("nginx.conf", "nginx")],
                "apache": ["/usr/sbin/apache2", "-X", "-f",
                           self.configure("apache.conf", "apache")],
                "haproxy": [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f",
                            self.configure("haproxy.cfg", "haproxy")],
                "node": ["node", PEERS / "server.js", self.ports["node"]],
                "go": [build_go(PEERS / "server.go", self.directory / "server-go"),
                       self.ports["go"]],
                "python": [*python, self.ports["python"]]}.items():
            self.start(name, command, self.ports[name])

    def start(self, name, command, port):
        self.case.keep(e2e.Program(self.directory, name, command)).wait_port(port)

    def configure(self, source, name):
        text, path = (PEERS / f"{source}.in").read_text(), self.directory / source
        for word, value in {"DIR": self.directory, "PORT": self.ports[name],
                            "BEHIND": self.behind}.items():
            text = text.replace(f"@{word}@", str(value))
        path.write_text(text)
        return path


def read_all(connection, seconds):
    """Until the server closes, or is silent for that long, or for a moment behind an answer."""
    answer = b""
    connection.settimeout(seconds)
    try:
        while part := connection.recv(65536):
            answer += part
            connection.settimeout(min(seconds, 0.2))
    except (TimeoutError, ConnectionResetError):
        pass
    return answer


def statuses(port, requests, seconds=3):
    """
    The final statuses that the server answers to the bytes, sent at once. One that still waits for
    more is told that there is none.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(requests)
        answer = read_all(connection, seconds)
        if not answer:
            with contextlib.suppress(OSError):  # it may be reset already
                connection.shutdown(socket.SHUT_WR)
                answer = read_all(connection, seconds)
    found = [int(code) for code in re.findall(rb"HTTP/1\.\d (\d+)", answer)]
    return [code for code in found if code >= 200]
