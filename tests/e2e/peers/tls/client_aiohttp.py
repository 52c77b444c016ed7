# SPDX-License-Identifier: Apache-2.0
"""client_aiohttp.py CA URL... : GETs all, CONCURRENCY (100) at once; prints the number of answers
200."""
import asyncio
import os
import ssl
import sys

import aiohttp


async def main(authority, urls):
    context = ssl.create_default_context(cafile=authority)
    connector = aiohttp.TCPConnector(limit=int(os.environ.get("CONCURRENCY", 100)))
    async with aiohttp.ClientSession(connector=connector) as session:
        async def get(url):
            async with session.get(url, ssl=context) as answer:
                await answer.read()
                return answer.status == 200
        print(sum(await asyncio.gather(*map(get, urls))))


asyncio.run(main(sys.argv[1], sys.argv[2:]))
