# SPDX-License-Identifier: Apache-2.0
"""server_aiohttp.py PORT CERTIFICATE KEY : answers everything with 200."""
import ssl
import sys

from aiohttp import web


async def answer(_request):
    return web.Response(text="aiohttp\n")

app = web.Application()
app.router.add_get("/{path:.*}", answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), ssl_context=context, print=None)
