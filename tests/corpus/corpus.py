# SPDX-License-Identifier: Apache-2.0
"""What `make`, `check` and `mutate` share: recordings as lists of events, and the file in which
tshark's reading of a capture is kept.

One line per request, tab-separated, connections by their client's port, in the order of the wire:

    port  version  method  target  host  status  user agent  bytes of the bodies, both ways

Status 0: no response. The sizes are those of Content-Length, where there is a body, or, with a "~"
in front, the sum of the chunks; empty where neither is.
"""
import collections
import csv
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "e2e"))
import flowtrace_e2e as e2e  # noqa: E402

RECORDINGS = pathlib.Path(os.environ.get("FLOWTRACE_CORPUS", FOLDER / "recordings"))

Exchange = collections.namedtuple(
    "Exchange", "port version method target host status agent sent received")


def write_reading(path, exchanges):
    with open(path, "w", newline="") as file:
        csv.writer(file, "excel-tab", lineterminator="\n").writerows(exchanges)


def read_reading(path):
    with open(path, newline="") as file:
        return [Exchange(int(row[0]), *row[1:5], int(row[5]), *row[6:9])
                for row in csv.reader(file, "excel-tab")]


def by_connection(exchanges):
    connections = collections.defaultdict(list)
    for exchange in exchanges:
        connections[exchange.port].append(exchange)
    return connections


def replay(agent, recording):
    """The spans, and the counters of the run."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "spans.jsonl"
        done = subprocess.run([agent, "replay", recording, "--export", f"file:{path}", "--set",
                               "status.listen="], capture_output=True, text=True, timeout=60,
                              check=False)
        if done.returncode:
            raise AssertionError(f"the replay failed: {done.stderr}")
        return e2e.read_spans(path), e2e.parse_counters(done.stderr)


# ---- recordings, as agent/source/record.h lays them out -------------------------------------

DATA, PROCESS = 0, 2  # enum event_kind
FILE_HEAD = 16
PREFIX = struct.Struct("<BBHQQIIQQQII")  # up to the length of the data


class Event:
    """One event; `rest` are the facts behind its data."""

    def __init__(self, content):
        (self.kind, self.direction, self.parts, self.time, self.connection, self.process,
         self.thread, self.start, self.coroutine, self.position, self.length,
         captured) = PREFIX.unpack_from(content)
        self.data = content[PREFIX.size:PREFIX.size + captured]
        self.rest = content[PREFIX.size + captured:]

    def encode(self):
        content = PREFIX.pack(self.kind, self.direction, self.parts, self.time, self.connection,
                              self.process, self.thread, self.start, self.coroutine,
                              self.position, self.length, len(self.data)) + self.data + self.rest
        return struct.pack("<I", len(content)) + content


def read_events(path):
    content = path.read_bytes()
    events, at = [], FILE_HEAD
    while at < len(content):
        end = at + 4 + struct.unpack_from("<I", content, at)[0]
        events.append(Event(content[at + 4:end]))
        at = end
    return content[:FILE_HEAD], events


def write_events(path, head, events):
    path.write_bytes(head + b"".join(event.encode() for event in events))
