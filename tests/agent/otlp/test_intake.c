/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as protobuf-c packs them, taken apart; and requests that are none. */
#include "otlp/intake.h"

#include "base/macro.h"
#include "otlp/messages.h"
#include "samples.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest Request;
typedef Opentelemetry__Proto__Trace__V1__ResourceSpans ResourceSpans;
typedef Opentelemetry__Proto__Trace__V1__ScopeSpans ScopeSpans;
typedef Opentelemetry__Proto__Common__V1__InstrumentationScope Scope;

#define REQUEST_INIT                                                                               \
    OPENTELEMETRY__PROTO__COLLECTOR__TRACE__V1__EXPORT_TRACE_SERVICE_REQUEST__INIT
#define TEXT(s) ((ProtobufCBinaryData){sizeof(s) - 1, (uint8_t *)(s)})

struct seen {
    unsigned spans;
    uint64_t keys[8];
    char scope[8][32];
    char schema[8][32];
    struct bytes last;
    uint8_t last_bytes[512];
};

static bool see(void *arg, uint64_t key, const struct batch_origin *origin, struct bytes span)
{
    struct seen *seen = arg;

    assert_true(seen->spans < ELEMENTSOF(seen->keys) && span.len <= sizeof(seen->last_bytes));
    seen->keys[seen->spans] = key;
    snprintf(seen->scope[seen->spans], sizeof(seen->scope[0]), "%.*s",
             (int)origin->scope.len - 2, (const char *)origin->scope.ptr + 2);
    snprintf(seen->schema[seen->spans], sizeof(seen->schema[0]), "%.*s",
             BYTES_PRINTF(origin->scope_schema));
    memcpy(seen->last_bytes, span.ptr, span.len);
    seen->last = bytes_make(seen->last_bytes, span.len);
    seen->spans++;
    return true;
}

/* One resource, one scope with a schema, these spans; the caller frees. */
static struct bytes pack(OtlpSpan **spans, size_t n, ProtobufCBinaryData service)
{
    OtlpAnyValue value = OTLP_ANY_VALUE_INIT;
    OtlpKeyValue pair = OTLP_KEY_VALUE_INIT, *pairs[] = {&pair};
    OtlpResource resource = OPENTELEMETRY__PROTO__RESOURCE__V1__RESOURCE__INIT;
    Scope scope = OPENTELEMETRY__PROTO__COMMON__V1__INSTRUMENTATION_SCOPE__INIT;
    ScopeSpans scope_spans = OPENTELEMETRY__PROTO__TRACE__V1__SCOPE_SPANS__INIT;
    ScopeSpans *scopes[] = {&scope_spans};
    ResourceSpans group = OPENTELEMETRY__PROTO__TRACE__V1__RESOURCE_SPANS__INIT;
    ResourceSpans *groups[] = {&group};
    Request request = REQUEST_INIT;
    uint8_t *bytes;

    value.value_case = OTLP_VALUE_STRING;
    value.string_value = service;
    pair.key = TEXT("service.name");
    pair.value = &value;
    resource.n_attributes = 1;
    resource.attributes = pairs;
    scope.name = TEXT("library");
    scope_spans.scope = &scope;
    scope_spans.schema_url = TEXT("https://schema/1");
    scope_spans.n_spans = n;
    scope_spans.spans = spans;
    group.resource = &resource;
    group.n_scope_spans = 1;
    group.scope_spans = scopes;
    request.n_resource_spans = 1;
    request.resource_spans = groups;
    bytes = malloc(protobuf_c_message_get_packed_size(&request.base));
    return bytes_make(bytes, protobuf_c_message_pack(&request.base, bytes));
}

static OtlpSpan good_span(void)
{
    OtlpSpan span = OTLP_SPAN_INIT;

    span.trace_id = TEXT("0123456789abcdef");
    span.span_id = TEXT("01234567");
    span.name = TEXT("work");
    return span;
}

static void spans_come_as_they_were_packed_with_their_scope_and_schema(void **state)
{
    OtlpSpan a = good_span(), b = good_span(), *spans[] = {&a, &b};
    struct otlp_intake intake;
    struct seen seen = {0};
    struct bytes request;
    uint8_t packed[256];

    b.span_id = TEXT("76543210");
    request = pack(spans, 2, TEXT("shop"));
    assert_int_equal(otlp_read_request(request, see, &seen, &intake), 0);
    assert_int_equal(intake.taken, 2);
    assert_int_equal(intake.rejected, 0);
    assert_int_equal(seen.spans, 2);
    assert_int_equal(seen.keys[0], seen.keys[1]);
    assert_string_equal(seen.scope[0], "library");
    assert_string_equal(seen.schema[1], "https://schema/1");
    assert_int_equal(protobuf_c_message_pack(&b.base, packed), seen.last.len);
    assert_memory_equal(packed, seen.last.ptr, seen.last.len);
    free((void *)request.ptr);
}

