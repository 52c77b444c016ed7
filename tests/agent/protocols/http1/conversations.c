/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x conversations for the shared harness; the shapes are those of RFC 9112 and RFC 9110. */
#include "../harness.h"

#include "protocols/http1/http1.h"

#include "base/macro.h"

extern const struct fixture http1_fixture;

#define TRACEPARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static const struct conversation conversations[] = {
    CONVERSATION("a plain exchange", 2,
        CLIENT("GET /orders/17?full=1 HTTP/1.1\r\nHost: shop:8080\r\nUser-Agent: curl/7.88.1\r\n"
               "Accept: */*\r\ntraceparent: " TRACEPARENT "\r\ntracestate: a=1,b=2\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 5\r\n\r\nhello")),
    CONVERSATION("keep-alive with bodies in both directions", 4,
        CLIENT("POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 11\r\n\r\n{\"id\": 123}"),
        SERVER("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"),
        CLIENT("DELETE /orders/123 HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 204 No Content\r\n\r\n")),
    CONVERSATION("chunked, with an extension and a trailer", 3,
        CLIENT("GET /stream HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Digest\r\n\r\n"
               "5\r\nhello\r\nA;name=value\r\n0123456789\r\n"),
        SERVER("0\r\nDigest: x\r\n\r\n")),
    CONVERSATION("a chunked upload", 4,
        CLIENT("PUT /files/a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
               "3 \r\nabc\r\n0\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        CLIENT("GET / HTTP/1.1\r\n\r\n")),
    FRAGILE_CONVERSATION("pipelining with HEAD between", 6,
        CLIENT("GET /a HTTP/1.1\r\nHost: shop\r\n\r\nHEAD /b HTTP/1.1\r\nHost: shop\r\n\r\n"
               "GET /c HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
               "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
               "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n")),
    CONVERSATION("expect: 100-continue", 3,
        CLIENT("POST /big HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\n"
               "Content-Length: 4\r\n\r\n"),
        SERVER("HTTP/1.1 100 Continue\r\n\r\n"),
        CLIENT("body"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
    CONVERSATION("an upgrade", 2,
        CLIENT("GET /chat HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\n\r\n"),
        SERVER("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"),
        CLIENT("\x81\x85\x01\x02\x03\x04hello")),
    CONVERSATION("a tunnel", 2,
        CLIENT("CONNECT shop:443 HTTP/1.1\r\nHost: shop:443\r\n\r\n"),
        SERVER("HTTP/1.1 200 Connection established\r\n\r\n"),
        CLIENT("\x16\x03\x01\x02\x00")),
    CONVERSATION("HTTP/1.0 until the close", 2,
        CLIENT("GET / HTTP/1.0\r\n\r\n"),
        SERVER("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>HTTP/1.0 200 OK\r\n")),
    CONVERSATION("bare line feeds, folding and empty lines", 4,
        CLIENT("GET /old HTTP/1.1\nHost: shop\nUser-Agent: one\n two\n\n"),
        SERVER("HTTP/1.1 200 \nContent-Length:\n 2\n\nok"),
        CLIENT("\r\n\r\nGET /next HTTP/1.1\nHost: shop\n\n"),
        SERVER("\r\nHTTP/1.1 404\nContent-Length: 0\n\n")),
};

const struct fixture http1_fixture = {
    .protocol = &http1_protocol,
    .conversations = conversations,
    .n_conversations = ELEMENTSOF(conversations),
};
