/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_span.h"

#include "base/clock.h"
#include "span/semconv.h"

void bench_span_make(struct span *span, const char *path)
{
    span_reset(span, NULL);
    memset(&span->trace_id, 0x5a, sizeof(span->trace_id));
    memset(&span->span_id, 0xa5, sizeof(span->span_id));
    memset(&span->parent_span_id, 0x3c, sizeof(span->parent_span_id));
    span->flags = 1;
    span->kind = SPAN_KIND_CLIENT;
    span->name = BYTES_LITERAL("GET /api/v1/orders/{id}");
    span->start_ns = UINT64_C(1704067200000000000);
    span->end_ns = span->start_ns + NS_PER_MS;
    span_add_text(span, BYTES_LITERAL("http.request.method"), BYTES_LITERAL("GET"));
    span_add_text(span, BYTES_LITERAL("url.path"), bytes_from_string(path));
    span_add_text(span, BYTES_LITERAL("url.scheme"), BYTES_LITERAL("http"));
    span_add_text(span, BYTES_LITERAL("url.full"),
                  BYTES_LITERAL("http://orders.shop.svc:8080/api/v1/orders/17?expand=lines"));
    span_add_integer(span, BYTES_LITERAL("http.response.status_code"), 200);
    span_add_integer(span, BYTES_LITERAL("http.response.body.size"), 48211);
    span_add_text(span, BYTES_LITERAL("user_agent.original"),
                  BYTES_LITERAL("Apache-HttpClient/5.2.1 (Java/17.0.9)"));
    span_add_text(span, SEMCONV_SERVER_ADDRESS, BYTES_LITERAL("orders.shop.svc"));
    span_add_integer(span, SEMCONV_SERVER_PORT, 8080);
    span_add_text(span, SEMCONV_NETWORK_PEER_ADDRESS, BYTES_LITERAL("10.42.17.3"));
    span_add_integer(span, SEMCONV_NETWORK_PEER_PORT, 8080);
    span_add_text(span, SEMCONV_NETWORK_TRANSPORT, BYTES_LITERAL("tcp"));
    span_add_text(span, SEMCONV_NETWORK_PROTOCOL_NAME, BYTES_LITERAL("http"));
    span_add_text(span, SEMCONV_NETWORK_PROTOCOL_VERSION, BYTES_LITERAL("1.1"));
    span_add_text(span, FLOWTRACE_PARENT_EVIDENCE, BYTES_LITERAL("thread"));
}
