#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client.py HOST:PORT: the corpus' requests by Python's http.client and urllib."""
import http.client
import sys
import urllib.error
import urllib.request

place = sys.argv[1]
body = b"y" * 5000


def kept_alive():
    connection = http.client.HTTPConnection(place, timeout=10)
    for method, target, data, headers in (
            ("GET", "/small", None, {}), ("GET", "/small?page=2", None, {}),
            ("GET", "/chunked", None, {}), ("GET", "/large", None, {}), ("HEAD", "/small", None, {}),
            ("POST", "/echo", b"a=b", {}), ("PUT", "/echo", body, {}),
            ("POST", "/echo", iter([b"one", body[:1500], b"three"]), {"Transfer-Encoding": "chunked"}),
            ("GET", "/empty", None, {}), ("GET", "/unchanged", None, {}),
            ("GET", "/missing/17", None, {}), ("GET", "/error", None, {})):
        connection.request(method, target, data, headers,
                           encode_chunked="Transfer-Encoding" in headers)
        connection.getresponse().read()
    connection.close()


def alone():
    for path in ("/small", "/until-close", "/missing/18"):
        try:
            urllib.request.urlopen(f"http://{place}{path}", timeout=10).read()
        except urllib.error.HTTPError as error:
            error.read()


kept_alive()
alone()
