# SPDX-License-Identifier: Apache-2.0
"""Serves the files of a folder: server.py PORT FOLDER"""
import functools
import http.server
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece, or each answer waits for an acknowledgement

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer.request_queue_size = 64
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), functools.partial(
    Handler, directory=sys.argv[2])).serve_forever()
