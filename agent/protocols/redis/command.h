/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of Redis 7 and of its usual modules, as far as an observer must know them: which
 * words begin a connection, and which commands change what the following bytes mean.
 */
#pragma once

#include "base/bytes.h"

#define COMMAND_NAME_MAX 64 /* bytes; the longest known one has 20 */

enum command_kind {
    COMMAND_PLAIN,
    COMMAND_CONTAINER,   /* its second word is a keyword: CONFIG GET */
    COMMAND_CLIENT,      /* a container too; CLIENT REPLY silences the server */
    COMMAND_SELECT,      /* changes the database */
    COMMAND_RESET,       /* ... back to 0 */
    COMMAND_PUBLISH,     /* its second word is a channel */
    COMMAND_SUBSCRIBE,   /* one answer for each channel */
    COMMAND_UNSUBSCRIBE, /* ... or for all */
    COMMAND_KEEP,        /* allowed while a RESP2 connection is subscribed */
    COMMAND_STREAM,      /* what follows its answer is no RESP: MONITOR, PSYNC */
};

struct command {
    const char *name; /* upper case */
    enum command_kind kind;
    bool word; /* in lower case it is a word that data may begin with as well */
};

/* By name in any case; NULL: unknown. */
const struct command *command_find(struct bytes name);

/* Is `name` a command, or a module's ("JSON.GET")? */
bool command_is_known(struct bytes name);

/* ... and in a form that data would not have by chance? */
bool command_is_telling(struct bytes name);
