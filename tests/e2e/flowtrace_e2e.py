# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: starting and stopping programs by pid, the agent, the sample
flow (client -> nginx -> orders -> stock), and reading the spans that came out.

Everything listens on free ports of 127.0.0.1; what a test starts dies with it, even when it is
killed itself. Tests use unittest and end with main(), whose last line is "N passed, N failed".
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "scripts" / "sample"
AGENT = os.environ.get("FLOWTRACE_AGENT", str(ROOT / "build" / "agent" / "flowtrace-agent"))
# Where the programs of others are kept, which tests build or fetch (scripts/cache.sh).
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", "/var/cache")) / "flowtrace-tests"

KIND_SERVER, KIND_CLIENT = 2, 3
SERVER_PORTS, GIVEN_PORTS = (10000, 32000), set()
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """A port that was not given before, from below those that clients' own ends are given: one of
    those may be taken by somebody's connection before its server begins."""
    while True:
        port = secrets.choice(range(*SERVER_PORTS))
        if port not in GIVEN_PORTS and is_free(port):
            GIVEN_PORTS.add(port)
            return port


def free_ports(n):
    """n ports that differ."""
    return [free_port() for _ in range(n)]


def wait_until(condition, what, seconds=15):
    """The first true answer of condition(); fails loudly when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def resident(pid):
    """What of a process is in memory, by kind, in bytes: anonymous, file, shmem."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {kind.lower(): int(kib) * 1024
            for kind, kib in re.findall(r"^Rss(Anon|File|Shmem):\s+(\d+) kB", text, re.MULTILINE)}


def port_open(port):
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


def http_get(url, timeout=10):
    """Status and text of an answer, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Program:
    """A child process whose output goes to files in `directory`."""

    def __init__(self, directory, name, command, env=None):
        self.name = name
        self.out = pathlib.Path(directory) / f"{name}.out"
        self.err = pathlib.Path(directory) / f"{name}.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, **(env or {})}, preexec_fn=die_with_parent)

    def running(self):
        return self.process.poll() is None

    def errors(self):
        return self.err.read_text(errors="replace")

    def wait_port(self, port, seconds=15):
        def ready():
            if not self.running():
                raise AssertionError(f"{self.name} ended: {self.errors()}")
            return port_open(port)
        wait_until(ready, f"{self.name} on port {port}", seconds)

    def wait(self, seconds=120):
        return self.process.wait(seconds)

    def stop(self, seconds=30):
        """SIGTERM, and the exit status; SIGKILL and an error where that does not suffice."""
        if self.running():
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not stop within {seconds} s") from None


class Span:
    """One span of an OTLP/JSON line, with its resource's attributes."""

    def __init__(self, span, resource):
        self.trace_id = span["traceId"]
        self.span_id = span["spanId"]
        self.parent_id = span.get("parentSpanId", "")
        self.name = span["name"]
        self.kind = span.get("kind", 0)
        self.start = int(span["startTimeUnixNano"])
        self.end = int(span["endTimeUnixNano"])
        self.error = span.get("status", {}).get("code", 0) == 2
        self.links = [link["spanId"] for link in span.get("links", [])]
        self.trace_state = span.get("traceState", "")
        self.flags = span.get("flags", 0)
        self.attributes = attributes_of(span.get("attributes", []))
        self.dropped_attributes = span.get("droppedAttributesCount", 0)
        self.resource = resource
        self.service = resource.get("service.name", "")

    @property
    def path(self):
        if "url.path" in self.attributes:
            return self.attributes["url.path"]
        full = self.attributes.get("url.full", "")
        return re.sub(r"^\w+://[^/]*", "", full).partition("?")[0]

    @property
    def id(self):
        """The last part of the path: the sample's services hand it on."""
        return self.path.rpartition("/")[2]

    @property
    def evidence(self):
        return self.attributes.get("flowtrace.parent.evidence", "")

    def __repr__(self):
        return f"<{self.service} {self.kind} {self.name} {self.path} {self.span_id}>"


def attributes_of(pairs):
    def value(v):
        kind, content = next(iter(v.items()))
        if kind == "arrayValue":
            return [value(item) for item in content.get("values", [])]
        return int(content) if kind == "intValue" else content
    return {pair["key"]: value(pair["value"]) for pair in pairs}


def read_spans(path):
    spans = []
    for line in pathlib.Path(path).read_text().splitlines():
        for group in json.loads(line)["resourceSpans"]:
            resource = attributes_of(group.get("resource", {}).get("attributes", []))
            for scope in group["scopeSpans"]:
                spans += [Span(span, resource) for span in scope["spans"]]
    return spans


def counter_classes():
    """Counter name -> heading of docs/counters.md, which is generated from the agent's table."""
    classes, heading = {}, ""
    for line in (ROOT / "docs" / "counters.md").read_text().splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif row := re.match(r"\| `(\w+)` \|", line):
            classes[row[1]] = heading
    return classes


def sum_of(counters, heading):
    return sum(counters.get(name, 0) for name, h in counter_classes().items() if h == heading)


def parse_counters(text):
    """The counters of docs/counters.md in a page of metrics, or in the totals on standard error."""
    found = {}
    for name in counter_classes():
        for pattern in (rf"^flowtrace_{name}_total (\d+)$", rf"^ +{name} +(\d+)\b"):
            if match := re.search(pattern, text, re.MULTILINE):
                found[name] = int(match[1])
                break
    return found


