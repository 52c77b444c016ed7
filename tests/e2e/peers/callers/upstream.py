#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the callers call: GET /y/KEY is answered with KEY, after 5 to 25 ms that depend on it.

    upstream.py PORT"""
import asyncio
import sys
import zlib


async def serve(reader, writer):
    while True:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        key = request.split(b" ", 2)[1].rpartition(b"/")[2]
        mark = zlib.crc32(key)
        await asyncio.sleep(0.005 + mark % 20 / 1000)
        writer.write(b"HTTP/1.1 %d Yes\r\nContent-Length: %d\r\n\r\n%s" % (200 + mark % 4, len(key),
                                                                          key))


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    async with server:
        await server.serve_forever()


asyncio.run(main())
