/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the OTLP exporters have in common: their settings, the standard environment variables, and
 * what follows from both (OpenTelemetry specification, protocol/exporter.md). For each thing, the
 * first of these that is there counts; a variable that is empty counts as unset, and so does, with a
 * warning, one that is no number, encoding or header where that is asked for. A setting that is set
 * to nothing counts: "headers=" is no header, whatever the environment says.
 *
 *   the target behind --export (endpoints), else the setting     otlp.headers, ...
 *   the variable of the signal                                   OTEL_EXPORTER_OTLP_TRACES_HEADERS
 *   the variable for all signals                                 OTEL_EXPORTER_OTLP_HEADERS
 *   the default
 */
#pragma once

#include "exporters/exporter.h"

#define OTLP_HEADERS_MAX 32
#define OTLP_ENDPOINTS_MAX 8

/* NULL, a list without an array and SETTING_NOT_SET: not set. */
struct otlp_settings {
    char *ca, *certificate, *key; /* files, PEM; "": none */
    struct string_list headers;   /* NAME=VALUE, or NAME=file:PATH, NAME=env:NAME */
    char *compression;            /* "", "none", "gzip" */
    char *insecure;               /* "", "true", "false": an endpoint without a scheme is plain */
    uint64_t timeout;             /* 0: send.timeout */
    uint64_t max_message;         /* bytes of a request before it is compressed */
};

bool otlp_is_compression(const char *text);
bool otlp_is_header(const char *text);
bool otlp_is_insecure(const char *text);
extern const struct setting_form otlp_form_compression;
extern const struct setting_form otlp_form_insecure;
extern const struct setting_form otlp_form_header;

#define OTLP_AT(member) .offset = offsetof(struct otlp_settings, member)

/* Rows for the section of an exporter whose struct begins with a struct otlp_settings. */
#define OTLP_SETTING_ROWS                                                                          \
    {"ca", SETTING_TEXT, "", OTLP_AT(ca), .optional = true,                                        \
     .description = "File with the certificates (PEM) that a backend's must come from; not set: "  \
                    "`OTEL_EXPORTER_OTLP_CERTIFICATE`; empty: the system's."},                     \
    {"certificate", SETTING_TEXT, "", OTLP_AT(certificate), .optional = true,                      \
     .description = "File with the certificate (PEM) that the agent shows; not set: "              \
                    "`OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`; empty: none. It, its key and `ca` "  \
                    "are read again when they change."},                                           \
    {"key", SETTING_TEXT, "", OTLP_AT(key), .optional = true,                                      \
     .description = "File with its private key (PEM); not set: `OTEL_EXPORTER_OTLP_CLIENT_KEY`."}, \
    {"headers", SETTING_LIST, "", OTLP_AT(headers), .form = &otlp_form_header, .secret = true,     \
     .optional = true,                                                                             \
     .description = "Headers of each request. `NAME=file:PATH` and `NAME=env:VARIABLE` read the "  \
                    "value at the start from there; not set: `OTEL_EXPORTER_OTLP_HEADERS`."},      \
    {"compression", SETTING_TEXT, "", OTLP_AT(compression), .form = &otlp_form_compression,        \
     .optional = true,                                                                             \
     .description = "Of requests; not set: `OTEL_EXPORTER_OTLP_COMPRESSION`, else none."},         \
    {"insecure", SETTING_TEXT, "", OTLP_AT(insecure), .form = &otlp_form_insecure,                 \
     .optional = true,                                                                             \
     .description = "An endpoint without a scheme is spoken to in plain text, not over TLS; "      \
                    "not set: `OTEL_EXPORTER_OTLP_INSECURE`, else false."},                        \
    {"timeout", SETTING_DURATION, "", 0, UINT64_C(300000000000), OTLP_AT(timeout),                 \
     .optional = true,                                                                             \
     .description = "How long one request may take; not set: `OTEL_EXPORTER_OTLP_TIMEOUT` "        \
                    "(milliseconds); 0, and without that: `send.timeout`."},                       \
    {"max_message", SETTING_SIZE, "4MiB", 1 << 10, 64 << 20, OTLP_AT(max_message),                \
     .description = "A request that would be larger, before it is compressed, is split. gRPC's "   \
                    "servers take 4 MiB by default."}

/* The part of "A,B,C" that begins at *at, which is moved behind it; NULL at the end. Owned. */
char *otlp_next_endpoint(const char **at);

/* NULL or the value of the first of OTEL_EXPORTER_OTLP_TRACES_{name}, OTEL_EXPORTER_OTLP_{name}
 * that is not empty; *ret_of_signal tells which. */
const char *otlp_environment(const char *name, bool *ret_of_signal);

struct otlp_header {
    char *name; /* in lower case */
    char *value;
};

/* Everything decided but the endpoints, which differ between the exporters. */
struct otlp_choice {
    const char *ca, *certificate, *key; /* "": none. Of the settings or the environment */
    struct otlp_header headers[OTLP_HEADERS_MAX];
    size_t n_headers;
    bool gzip;
    bool insecure;
    uint64_t timeout_ns;
    size_t max_message;
};

/*
 * `name` is the exporter's, for what is logged: what is wrong, never a header's value. The choice
 * is freed by otlp_choice_done, also after a failure. Returns 0 or a negative errno.
 */
int otlp_choose(const char *name, const struct otlp_settings *settings, uint64_t send_timeout_ns,
                struct otlp_choice *ret_choice);
void otlp_choice_done(struct otlp_choice *choice);
