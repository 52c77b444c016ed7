# SPDX-License-Identifier: Apache-2.0
"""Reads what `--record` wrote (the layout stands in agent/source/record.h), so that a test can
compare events with what its own programs sent."""
import dataclasses
import ipaddress
import pathlib
import struct

DATA, CLOSE, PROCESS = 0, 1, 2
IN, OUT = 0, 1
TCP, UDP, UNIX_STREAM, UNIX_SEQPACKET, UNIX_DATAGRAM, MPTCP = 6, 17, 201, 202, 203, 204
PART_CONNECTION, PART_PROCESS, PART_HOST, PART_UNIX = 1, 2, 4, 8


@dataclasses.dataclass
class Facts:
    local: tuple
    remote: tuple
    starts: tuple
    has_starts: bool
    transport: int
    comm: str
    name: bytes = b""
    name_is_remote: bool = False
    remote_tgid: int = 0


@dataclasses.dataclass
class Event:
    kind: int
    dir: int
    connection: int
    tgid: int
    tid: int
    time_ns: int
    position: int
    length: int
    data: bytes
    facts: Facts = None    # of this event
    known: Facts = None    # the connection's last ones


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        assert self.at <= len(self.data), "a recording that is cut"
        return self.data[self.at - n:self.at]

    def unpack(self, layout):
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def string(self):
        return self.take(self.unpack("<I")[0])


def endpoint(cursor):
    raw, port = cursor.unpack("<16sH")
    address = ipaddress.IPv6Address(raw)
    return str(address.ipv4_mapped or address), port


def connection_facts(cursor):
    local, remote = endpoint(cursor), endpoint(cursor)
    start_in, start_out, has_starts, transport, comm, _, _ = cursor.unpack("<QQBB16sQI")
    return Facts(local, remote, (start_in, start_out), bool(has_starts & 1), transport,
                 comm.rstrip(b"\0").decode())


def event_of(raw):
    cursor = Cursor(raw)
    (kind, direction, parts, time_ns, connection, tgid, tid, _, _, position,
     length) = cursor.unpack("<BBHQQIIQQQI")
    event = Event(kind, direction, connection, tgid, tid, time_ns, position, length,
                  cursor.string())
    if parts & PART_CONNECTION:
        event.facts = connection_facts(cursor)
    if parts & PART_UNIX:
        remote, event.facts.remote_tgid = cursor.unpack("<BI")
        event.facts.name_is_remote = bool(remote)
        event.facts.name = cursor.string()
    return event


def read(path):
    """All events, each with the facts that its connection had by then."""
    cursor = Cursor(pathlib.Path(path).read_bytes())
    assert cursor.take(8) == b"FTRECORD"
    cursor.take(8)
    events, known = [], {}
    while cursor.at < len(cursor.data):
        event = event_of(cursor.string())
        if event.facts:
            known[event.connection] = event.facts
        event.known = known.get(event.connection)
        events.append(event)
    return events
