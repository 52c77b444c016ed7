/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations of the template protocol for the shared harness. */
#include "../harness.h"

#include "protocols/template/template.h"

#include "base/macro.h"

extern const struct fixture template_fixture;

static const struct conversation conversations[] = {
    CONVERSATION("a question and its answer", 2,
        CLIENT("GET apples\n"),
        SERVER("OK 17\n")),
    CONVERSATION("questions in a row, the second refused", 4,
        CLIENT("ADD apples\nADD pears\n"),
        SERVER("OK 18\nERR full\n")),
};

const struct fixture template_fixture = {
    .protocol = &template_protocol,
    .conversations = conversations,
    .n_conversations = ELEMENTSOF(conversations),
};