class Agent(Program):
    """The agent with a file exporter; use stop() before spans() and totals()."""

    def __init__(self, directory, *arguments, name="agent", env=None, exports=None, prefix=()):
        self.spans_path = pathlib.Path(directory) / f"{name}.jsonl"
        self.status_port = free_port()
        exports = exports or [f"file:{self.spans_path}"]
        command = [*prefix, AGENT, "run", "--set", f"status.listen=127.0.0.1:{self.status_port}"]
        for export in exports:
            command += ["--export", export]
        super().__init__(directory, name, command + list(arguments), env)

    def wait_ready(self, seconds=30):
        def ready():
            if "ready" in self.errors():
                return True
            if not self.running():
                raise AssertionError(f"the agent ended: {self.errors()}")
            return False
        wait_until(ready, "the agent's ready line", seconds)
        return self

    def spans(self):
        return read_spans(self.spans_path)

    def totals(self):
        """All counters; the agent leaves out those that are zero."""
        totals = parse_counters(self.errors())
        if "operations" not in totals:
            raise AssertionError(f"no totals in what the agent said: {self.errors()}")
        return dict.fromkeys(counter_classes(), 0) | totals

    def metrics(self):
        return http_get(f"http://127.0.0.1:{self.status_port}/metrics")[1]

    def counters(self):
        return parse_counters(self.metrics())


class Flow:
    """The sample: nginx on `port`, orders in Python behind it, stock in Node behind that."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.port, self.orders_port, self.stock_port = free_port(), free_port(), free_port()
        self.programs = []
        self.start("stock", ["node", SAMPLE / "stock.js", self.stock_port], self.stock_port)
        self.start("orders", [sys.executable, SAMPLE / "orders.py", self.orders_port,
                              self.stock_port], self.orders_port)
        self.start("nginx", self.nginx_command(), self.port)

    def start(self, name, command, port):
        program = Program(self.directory, name, command)
        self.programs.append(program)
        program.wait_port(port)

    def nginx_command(self):
        text = (SAMPLE / "nginx.conf.in").read_text()
        for name, value in {"PORT": self.port, "ORDERS_PORT": self.orders_port,
                            "DIR": self.directory}.items():
            text = text.replace(f"@{name}@", str(value))
        (self.directory / "nginx.conf").write_text(text)
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-e", self.directory / "error.log",
                "-p", self.directory, "-c", self.directory / "nginx.conf"]

    def stop(self):
        for program in reversed(self.programs):
            program.stop()

    @property
    def selection(self):
        """Arguments for an agent that shall trace this flow and nothing else of the host."""
        return ["--set", f"select.ports={self.port},{self.orders_port},{self.stock_port}"]

    @property
    def hops(self):
        """server port -> who calls it and who serves it, by service name"""
        return {self.port: ("shopper", "nginx"), self.orders_port: ("nginx", "orders"),
                self.stock_port: ("orders", "stock")}


def start_shopper(directory, port, *arguments, name="shopper"):
    """The client, with ids that no other test on this host uses at the same time."""
    return Program(directory, name, [sys.executable, SAMPLE / "shopper.py", port, "--prefix",
                                     unique("order"), *arguments])


def make_certificates(directory):
    """The folder in which tests/make-certificates put an authority, a server and two clients."""
    folder = pathlib.Path(directory) / "certificates"
    folder.mkdir()
    subprocess.run([ROOT / "tests" / "make-certificates", folder], check=True)
    return folder


def use_otlp_python():
    """Goes on in a Python that has gRPC and the published OTLP messages (scripts/get-otlp-python)."""
    got = subprocess.run([ROOT / "scripts" / "get-otlp-python"], capture_output=True, text=True,
                         check=False)
    if got.returncode:
        sys.exit(f"no Python with the OTLP messages: {got.stderr}")
    python = got.stdout.splitlines()[-1]
    if sys.executable != python:
        # Programs are started by fork and exec, which is all that gRPC would have to mind.
        os.execve(python, [python, *sys.argv], {**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "0"})


def unique(word):
    return f"{word}-{secrets.token_hex(4)}"


def answers_of(shopper):
    """What the client itself counted: id -> its line."""
    lines = [json.loads(line) for line in shopper.out.read_text().splitlines() if line]
    return {line["id"]: line for line in lines}


@contextlib.contextmanager
def scratch():
    directory = tempfile.mkdtemp(prefix="flowtrace-e2e-")
    os.chmod(directory, 0o755)
    try:
        yield pathlib.Path(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Case(unittest.TestCase):
    """A test case with a scratch directory, and programs that are stopped at its end."""

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.directory = cls.stack.enter_context(scratch())

    @classmethod
    def keep(cls, program):
        """Stops the program at the end of the class, if it still runs then."""
        cls.stack.callback(program.stop)
        return program


class Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def getDescription(self, test):
        whole = getattr(test, "test_case", test)  # of a subtest
        name = getattr(whole, "_testMethodName", str(test))  # setUpClass has none
        part = f" {test._subDescription()}" if whole is not test else ""
        return f"{type(whole).__name__}: {name.removeprefix('test_')}{part}"


def main():
    if os.geteuid() != 0:
        sys.exit("the end-to-end tests load BPF programs: run them as root")
    if not os.access(AGENT, os.X_OK):
        sys.exit(f"{AGENT} is not there: build it, or set FLOWTRACE_AGENT")
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(0 if failed == 0 and result.passed + len(result.skipped) > 0 else 1)
