/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a body becomes, by route: the formats' own rules for success and failure, without a word of
 * how it came.
 */
#pragma once

#include "source/receiver/collect.h"

typedef void (*header_sink)(void *arg, struct bytes name, struct bytes value);

struct body {
    struct bytes bytes; /* as sent, but inflated */
    struct bytes content_type;
    void *connection;
    void (*each_header)(void *connection, header_sink sink, void *arg);
};

/* The answer is made even where the body is refused. */
struct answer {
    unsigned code; /* of HTTP */
    const char *content_type;
    struct buffer text;
};

struct route {
    const char *path;
    const char *expected; /* "application/json or ..." */
    bool (*takes)(struct bytes content_type);
    void (*answer)(struct collect *collect, const struct peer *peer, const struct body *body,
                   struct answer *answer);
    /* The answer to what went wrong before: `reason` is one clause. */
    void (*refuse)(struct bytes content_type, unsigned code, const char *reason,
                   struct answer *answer);
};

extern const struct route routes[];
extern const size_t route_count;

/* "application/json; charset=utf-8" is `type`. */
bool media_type_is(struct bytes content_type, struct bytes type);

/* otlp.c */
bool otlp_takes(struct bytes content_type);
void otlp_answer(struct collect *collect, const struct peer *peer, const struct body *body,
                 struct answer *answer);
void otlp_refuse(struct bytes content_type, unsigned code, const char *reason,
                 struct answer *answer);

/* events.c */
bool events_takes(struct bytes content_type);
void events_answer(struct collect *collect, const struct peer *peer, const struct body *body,
                   struct answer *answer);
void events_refuse(struct bytes content_type, unsigned code, const char *reason,
                   struct answer *answer);
