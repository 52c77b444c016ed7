/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is traced, and what of it leaves the agent: selection and redaction, as pure functions of an
 * immutable policy that is compiled once from the settings.
 */
#pragma once

#include "config/settings.h"
#include "span/span.h"

struct policy;

/* Logs nothing; bad patterns are refused by settings_load already. 0 or -ENOMEM. */
int policy_new(const struct settings *settings, struct policy **ret_policy);
void policy_free(struct policy *policy); /* NULL is fine */

enum selection {
    SELECTION_YES,
    SELECTION_NO,
    SELECTION_LATER, /* depends on the executable or cgroup, which are not known yet */
};

struct policy_subject {
    struct bytes comm;
    struct bytes executable; /* path; empty where unknown */
    struct bytes cgroup;     /* path; empty where unknown */
    bool facts_known;        /* executable and cgroup will not become better known */
    uint16_t local_port;
    uint16_t remote_port;
    uint32_t netns;
};

/* Every non-empty select.* list must match (executables: the path's last part, or the comm). */
enum selection policy_select(const struct policy *policy, const struct policy_subject *subject);

/*
 * Masks the values of secret-looking keys (redact.query_keys) in url.query and url.full, by
 * REDACTED, and user information there and in url.path. New strings go to span->arena; where it is
 * full the whole attribute is masked. Nothing raw passes this line.
 */
void policy_redact(const struct policy *policy, struct span *span);
