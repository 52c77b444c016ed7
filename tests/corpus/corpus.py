# SPDX-License-Identifier: Apache-2.0
"""What `make` and `check` share: the file in which tshark's reading of a capture is kept.

One line per request, tab-separated, connections by their client's port, in the order of the wire:

    port  version  method  target  host  status  user agent      status 0: no response
"""
import collections
import csv
import os
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent
RECORDINGS = pathlib.Path(os.environ.get("FLOWTRACE_CORPUS", FOLDER / "recordings"))

Exchange = collections.namedtuple("Exchange", "port version method target host status agent")


def write_reading(path, exchanges):
    with open(path, "w", newline="") as file:
        csv.writer(file, "excel-tab", lineterminator="\n").writerows(exchanges)


def read_reading(path):
    with open(path, newline="") as file:
        return [Exchange(int(row[0]), *row[1:5], int(row[5]), row[6])
                for row in csv.reader(file, "excel-tab")]


def by_connection(exchanges):
    connections = collections.defaultdict(list)
    for exchange in exchanges:
        connections[exchange.port].append(exchange)
    return connections
