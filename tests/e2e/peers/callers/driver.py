#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a caller at a steady rate, over connections that it keeps, and prints a JSON line for each
answer: the id, the status, the body (the key of the inner call), and how late it began.

    driver.py PORT CONNECTIONS RATE COUNT PREFIX"""
import asyncio
import json
import sys
import time

PORT, CONNECTIONS, RATE, COUNT = map(int, sys.argv[1:5])
PREFIX = sys.argv[5]


async def ask(reader, writer, name):
    writer.write(f"GET /x/{name} HTTP/1.1\r\nHost: caller\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if "content-length" in fields:
        body = await reader.readexactly(int(fields["content-length"]))
    else:
        size = int(await reader.readuntil(b"\r\n"), 16)
        body = await reader.readexactly(size)
        await reader.readuntil(b"0\r\n\r\n")
    return int(head.split(" ")[1]), body.decode()


async def connection(numbers, begin):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    for n in numbers:
        due = begin + n / RATE
        await asyncio.sleep(max(0, due - time.monotonic()))
        late = time.monotonic() - due
        name = f"{PREFIX}-{n}"
        status, body = await ask(reader, writer, name)
        print(json.dumps({"id": name, "status": status, "key": body, "late": round(late, 4)}))
    writer.close()


async def main():
    numbers, begin = iter(range(COUNT)), time.monotonic() + 0.05
    await asyncio.gather(*(connection(numbers, begin) for _ in range(CONNECTIONS)))


asyncio.run(main())
