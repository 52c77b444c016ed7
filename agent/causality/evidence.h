/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What speaks for whom: the classes of evidence for the parent of a call, strongest first, and the
 * one rule that fuses them. A class looks at the open requests of the calling process and finds
 * nobody, one, or more than one of them. A new class is a function and a row of the table in
 * evidence.c.
 *
 * The rule: the strongest class that finds anybody decides. More than one is a tie; so is a weaker
 * class that names somebody else. A tie is unknown, for a wrong parent is worse than none.
 */
#pragma once

#include "causality/process.h"
#include "causality/tokens.h"

enum finding_count { FOUND_NONE, FOUND_ONE, FOUND_TIE };

struct finding {
    enum finding_count count;
    struct cause *cause;    /* with ONE */
    enum evidence evidence; /* the class that decided */
};

/* What a class may look at. */
struct inquiry {
    const struct token_index *tokens;
    struct process_model *model; /* of the calling process; learns the call's tokens */
    const struct cause *call;
    struct bytes texts[2];       /* the call's head and body, as far as they are known */
};

struct finding evidence_weigh(const struct inquiry *inquiry);

/* Body bytes that came later: what the tokens say alone. */
struct finding evidence_of_content(const struct inquiry *inquiry);
