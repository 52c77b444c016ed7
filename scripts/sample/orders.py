#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A micro flow step: GET /orders/ID asks the stock service for /stock/ID and, where there is one, the
price service for a quote (gRPC), and answers with all.

Stock Python, one thread per connection, keep-alive on both sides; it neither sets nor forwards any
tracing header.

    orders.py PORT STOCK_PORT [PRICES_PORT]
"""
import http.client
import http.server
import json
import signal
import sys
import threading

own = threading.local()


def ask_stock(order):
    """Status and body of the stock service's answer, over this thread's own connection."""
    for attempt in (1, 2):
        if getattr(own, "connection", None) is None:
            own.connection = http.client.HTTPConnection("127.0.0.1", STOCK_PORT, timeout=30)
        try:
            own.connection.request("GET", "/stock/" + order)
            response = own.connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException):
            own.connection = None
            if attempt == 2:
                return 502, {"error": "no stock service"}


def ask_price(order):
    grpc, quote = PRICES
    try:
        return quote(order.encode(), timeout=10).decode()
    except grpc.RpcError as error:
        return error.code().name


def open_prices(port):
    """gRPC, which only this needs, and the call."""
    import grpc
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    return grpc, channel.unary_unary("/shop.Prices/Quote")


class Orders(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body of a response in one send

    def do_GET(self):
        if not self.path.startswith("/orders/"):
            return self.answer(404, {"error": "only /orders/ID is known"})
        order = self.path[len("/orders/"):].partition("?")[0]
        status, stock = ask_stock(order)
        answer = {"order": order, "stock": stock}
        if PRICES:
            answer["price"] = ask_price(order)
        return self.answer(status, answer)

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    STOCK_PORT = int(sys.argv[2])
    PRICES = open_prices(sys.argv[3]) if len(sys.argv) > 3 else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Server(("127.0.0.1", int(sys.argv[1])), Orders).serve_forever()
