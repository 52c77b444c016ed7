/* SPDX-License-Identifier: Apache-2.0 */
/* What the OTLP exporters do alike; the contracts stand in common.h. */
#include "exporters/otlp/common.h"

#include "base/log.h"
#include "base/macro.h"

#include <errno.h>
#include <stdio.h>

#define SHOWN_MAX 200

int otlp_common_open(const char *name, const struct exporter_options *options,
                     struct otlp_common *ret_common)
{
    *ret_common = (struct otlp_common){.name = name, .stopping = options->stopping};
    return otlp_choose(name, options->settings, options->send_timeout_ns, &ret_common->choice);
}

void otlp_common_done(struct otlp_common *common)
{
    otlp_choice_done(&common->choice);
    otlp_tls_done(&common->tls);
}

int otlp_shown(const char *endpoint)
{
    return (int)MIN(strcspn(endpoint, "?#"), (size_t)SHOWN_MAX);
}

static int add_endpoint(struct otlp_common *common, const char *text, enum otlp_origin origin,
                        otlp_endpoint_sink sink)
{
    const char *problem = NULL;
    bool tls = false;
    int r;

    if (common->n_endpoints == OTLP_ENDPOINTS_MAX)
        return log_error(-E2BIG, "exporter %s: more than %d endpoints", common->name,
                         OTLP_ENDPOINTS_MAX);
    r = sink(common, text, origin, &tls, &problem);
    /* "user:password@host" is what is refused, among others. */
    if (r < 0 && problem)
        log_error(0, "exporter %s: %.*s: %s", common->name, otlp_shown(text),
                  strchr(text, '@') ? "a URL" : text, problem);
    common->n_endpoints += r == 0;
    common->has_tls |= tls;
    return r;
}

int otlp_open_endpoints(struct otlp_common *common, const char *target, const char *fallback,
                        otlp_endpoint_sink sink)
{
    enum otlp_origin origin = OTLP_GIVEN;
    bool of_signal = false;
    int r = 0;

    if (!*target) {
        target = otlp_environment("ENDPOINT", &of_signal);
        origin = target && of_signal ? OTLP_OF_SIGNAL : OTLP_GENERAL;
        target = target ?: fallback;
    }
    for (char *text; r == 0 && (text = otlp_next_endpoint(&target)); free(text))
        r = add_endpoint(common, text, origin, sink);
    if (r == 0 && common->n_endpoints == 0)
        return log_error(-EINVAL, "exporter %s: no endpoint: give %s:%s", common->name,
                         common->name, fallback);
    return r == 0 && common->has_tls ? otlp_tls_open(common->name, &common->choice, &common->tls)
                                     : r;
}

struct export_outcome otlp_failed(struct otlp_common *common, const char *what, int error)
{
    snprintf(common->reason, sizeof(common->reason), "%s: %s", what, strerror(-error));
    return (struct export_outcome){.result = error == -ENOMEM ? EXPORT_RETRY : EXPORT_FAILED,
                                   .reason = common->reason};
}

struct export_outcome otlp_send_anywhere(struct otlp_common *common, size_t bytes,
                                         void (*renew)(struct otlp_common *common),
                                         otlp_attempt attempt, void *arg)
{
    struct export_outcome outcome = {.result = EXPORT_RETRY};
    enum otlp_tls_look look = common->has_tls ? otlp_tls_look(&common->tls) : OTLP_TLS_SAME;
    uint64_t sent = 0;

    if (look == OTLP_TLS_RENEWED)
        renew(common);
    for (size_t i = 0; i < common->n_endpoints && !*common->stopping; i++) {
        outcome = attempt(common, arg);
        sent += bytes;
        if (outcome.result != EXPORT_RETRY || outcome.retry_after_ns > 0)
            break;
        common->current = (common->current + 1) % common->n_endpoints;
    }
    outcome.bytes = sent;
    outcome.reload_failed = look == OTLP_TLS_UNUSABLE;
    return outcome;
}
