/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses to outcomes; the contract stands in answer.h. */
#include "exporters/otlp_http/answer.h"

#include "base/clock.h"
#include "base/macro.h"
#include "otlp/otlp.h"

#include <stdio.h>
#include <strings.h>

#define TEXT_MAX 120 /* of the body in a reason */

static const struct {
    long status;
    enum export_result result;
} meanings[] = {
    {413, EXPORT_TOO_LARGE}, {429, EXPORT_RETRY}, {502, EXPORT_RETRY},
    {503, EXPORT_RETRY},     {504, EXPORT_RETRY},
};

enum answer_type answer_type_of(const char *content_type)
{
    static const struct {
        const char *text;
        enum answer_type type;
    } types[] = {
        {"application/json", ANSWER_JSON}, {"text/html", ANSWER_PAGE},
        {"application/xhtml+xml", ANSWER_PAGE},
    };

    for (size_t i = 0; content_type && i < ELEMENTSOF(types); i++)
        if (strncasecmp(content_type, types[i].text, strlen(types[i].text)) == 0)
            return types[i].type;
    return ANSWER_PROTOBUF;
}

static enum export_result result_of(long status)
{
    for (size_t i = 0; i < ELEMENTSOF(meanings); i++)
        if (meanings[i].status == status)
            return meanings[i].result;
    return status >= 200 && status <= 299 ? EXPORT_OK : EXPORT_REFUSED;
}

static struct export_outcome delivered(const struct answer *answer, char *reason)
{
    struct otlp_partial partial = {0};

    if (answer->type == ANSWER_JSON)
        otlp_decode_json_response(answer->body, &partial);
    else
        otlp_decode_response(answer->body, &partial);
    snprintf(reason, OTLP_REASON_MAX, "%s", partial.words);
    return (struct export_outcome){.result = EXPORT_OK, .rejected_spans = partial.rejected_spans,
                                   .reason = reason};
}

/* Sites answer whatever is posted with a page, and 200: they have taken nothing. */
static struct export_outcome no_receiver(const struct answer *answer, const char *url, char *reason)
{
    snprintf(reason, OTLP_REASON_MAX,
             "%.*s: status %ld with a web page: no OTLP receiver is there: check its port and path",
             otlp_shown(url), url, answer->status);
    return (struct export_outcome){.result = EXPORT_REFUSED, .reason = reason};
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
        return answer->type == ANSWER_PAGE ? no_receiver(answer, url, reason)
                                           : delivered(answer, reason);
    snprintf(reason, OTLP_REASON_MAX, "%.*s: status %ld%s", otlp_shown(url), url, answer->status,
             answer->body.len ? ": " : "");
    append_text(answer->body, reason, OTLP_REASON_MAX);
    return (struct export_outcome){.result = result,
                                   .retry_after_ns = again ? seconds * NS_PER_S : 0,
                                   .reason = reason};
}
