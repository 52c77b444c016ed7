# SPDX-License-Identifier: Apache-2.0
"""What the tests of DNS share: named and dnsmasq with a zone, a client that counts, and tshark's
reading of a capture."""
import collections
import json
import os
import pathlib
import shutil
import subprocess

import flowtrace_e2e as e2e
import stores_e2e as stores

PYTHON = "/usr/bin/python3"  # which has Debian's dnspython
ZONE = """$TTL 300
@ IN SOA ns root 1 3600 600 86400 60
@ IN NS ns
@ IN MX 10 mail
ns IN A 127.0.0.1
web IN A 192.0.2.1
web IN A 192.0.2.2
web IN AAAA 2001:db8::1
www IN CNAME web
mail IN A 192.0.2.25
_http._tcp IN SRV 5 10 8080 web
note IN TXT "secret text"
*.w1.many IN A 192.0.2.9
*.w16.many IN A 192.0.2.9
*.w64.many IN A 192.0.2.9
""" + "".join(f'big IN TXT "{n:0200d}"\n' for n in range(10))

NAMED = """options {{
    directory "{directory}"; listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }};
    pid-file none; session-keyfile none; recursion no; notify no; dnssec-validation no;
    allow-transfer {{ any; }}; tcp-clients 1000;
}};
controls {{ }};
zone "shop.test" {{ type primary; file "shop.zone"; check-names ignore; }};
zone "broken.test" {{ type primary; file "missing.zone"; }};
"""

# (name, type, code) that the client below asks for, in turn.
QUESTIONS = [("web.shop.test", "A", "NOERROR"), ("web.shop.test", "AAAA", "NOERROR"),
             ("www.shop.test", "A", "NOERROR"), ("_http._tcp.shop.test", "SRV", "NOERROR"),
             ("shop.test", "MX", "NOERROR"), ("nope.shop.test", "A", "NXDOMAIN"),
             ("x.broken.test", "A", "SERVFAIL"), ("elsewhere.example", "A", "REFUSED")]

# Each worker asks all questions in turn, and counts the codes that dnspython read.
COUNTING = """
import collections, json, sys, threading
import dns.message, dns.query, dns.rcode
port, n, workers, how = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
questions = json.loads(sys.argv[5])
counts, lock = collections.Counter(), threading.Lock()
ask = {"udp": dns.query.udp, "tcp": dns.query.tcp}[how]
def work():
    mine = collections.Counter()
    for i in range(n):
        name, kind = questions[i % len(questions)][:2]
        answer = ask(dns.message.make_query(name, kind), "127.0.0.1", port=port, timeout=20)
        mine[f"{name} {kind} {dns.rcode.to_text(answer.rcode())}"] += 1
    with lock:
        counts.update(mine)
threads = [threading.Thread(target=work) for _ in range(workers)]
[t.start() for t in threads]
[t.join() for t in threads]
print(json.dumps(counts))
"""


class Named(e2e.Program):
    def __init__(self, directory, port, *, name="named", address="127.0.0.1", prefix=()):
        self.port = port
        folder = pathlib.Path(directory) / name
        folder.mkdir()
        (folder / "shop.zone").write_text(ZONE)
        config = folder / "named.conf"
        config.write_text(NAMED.format(directory=folder, port=self.port, address=address))
        super().__init__(directory, f"{name}-server", [
            *prefix, shutil.which("named") or "/usr/sbin/named", "-g", "-n", "2", "-c", config])
        e2e.wait_until(lambda: "all zones loaded" in self.errors() and "running" in self.errors(),
                       "named serves its zones")


class Dnsmasq(e2e.Program):
    """The same names from dnsmasq's own data; what it does not know it asks `upstream`."""

    def __init__(self, directory, upstream, *arguments, name="dnsmasq", port=None, prefix=()):
        self.port = port or e2e.free_port()
        super().__init__(directory, name, [
            *prefix, shutil.which("dnsmasq") or "/usr/sbin/dnsmasq", "--keep-in-foreground",
            "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--listen-address=127.0.0.1",
            "--bind-interfaces", f"--port={self.port}", "--pid-file=", "--user=root",
            "--cache-size=0", "--log-facility=-", "--dns-forward-max=1000",
            *([f"--server=127.0.0.1#{upstream}"] if upstream else []), *arguments])
        e2e.wait_until(lambda: "started" in self.errors(), "dnsmasq started")


class Capture(e2e.Program):
    """dumpcap on the loopback device, UDP and TCP of one port; read() after stop()."""

    def __init__(self, directory, port, name="capture"):
        self.file = pathlib.Path(directory) / f"{name}.pcap"
        self.port = port
        self.file.touch()
        os.chmod(self.file, 0o666)
        super().__init__(directory, name, ["dumpcap", "-q", "-i", "lo", "-f", f"port {port}", "-s",
                                           "0", "-B", "64", "-P", "-w", self.file])
        e2e.wait_until(lambda: "File:" in self.errors(), "dumpcap captures")

    def answers(self):
        """What tshark read of each answer: (name, type number, code, seconds)."""
        fields = ["dns.qry.name", "dns.qry.type", "dns.flags.rcode", "dns.time"]
        lines = stores.run("tshark", "-r", self.file, "-d", f"udp.port=={self.port},dns", "-d",
                           f"tcp.port=={self.port},dns", "-Y", "dns.flags.response == 1", "-T",
                           "fields", *[w for f in fields for w in ("-e", f)]).splitlines()
        return [(name, int(kind), int(code), float(seconds or "nan"))
                for name, kind, code, seconds in (line.split("\t") for line in lines)]


def ask(port, n, workers, how, questions=QUESTIONS):
    """A Counter of (name, type, code), by dnspython's own count."""
    text = stores.run(PYTHON, "-c", COUNTING, port, n, workers, how, json.dumps(questions))
    return collections.Counter({tuple(k.split()): v for k, v in json.loads(text).items()})


def dig(port, *arguments, prefix=()):
    return subprocess.run([*prefix, "dig", "@127.0.0.1", "-p", str(port), "+tries=1", "+time=5",
                           *arguments], capture_output=True, text=True, timeout=60, check=False)


def of_dns(spans, kind, name="dns"):
    return [s for s in spans if s.kind == kind and
            s.attributes.get("network.protocol.name") == name]


def said(span):
    """(name, type, code), as ask() counts them."""
    attributes = span.attributes
    return (attributes["dns.question.name"], attributes["flowtrace.dns.question.type"],
            attributes.get("flowtrace.dns.response.code", "none"))


def counts_of(spans):
    return collections.Counter(map(said, spans))
