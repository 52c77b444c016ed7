/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of evidence and their fusion; the rule stands in evidence.h. */
#include "causality/evidence.h"

#include "base/macro.h"

static const struct finding nobody;

static struct finding one(struct cause *cause)
{
    return (struct finding){.count = FOUND_ONE, .cause = cause};
}

static const struct finding tie = {.count = FOUND_TIE};

/*
 * The thread that serves R sends, in a process that has shown itself thread-bound and has no
 * connections that cannot be read: an event loop looks thread-bound as long as one asks at a time,
 * and who else asks is not seen there.
 */
static struct finding find_by_thread(const struct inquiry *inquiry)
{
    bool another;
    struct cause *cause;

    if (!process_model_calls_are_bound(inquiry->model) ||
        inquiry->model->hides_until_ns == UINT64_MAX)
        return nobody;
    cause = process_model_of_thread(inquiry->model, inquiry->call->tid, inquiry->call->key,
                                    &another);
    return another ? tie : cause ? one(cause) : nobody;
}

/* One token's vote. Tokens that nobody's request explains are the process's own. */
static struct finding vote(const struct inquiry *inquiry, uint64_t token)
{
    struct process_model *model = inquiry->model;
    bool frequent = sketch_is_frequent(&model->sketch, token);
    struct token_owners owners = token_owners_of(inquiry->tokens, &model->spilled, token,
                                                 inquiry->call->key);

    sketch_add(&model->sketch, token, owners.n ? SKETCH_CALL : SKETCH_OWN);
    if (frequent || owners.n == 0)
        return nobody;
    return owners.n == 1 ? one(owners.owner) : tie;
}

/* Votes for two are a tie; a token that several have says nothing where another one decides. */
static struct finding add_vote(struct finding sum, struct finding vote)
{
    if (vote.count == FOUND_NONE)
        return sum;
    if (sum.count == FOUND_NONE || (sum.count == FOUND_TIE && !sum.cause))
        return vote.count == FOUND_ONE || sum.count == FOUND_NONE ? vote : sum;
    if (vote.count == FOUND_ONE && vote.cause != sum.cause)
        sum.count = FOUND_TIE; /* and its cause stays: for good */
    return sum;
}

/* A rare token of R is in the call, and in no other open request of the process. */
static struct finding find_by_content(const struct inquiry *inquiry)
{
    struct finding sum = nobody;
    uint64_t tokens[TOKEN_READ_MAX];

    for (size_t i = 0; i < ELEMENTSOF(inquiry->texts); i++) {
        struct bytes text = inquiry->texts[i];

        while (text.len) {
            size_t n = tokens_read(&text, inquiry->model->salt, inquiry->call->start_ns, tokens);

            for (size_t k = 0; k < n; k++)
                sum = add_vote(sum, vote(inquiry, tokens[k]));
        }
    }
    return sum;
}

/* R is the only request, of a process that is not thread-bound and hides none. */
static struct finding find_only(const struct inquiry *inquiry)
{
    const struct process_model *model = inquiry->model;
    size_t n = process_model_candidates(model, inquiry->call->key);

    if (n == 0 || process_model_calls_are_bound(model))
        return nobody;
    if (n > 1 || process_model_may_hide(model, inquiry->call->start_ns))
        return tie;
    return one(process_model_oldest(model, inquiry->call->key));
}

struct evidence_class {
    enum evidence evidence;
    struct finding (*find)(const struct inquiry *inquiry);
};

static const struct evidence_class classes[] = {
    {EVIDENCE_THREAD, find_by_thread},
    {EVIDENCE_CONTENT, find_by_content},
    {EVIDENCE_ONLY, find_only},
};

struct finding evidence_weigh(const struct inquiry *inquiry)
{
    struct finding decided = nobody;

    for (size_t i = 0; i < ELEMENTSOF(classes); i++) {
        struct finding found = classes[i].find(inquiry);

        found.evidence = classes[i].evidence;
        if (decided.count == FOUND_NONE) {
            decided = found;
        } else if (decided.count == FOUND_ONE && found.count == FOUND_ONE &&
                   found.cause != decided.cause) {
            decided.count = FOUND_TIE;
            process_model_note_contradiction(inquiry->model);
        }
    }
    if (decided.count == FOUND_NONE)
        decided.evidence = EVIDENCE_NONE;
    return decided;
}

struct finding evidence_of_content(const struct inquiry *inquiry)
{
    struct finding found = find_by_content(inquiry);

    found.evidence = found.count == FOUND_NONE ? EVIDENCE_NONE : EVIDENCE_CONTENT;
    return found;
}
