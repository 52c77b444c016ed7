# SPDX-License-Identifier: Apache-2.0
"""Programs that call another one for each request they serve, in many ways, and how many of these
calls the agent gave the right parent. None of them sets or forwards a tracing header.

The truth is the driver's: the body of each answer is the key that the inner call carried.
"""
import collections
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time

import flowtrace_e2e as e2e

FOLDER = e2e.ROOT / "tests" / "e2e" / "peers" / "callers"
THREAD_BOUND = {"c thread", "python thread", "java thread", "go thread"}
COLUMNS = ("requests", "% pairs", "% right", "wrong", "missing", "evidence")

NGINX = """
worker_processes 2;
daemon off;
pid @DIR@/@NAME@.pid;
error_log @DIR@/@NAME@.log;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path @DIR@/b; proxy_temp_path @DIR@/p; fastcgi_temp_path @DIR@/f;
    uwsgi_temp_path @DIR@/u; scgi_temp_path @DIR@/s;
    keepalive_requests 1000000;
    upstream up { server 127.0.0.1:@UPSTREAM@; keepalive 256; }
    server {
        listen 127.0.0.1:@PORT@ backlog=512;
        location /x/ {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://up/y/@KEY@;
        }
    }
}
"""
HAPROXY = """
global
    nbthread 2
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
frontend in
    bind 127.0.0.1:@PORT@ backlog 512
    http-request set-path /y/%[path,field(3,/)@KEY@]
    default_backend up
backend up
    server up 127.0.0.1:@UPSTREAM@
"""


def build(directory):
    """The C, Go and Java programs; Go's compiler cache is kept outside the checkout."""
    run = lambda command, **more: subprocess.run(command, check=True, **more)
    run(["gcc", "-O2", "-D_GNU_SOURCE", "-o", directory / "caller-c", FOLDER / "caller.c",
         "-lpthread"])
    run(["javac", "-d", directory, FOLDER / "Caller.java"])
    go = shutil.which("go") or "/usr/local/go/bin/go"
    environment = {**os.environ, "GOCACHE": str(e2e.CACHE / "go-build"), "GOFLAGS": "-mod=mod",
                   "GOPATH": str(e2e.CACHE / "go"), "GO111MODULE": "off"}
    run([go, "build", "-o", directory / "caller-go", FOLDER / "caller.go"], env=environment)


def proxy(text, name, key, suffix):
    """A proxy's configuration is its program."""
    def command(directory, port, upstream):
        path, filled = directory / f"{name}{suffix}", text
        for word, value in {"PORT": port, "UPSTREAM": upstream, "DIR": directory, "NAME": name,
                            "KEY": key}.items():
            filled = filled.replace(f"@{word}@", str(value))
        path.write_text(filled)
        return path
    return command


def programs(hidden):
    """name -> function of (directory, port, upstream's port) that gives its command"""
    visibility = "hidden" if hidden else "open"
    found = {}

    def add(name, *command):
        found[name] = lambda directory, port, upstream: [
            str(part).replace("@DIR@", str(directory)) for part in command] + [
            port, upstream, visibility]

    for mode in ("thread", "pool", "loop"):
        add(f"c {mode}", "@DIR@/caller-c", mode)
        add(f"python {mode}", sys.executable, FOLDER / "caller.py", mode)
        add(f"node {mode}", "node", FOLDER / "caller.js", mode)
        add(f"java {mode}", "java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
            "@DIR@", "Caller", mode)
    add("c loops", "@DIR@/caller-c", "loops")
    add("python loops", sys.executable, FOLDER / "caller.py", "loops")
    for mode in ("thread", "pool", "http", "loop"):
        add(f"go {mode}", "@DIR@/caller-go", mode)
    nginx = proxy(NGINX, f"nginx-{visibility}",
                  "k$connection-$connection_requests" if hidden else "", ".conf")
    haproxy = proxy(HAPROXY, f"haproxy-{visibility}", ",sha1,hex" if hidden else "", ".cfg")
    found["nginx"] = lambda *where: [shutil.which("nginx") or "/usr/sbin/nginx", "-e",
                                     where[0] / "nginx.log", "-c", nginx(*where)]
    found["haproxy"] = lambda *where: [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f",
                                       haproxy(*where)]
    return found