/* How many of one good span and this one are taken, and rejected. */
static void assert_rejected(OtlpSpan *bad)
{
    OtlpSpan good = good_span(), *spans[] = {bad, &good};
    struct bytes request = pack(spans, 2, TEXT("shop"));
    struct otlp_intake intake;
    struct seen seen = {0};

    assert_int_equal(otlp_read_request(request, see, &seen, &intake), 0);
    assert_int_equal(intake.taken, 1);
    assert_int_equal(intake.rejected, 1);
    assert_non_null(intake.reason);
    free((void *)request.ptr);
}

static void a_span_that_no_backend_would_take_is_rejected_alone(void **state)
{
    OtlpLink link = OTLP_LINK_INIT, *links[] = {&link};
    OtlpSpan span = good_span();

    span.trace_id = TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_rejected(&span);
    span.trace_id = TEXT("0123456789abcde");
    assert_rejected(&span);
    span = good_span();
    span.span_id = TEXT("");
    assert_rejected(&span);
    span = good_span();
    span.parent_span_id = TEXT("0123");
    assert_rejected(&span);
    span = good_span();
    span.name = TEXT("caf\xe9");
    assert_rejected(&span);
    span = good_span();
    link.trace_id = TEXT("short");
    span.n_links = 1;
    span.links = links;
    assert_rejected(&span);
}

static void a_resource_that_is_not_utf8_costs_its_spans(void **state)
{
    OtlpSpan span = good_span(), *spans[] = {&span};
    struct bytes request = pack(spans, 1, TEXT("caf\xe9"));
    struct otlp_intake intake;
    struct seen seen = {0};

    assert_int_equal(otlp_read_request(request, see, &seen, &intake), 0);
    assert_int_equal(intake.rejected, 1);
    assert_int_equal(seen.spans, 0);
    free((void *)request.ptr);
}

static void torn_requests_give_no_span_at_all(void **state)
{
    OtlpSpan a = good_span(), b = good_span(), *spans[] = {&a, &b};
    struct bytes request = pack(spans, 2, TEXT("shop"));

    for (size_t len = 1; len < request.len; len++) {
        uint8_t *torn = malloc(len); /* of exactly this size, for the sanitizer */
        struct otlp_intake intake;
        struct seen seen = {0};

        memcpy(torn, request.ptr, len);
        assert_int_equal(otlp_read_request(bytes_make(torn, len), see, &seen, &intake), -EBADMSG);
        assert_int_equal(seen.spans, 0);
        free(torn);
    }
    free((void *)request.ptr);
}

static void a_request_without_spans_is_one(void **state)
{
    struct otlp_intake intake;
    struct seen seen = {0};

    assert_int_equal(otlp_read_request(BYTES_NULL, see, &seen, &intake), 0);
    assert_int_equal(intake.taken + intake.rejected, 0);
}

static void count_attribute(void *arg, struct bytes key, struct bytes text, int64_t integer)
{
    unsigned *n = arg;

    if (bytes_equal(key, BYTES_LITERAL("service.name")) && bytes_equal(text, BYTES_LITERAL("shop")))
        *n += 1;
    if (bytes_equal(key, BYTES_LITERAL("process.pid")) && integer == 4711)
        *n += 10;
}

static void the_attributes_of_a_resource_are_told(void **state)
{
    struct attribute attributes[] = {
        {.key = BYTES_LITERAL("service.name"), .text = BYTES_LITERAL("shop")},
        {.key = BYTES_LITERAL("process.pid"), .type = ATTRIBUTE_INTEGER, .integer = 4711},
    };
    _cleanup_(buffer_done) struct buffer resource = buffer_make(4096);
    unsigned n = 0;

    assert_int_equal(otlp_encode_resource(attributes, 2, &resource), 0);
    otlp_each_attribute(buffer_bytes(&resource), count_attribute, &n);
    assert_int_equal(n, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_come_as_they_were_packed_with_their_scope_and_schema),
        cmocka_unit_test(a_span_that_no_backend_would_take_is_rejected_alone),
        cmocka_unit_test(a_resource_that_is_not_utf8_costs_its_spans),
        cmocka_unit_test(torn_requests_give_no_span_at_all),
        cmocka_unit_test(a_request_without_spans_is_one),
        cmocka_unit_test(the_attributes_of_a_resource_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
