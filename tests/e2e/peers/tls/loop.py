# SPDX-License-Identifier: Apache-2.0
"""loop.py CERTIFICATE KEY N : an HTTPS server and its client in one process, by the standard library
alone; prints the number of answers 200."""
import http.client
import http.server
import ssl
import sys
import threading


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_):
        pass


certificate, key, n = sys.argv[1:]
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = http.client.HTTPSConnection("127.0.0.1", server.server_port,
                                     context=ssl._create_unverified_context())
good = 0
for i in range(int(n)):
    client.request("GET", f"/secure/{i}")
    answer = client.getresponse()
    answer.read()
    good += answer.status == 200
client.close()
print(good)
