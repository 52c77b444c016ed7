/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses to outcomes; the contract stands in answer.h. */
#include "exporters/otlp_http/answer.h"

#include "base/clock.h"
#include "base/macro.h"
#include "otlp/otlp.h"

#include <stdio.h>

#define TEXT_MAX 120 /* of the body in a reason */

static const struct {
    long status;
    enum export_result result;
} meanings[] = {
    {413, EXPORT_TOO_LARGE}, {429, EXPORT_RETRY}, {502, EXPORT_RETRY},
    {503, EXPORT_RETRY},     {504, EXPORT_RETRY},
};

static enum export_result result_of(long status)
{
    for (size_t i = 0; i < ELEMENTSOF(meanings); i++)
        if (meanings[i].status == status)
            return meanings[i].result;
    return status >= 200 && status <= 299 ? EXPORT_OK : EXPORT_REFUSED;
}

static struct export_outcome delivered(const struct answer *answer)
{
    struct export_outcome outcome = {.result = EXPORT_OK};
    int r = answer->json ? otlp_decode_json_response(answer->body, &outcome.rejected_spans)
                         : otlp_decode_response(answer->body, &outcome.rejected_spans);

    if (r < 0)
        outcome.rejected_spans = 0;
    return outcome;
}

/* The printable ASCII of the body: a google.rpc.Status holds its message as plain text, too. */
static void append_text(struct bytes body, char *out, size_t size)
{
    size_t n = strlen(out), end = MIN(n + TEXT_MAX, size - 1);

    for (size_t i = 0; i < body.len && n < end; i++)
        if (body.ptr[i] >= ' ' && body.ptr[i] <= '~')
            out[n++] = (char)body.ptr[i];
    out[n] = '\0';
}

struct export_outcome answer_outcome(const struct answer *answer, const char *url,
                                     char reason[static OTLP_REASON_MAX])
{
    enum export_result result = result_of(answer->status);
    bool again = result == EXPORT_RETRY;
    uint64_t seconds = MIN(answer->retry_after_s, UINT64_C(86400));

    if (result == EXPORT_OK)
        return delivered(answer);
    snprintf(reason, OTLP_REASON_MAX, "%.*s: status %ld%s", otlp_shown(url), url, answer->status,
             answer->body.len ? ": " : "");
    append_text(answer->body, reason, OTLP_REASON_MAX);
    return (struct export_outcome){.result = result,
                                   .retry_after_ns = again ? seconds * NS_PER_S : 0,
                                   .reason = reason};
}