class Callers:
    """All programs, running, in one way of hiding their ids or not."""

    def __init__(self, directory, keep, hidden, only=None):
        self.directory, self.hidden = directory, hidden
        self.upstream_port, self.ports = e2e.free_port(), {}
        way = "hidden" if hidden else "open"
        started = [(f"upstream-{way}", keep(e2e.Program(
            directory, f"upstream-{way}",
            [sys.executable, FOLDER / "upstream.py", self.upstream_port])), self.upstream_port)]
        for name, command in programs(hidden).items():
            if only and name not in only:
                continue
            port = self.ports[name] = e2e.free_port()
            title = f"{name.replace(' ', '-')}-{way}"
            started.append((title, keep(e2e.Program(
                directory, title, command(directory, port, self.upstream_port))), port))
        for _, program, port in started:
            program.wait_port(port)

    @property
    def all_ports(self):
        return [self.upstream_port, *self.ports.values()]

    def drive(self, name, connections, rate, count):
        """What the driver saw, by id."""
        prefix = e2e.unique(f"{name.replace(' ', '')}x{connections}")
        output = subprocess.run(
            [sys.executable, FOLDER / "driver.py", str(self.ports[name]), str(connections),
             str(rate), str(count), prefix], check=True, capture_output=True, text=True,
            timeout=60 + count / rate).stdout
        answers = [json.loads(line) for line in output.splitlines()]
        if len(answers) != count:
            raise AssertionError(f"{name}: {len(answers)} of {count} requests were answered")
        return answers


class Judgement:
    """How the spans of one program's run compare with the driver's truth."""

    def __init__(self, answers, spans):
        self.n = len(answers)
        self.late = max(answer["late"] for answer in answers)
        self.pairs = 0
        self.right, self.wrong, self.missing = 0, [], []
        self.evidence = collections.Counter()
        for answer in answers:
            self.judge(answer, spans)

    def judge(self, answer, spans):
        outer = [spans.get((kind, f"/x/{answer['id']}"), []) for kind in (e2e.KIND_CLIENT,
                                                                        e2e.KIND_SERVER)]
        inner = [spans.get((kind, f"/y/{answer['key']}"), []) for kind in (e2e.KIND_CLIENT,
                                                                         e2e.KIND_SERVER)]
        if all(len(found) == 1 and is_whole(found[0], answer) for found in outer + inner):
            self.pairs += 1
        if len(inner[0]) != 1 or len(outer[1]) != 1:
            self.missing.append(answer["id"])
            return
        call, request = inner[0][0], outer[1][0]
        self.evidence[call.evidence or "none"] += 1
        if not call.parent_id:
            self.missing.append(answer["id"])
        elif (call.parent_id, call.trace_id) == (request.span_id, request.trace_id):
            self.right += 1
        else:
            self.wrong.append(answer["id"])

    def row(self):
        percent = lambda n: f"{100 * n / self.n:.1f}"
        kinds = ", ".join(f"{k} {n}" for k, n in self.evidence.most_common())
        return (self.n, percent(self.pairs), percent(self.right), len(self.wrong),
                len(self.missing), kinds)


def is_whole(span, answer):
    return (span.attributes.get("http.response.status_code") == answer["status"]
            and "flowtrace.incomplete" not in span.attributes)


def index(spans):
    found = collections.defaultdict(list)
    for span in spans:
        found[span.kind, span.path].append(span)
    return found


def drive_all(way, connections, rate_of, count_of):
    return {(way.hidden, name, n): way.drive(name, n, rate_of(n), count_of(name, n))
            for name in way.ports for n in connections}


def run_all(keep, directory, connections, rate_of, count_of, only=None):
    """(hidden, name, connections) -> Judgement, and the agent's totals. Both ways run at once."""
    build(directory)
    ways = [Callers(directory, keep, hidden, only) for hidden in (False, True)]
    ports = ",".join(str(port) for way in ways for port in way.all_ports)
    agent = keep(e2e.Agent(directory, "--set", f"select.ports={ports}", "--set",
                           "capture.ring=16MiB").wait_ready())
    answers = {}
    with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
        for part in pool.map(lambda way: drive_all(way, connections, rate_of, count_of), ways):
            answers |= part
    time.sleep(1)
    agent.stop()
    spans = index(agent.spans())
    return {key: Judgement(value, spans) for key, value in answers.items()}, agent.totals()
