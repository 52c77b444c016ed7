# SPDX-License-Identifier: Apache-2.0
"""client_aiohttp.py CA URL... : GETs all at once; prints the number of answers 200."""
import asyncio
import ssl
import sys

import aiohttp


async def main(authority, urls):
    context = ssl.create_default_context(cafile=authority)
    async with aiohttp.ClientSession() as session:
        async def get(url):
            async with session.get(url, ssl=context) as answer:
                await answer.read()
                return answer.status == 200
        print(sum(await asyncio.gather(*map(get, urls))))


asyncio.run(main(sys.argv[1], sys.argv[2:]))
