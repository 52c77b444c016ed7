# SPDX-License-Identifier: Apache-2.0
"""What the tests of stores share: real servers on free ports, tshark beside them, and the spans of
one store by end and by name."""
import collections
import os
import pathlib
import pwd
import shutil
import subprocess
import time

import flowtrace_e2e as e2e

KIND_PRODUCER, KIND_CONSUMER = 4, 5


def python_clients():
    """A Python that has the clients of the stores."""
    return subprocess.run([e2e.ROOT / "scripts/get-python-clients"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def run(*command, **arguments):
    """Standard output of a client, which must succeed."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120, check=False, **arguments)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} failed: {done.stdout}{done.stderr}")
    return done.stdout


class Redis(e2e.Program):
    def __init__(self, directory, *arguments, name="redis"):
        self.port = e2e.free_port()
        super().__init__(directory, name, [
            "redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", directory, *arguments])
        self.wait_port(self.port)

    def cli(self, *arguments):
        return run("redis-cli", "-p", self.port, *arguments)


class Capture(e2e.Program):
    """dumpcap on the loopback device, for one port; read() after stop()."""

    def __init__(self, directory, port, name="capture"):
        self.file = pathlib.Path(directory) / f"{name}.pcap"
        self.port = port
        # tshark writes as root where the folder is not root's alone.
        self.file.touch()
        os.chmod(self.file, 0o666)
        super().__init__(directory, name, [
            "dumpcap", "-q", "-i", "lo", "-f", f"tcp port {port}", "-s", "0", "-B", "64",
            "-P", "-w", self.file])
        e2e.wait_until(lambda: "Capturing" in self.errors() or "File:" in self.errors(),
                       "dumpcap captures")

    def read(self, protocol, filter_, *fields):
        """One list of values per packet that passes the filter; a field may occur several times."""
        command = ["tshark", "-r", self.file, "-d", f"tcp.port=={self.port},{protocol}",
                   "-Y", filter_, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=\x1f",
                   "-E", "separator=\x1e"]
        for field in fields:
            command += ["-e", field]
        return [[part.split("\x1f") if part else [] for part in line.split("\x1e")]
                for line in run(*command).split("\n") if line]


class Postgres(e2e.Program):
    """A cluster of its own, run by the user postgres, who may not be root."""

    def __init__(self, directory, *arguments, name="postgres"):
        self.port = e2e.free_port()
        bin_ = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
                   key=lambda p: int(p.parent.name))
        data = pathlib.Path(directory) / name
        user = pwd.getpwnam("postgres")
        data.mkdir()
        os.chown(data, user.pw_uid, user.pw_gid)
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        run(*as_user, bin_ / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N",
            "--no-locale", "-E", "UTF8", cwd=data)
        super().__init__(directory, f"{name}-server", [
            *as_user, bin_ / "postgres", "-D", data, "-p", self.port, "-h", "127.0.0.1", "-k", data,
            "-c", "fsync=off", "-c", "autovacuum=off", *arguments])
        self.dsn = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"
        self.wait_port(self.port)
        e2e.wait_until(self.answers, "PostgreSQL answers")

    def answers(self):
        return subprocess.run([shutil.which("psql"), "-c", "select 1", self.dsn],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0

    def psql(self, *arguments):
        return run("psql", "-X", "-A", "-t", self.dsn, *arguments)


def by_end(spans, system):
    """The store's spans: those of its clients and those of its server."""
    found = [s for s in spans if s.attributes.get("db.system.name") == system]
    sent = [s for s in found if s.kind in (e2e.KIND_CLIENT, KIND_PRODUCER)]
    return sent, [s for s in found if s not in sent]


def served_of_capture(capture, system):
    """What the agent makes of the capture: the spans of the server's side."""
    out = capture.file.with_suffix(".jsonl")
    run(e2e.AGENT, "pcap", capture.file, "--export", f"file:{out}")
    return [s for s in e2e.read_spans(out) if s.attributes.get("db.system.name") == system]


def identities(spans):
    return {(s.span_id, s.name, s.kind) for s in spans}


def names_of(spans, key="db.operation.name"):
    return collections.Counter(s.attributes.get(key, "") for s in spans)


def spans_of_older_connection(case, program, argument, port, system):
    """Spans by end of what a Python client does on a connection after the agent has begun, which
    it opens before: it says "connected" and waits for a line."""
    client = subprocess.Popen([python_clients(), "-c", program, str(argument)], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              preexec_fn=e2e.die_with_parent)
    assert client.stdout.readline() == "connected\n"
    agent = case.keep(e2e.Agent(case.directory, "--set", f"select.ports={port}",
                                name="midway").wait_ready())
    client.communicate("go\n", timeout=30)
    time.sleep(0.5)
    agent.stop()
    return by_end(agent.spans(), system)
