/* SPDX-License-Identifier: Apache-2.0 */
/* TLS attributes of a span: the version, the server's name, and the end of its certificate. */
#include "pipeline/internal.h"

#include "base/macro.h"
#include "span/semconv.h"

#include <time.h>

/* The numeric part of SSL_get_version's names, as the conventions ask. */
static const struct version {
    uint16_t number;
    struct bytes name, text;
} versions[] = {
    {0x0300, BYTES_LITERAL("ssl"), BYTES_LITERAL("3")},
    {0x0301, BYTES_LITERAL("tls"), BYTES_LITERAL("1")},
    {0x0302, BYTES_LITERAL("tls"), BYTES_LITERAL("1.1")},
    {0x0303, BYTES_LITERAL("tls"), BYTES_LITERAL("1.2")},
    {0x0304, BYTES_LITERAL("tls"), BYTES_LITERAL("1.3")},
};

static void add_version(uint16_t number, struct span *span)
{
    for (size_t i = 0; i < ELEMENTSOF(versions); i++) {
        if (versions[i].number != number)
            continue;
        span_add_text(span, SEMCONV_TLS_PROTOCOL_NAME, versions[i].name);
        span_add_text(span, SEMCONV_TLS_PROTOCOL_VERSION, versions[i].text);
    }
}

/* "2021-01-01T00:00:00.000Z" */
static void add_not_after(int64_t seconds, struct span *span)
{
    char text[64];
    struct tm tm;
    time_t time = seconds;

    if (!seconds || !gmtime_r(&time, &tm))
        return;
    span_add_text(span, SEMCONV_TLS_SERVER_NOT_AFTER,
                  arena_copy(span->arena,
                             bytes_make(text, strftime(text, sizeof(text), "%FT%T.000Z", &tm))));
}

/* Where the protocol did not tell whom the client asked, the handshake did. */
static void add_server_name(const struct exchange *exchange, struct span *span)
{
    struct bytes name = arena_copy(span->arena, exchange->name);

    if (!name.len)
        return;
    span_add_text(span, SEMCONV_TLS_CLIENT_SERVER_NAME, name);
    if (span_find(span, SEMCONV_SERVER_ADDRESS))
        return;
    span_add_text(span, SEMCONV_SERVER_ADDRESS, name);
    span_add_integer(span, SEMCONV_SERVER_PORT,
                     exchange->serves ? exchange->local.port : exchange->remote.port);
}

void add_tls(const struct exchange *exchange, struct span *span)
{
    if (!(exchange->request.flags & MESSAGE_SECURE))
        return;
    add_version(exchange->tls.version, span);
    add_not_after(exchange->tls.not_after, span);
    add_server_name(exchange, span);
}
