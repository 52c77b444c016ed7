/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiled policy and selection: what the settings say as text is turned into numbers once.
 * Each list answers for itself, and the answers meet like this:
 *
 *   any NO -> NO      else any LATER -> LATER      else YES
 */
#include "policy/internal.h"

#include "base/macro.h"
#include "config/forms.h"
#include "policy/glob.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

DEFINE_CLEANUP(struct policy, policy_free)

static int copy_list(const struct string_list *from, struct string_list *to)
{
    to->items = calloc(MAX(from->n, (size_t)1), sizeof(*to->items));
    if (!to->items)
        return -ENOMEM;
    for (; to->n < from->n; to->n++) {
        to->items[to->n] = strdup(from->items[to->n]);
        if (!to->items[to->n])
            return -ENOMEM;
    }
    return 0;
}

static int compile_ports(const struct string_list *from, struct policy *policy)
{
    policy->ports = calloc(MAX(from->n, (size_t)1), sizeof(*policy->ports));
    if (!policy->ports)
        return -ENOMEM;
    for (; policy->n_ports < from->n; policy->n_ports++) {
        struct port_range *range = &policy->ports[policy->n_ports];
        _unused_ int r = form_parse_ports(from->items[policy->n_ports], &range->first,
                                          &range->last);

        assert(r == 0);
    }
    return 0;
}

static int compile_netns(const struct string_list *from, struct policy *policy)
{
    policy->netns = calloc(MAX(from->n, (size_t)1), sizeof(*policy->netns));
    if (!policy->netns)
        return -ENOMEM;
    for (; policy->n_netns < from->n; policy->n_netns++) {
        _unused_ int r = form_parse_netns(from->items[policy->n_netns],
                                          &policy->netns[policy->n_netns]);

        assert(r == 0);
    }
    return 0;
}

int policy_new(const struct settings *settings, struct policy **ret_policy)
{
    _cleanup_(policy_freep) struct policy *policy = calloc(1, sizeof(*policy));

    if (!policy || copy_list(&settings->select_executables, &policy->executables) < 0 ||
        copy_list(&settings->select_cgroups, &policy->cgroups) < 0 ||
        copy_list(&settings->redact_query_keys, &policy->query_keys) < 0 ||
        compile_ports(&settings->select_ports, policy) < 0 ||
        compile_netns(&settings->select_netns, policy) < 0)
        return -ENOMEM;
    *ret_policy = TAKE_PTR(policy);
    return 0;
}

void policy_free(struct policy *policy)
{
    if (!policy)
        return;
    string_list_done(&policy->executables);
    string_list_done(&policy->cgroups);
    string_list_done(&policy->query_keys);
    free(policy->ports);
    free(policy->netns);
    free(policy);
}

static bool list_matches(const struct string_list *patterns, struct bytes text)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (glob_matches(patterns->items[i], text))
            return true;
    return false;
}

static struct bytes last_part(struct bytes path)
{
    for (size_t i = path.len; i > 0; i--)
        if (path.ptr[i - 1] == '/')
            return bytes_skip(path, i);
    return path;
}

static enum selection select_executable(const struct policy *policy,
                                        const struct policy_subject *subject)
{
    if (policy->executables.n == 0 || list_matches(&policy->executables, subject->comm))
        return SELECTION_YES;
    if (subject->executable.len &&
        list_matches(&policy->executables, last_part(subject->executable)))
        return SELECTION_YES;
    return subject->facts_known ? SELECTION_NO : SELECTION_LATER;
}

static enum selection select_cgroup(const struct policy *policy,
                                    const struct policy_subject *subject)
{
    if (policy->cgroups.n == 0)
        return SELECTION_YES;
    if (subject->cgroup.len && list_matches(&policy->cgroups, subject->cgroup))
        return SELECTION_YES;
    return subject->facts_known ? SELECTION_NO : SELECTION_LATER;
}

static enum selection select_ports(const struct policy *policy,
                                   const struct policy_subject *subject)
{
    for (size_t i = 0; i < policy->n_ports; i++) {
        const struct port_range *range = &policy->ports[i];

        if ((subject->local_port >= range->first && subject->local_port <= range->last) ||
            (subject->remote_port >= range->first && subject->remote_port <= range->last))
            return SELECTION_YES;
    }
    return policy->n_ports == 0 ? SELECTION_YES : SELECTION_NO;
}

static enum selection select_netns(const struct policy *policy,
                                   const struct policy_subject *subject)
{
    for (size_t i = 0; i < policy->n_netns; i++)
        if (subject->netns == policy->netns[i])
            return SELECTION_YES;
    return policy->n_netns == 0 ? SELECTION_YES : SELECTION_NO;
}

enum selection policy_select(const struct policy *policy, const struct policy_subject *subject)
{
    const enum selection answers[] = {
        select_ports(policy, subject),
        select_netns(policy, subject),
        select_executable(policy, subject),
        select_cgroup(policy, subject),
    };
    enum selection together = SELECTION_YES;

    for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
        if (answers[i] == SELECTION_NO)
            return SELECTION_NO;
        if (answers[i] == SELECTION_LATER)
            together = SELECTION_LATER;
    }
    return together;
}
