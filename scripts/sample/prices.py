#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A micro flow step: the gRPC call shop.Prices/Quote answers what an item costs, from Redis, or else
from PostgreSQL, whose answer Redis then keeps for a while. Items that begin with "gone" have no price.

Stock Python with grpcio, redis and psycopg2; it neither reads nor sets any tracing header.

    prices.py PORT REDIS_PORT POSTGRES_PORT
"""
import concurrent.futures
import signal
import sys
import threading

import grpc
import psycopg2
import redis

KEPT_SECONDS = 3
own = threading.local()


def connect(redis_port, postgres_port):
    own.redis = redis.Redis(port=redis_port)
    own.postgres = psycopg2.connect(host="127.0.0.1", port=postgres_port, user="postgres")
    own.postgres.autocommit = True


def look_up(kind):
    with own.postgres.cursor() as cursor:
        cursor.execute("SELECT price FROM prices WHERE kind = %s", (kind,))
        row = cursor.fetchone()
    return str(row[0]) if row else None


def quote(item, context):
    kind = item.decode().partition("-")[0]
    price = own.redis.get("price:" + kind)
    if price is None:
        price = look_up(kind)
        if price is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no price")
        own.redis.set("price:" + kind, price, ex=KEPT_SECONDS)
    return price if isinstance(price, bytes) else price.encode()


def main():
    port, *stores = map(int, sys.argv[1:])
    handlers = grpc.method_handlers_generic_handler(
        "shop.Prices", {"Quote": grpc.unary_unary_rpc_method_handler(quote)})
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(
        4, initializer=connect, initargs=stores))
    server.add_generic_rpc_handlers((handlers,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(1))
    server.wait_for_termination()


if __name__ == "__main__":
    main()
