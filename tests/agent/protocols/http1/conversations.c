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
    CONVERSATION("empty lines before everything", 2,
        CLIENT("\r\n\r\nGET /first HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
    CONVERSATION("a context of every format", 2,
        CLIENT("GET /a HTTP/1.1\r\nHost: shop\r\nTraceparent: " TRACEPARENT "\r\n"
               "tracestate: a=1\r\nTRACESTATE: b=2\r\nbaggage: user=x\r\n"
               "B3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1\r\n"
               "X-B3-TraceId: 463ac35c9f6413ad48485a3953bb6124\r\nX-B3-SpanId: a2fb4a1d1a96d312\r\n"
               "X-B3-Sampled: 1\r\n"
               "uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:f067aa0ba902b7:0:1\r\n"
               "x-datadog-trace-id: 1\r\nx-datadog-parent-id: 2\r\nsw8: 1-YQ==-YQ==-0-a-b-c-d\r\n"
               "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793\r\n"
               "grpc-trace-bin: AAAK\r\n\r\n"),
        SERVER("HTTP/1.1 204 No Content\r\n\r\n")),
    CONVERSATION("an answer before the request has ended", 4,
        CLIENT("POST /big HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhalf "),
        SERVER("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"),
        CLIENT("more.GET /next HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
    CONVERSATION("an answer before the last chunk", 5,
        CLIENT("POST /big HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
               "4\r\nhalf\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        CLIENT("0\r\nDigest: x\r\n\r\nGET /next HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
    CONVERSATION("hints and progress before the answer", 5,
        CLIENT("PUT /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 1\r\n\r\n1"),
        SERVER("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"),
        SERVER("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")),
    CONVERSATION("a time-out that answers nothing", 3,
        CLIENT("GET /a HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        SERVER("HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
               "late")),
    CONVERSATION("targets for a proxy and for the server itself", 6,
        CLIENT("GET http://user@shop:8080/a?b=c HTTP/1.1\r\nHost: proxy\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        CLIENT("OPTIONS * HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 204 No Content\r\n\r\n"),
        CLIENT("GET http://[::1]:80?x HTTP/1.1\r\nHost: [::1]\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
    CONVERSATION("an upgrade and a tunnel that are refused", 6,
        CLIENT("GET /a HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade, HTTP2-Settings\r\n"
               "Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"),
        CLIENT("CONNECT shop:443 HTTP/1.1\r\nHost: shop:443\r\n\r\n"),
        SERVER("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"),
        CLIENT("GET /b HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
    CONVERSATION("HTTP/1.0 that keeps the connection", 4,
        CLIENT("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        SERVER("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"),
        CLIENT("HEAD /b HTTP/1.0\r\n\r\n"),
        SERVER("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n")),
    CONVERSATION("both framings, and what else can be read in two ways", 6,
        CLIENT("POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 6\r\n"
               "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
        CLIENT("GET /b HTTP/1.1\r\nHost: shop\r\nHost: other\r\nX: a\rb\r\n folded\r\n\r\n"),
        SERVER("HTTP/1.0 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n2\nok\r\n0\r\n\r\n")),
    FRAGILE_CONVERSATION("blanks in request lines, and odd versions", 8,
        CLIENT("GET   /a \tHTTP/1.1 \r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        CLIENT("GET /b c HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        CLIENT("PUT /d HTTP/1.10\r\nHost: shop\r\nContent-Length: 1\r\n\r\nd"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        CLIENT("GET /e HTTP/1.x\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")),
    CONVERSATION("chunks with blanks, bare line ends and odd names behind them", 5,
        CLIENT("PUT /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
               "3 \t\r\nabc\r\n2;a\rb\r\nab\r\n0\nno header\nX : y\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nno header\nX(: y\r\nContent-Length: 0\n\r\n"),
        CLIENT("GET /b HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 204 No Content\r\n\r\n")),
    FRAGILE_CONVERSATION("chunks whose size is no number", 4,
        CLIENT("PUT /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
               "10000000000000003\r\nabc\r\n0\r\n\r\n"),
        SERVER("HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n"
               "+2\r\nno\r\n0\r\n\r\n")),
    CONVERSATION("a gRPC-Web call, its status in the body", 8,
        CLIENT("POST /shop.Orders/Get HTTP/1.1\r\nHost: shop:8080\r\n"
               "content-type: application/grpc-web+proto\r\ngrpc-timeout: 1S\r\n"
               "Content-Length: 8\r\n\r\n\0\0\0\0\3ask"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web+proto\r\n"
               "Transfer-Encoding: chunked\r\n\r\n5\r\n\0\0\0\0\4\r\n4\r\ntold\r\n"),
        SERVER("14\r\n\x80\0\0\0\17grpc-status:5\r\n\r\n0\r\n\r\n"),
        CLIENT("POST /shop.Orders/List HTTP/1.1\r\nHost: shop:8080\r\n"
               "content-type: application/grpc-web-text\r\nTransfer-Encoding: chunked\r\n\r\n"
               "8\r\nAAAAAAA=\r\n0\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web-text\r\n"
               "Content-Length: 40\r\n\r\n"
               "AAAAAAJvaw==gAAAAA9ncnBjLXN0YXR1czowDQo=")),
    CONVERSATION("a gRPC-Web call whose trailers are compressed", 4,
        CLIENT("POST /shop.Orders/Get HTTP/1.1\r\nHost: shop:8080\r\n"
               "content-type: application/grpc-web+proto\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web+proto\r\n"
               "Content-Length: 49\r\n\r\n\0\0\0\0\4told\x81\0\0\0\043"
               "\037\213\010\000\000\000\000\000\002\003\113\057\052\110\326\055\056"
               "\111\054\051\055\266\062\345\345\002\000\205\150\132\024\017\000\000"
               "\000")),
    FRAGILE_CONVERSATION("a body without a known end", 4,
        CLIENT("POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 4, 5\r\n\r\nbody"),
        SERVER("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        CLIENT("GET /b HTTP/1.1\r\nHost: shop\r\n\r\n"),
        SERVER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
};

const struct fixture http1_fixture = {
    .protocol = &http1_protocol,
    .conversations = conversations,
    .n_conversations = ELEMENTSOF(conversations),
};
