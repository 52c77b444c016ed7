/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON: the specification's own examples, and what is none. */
#include "events/flow_event.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct seen {
    unsigned n;
    char id[64], type[64];
    unsigned n_extensions, n_data;
    int64_t total;
};

static void see(void *arg, const struct flow_event *event)
{
    struct seen *seen = arg;

    seen->n++;
    memcpy(seen->id, event->id.ptr, MIN(event->id.len, sizeof(seen->id) - 1));
    memcpy(seen->type, event->type.ptr, MIN(event->type.len, sizeof(seen->type) - 1));
    seen->n_extensions = (unsigned)event->n_extensions;
    seen->n_data = (unsigned)event->n_data;
    seen->total = event->n_data ? event->data[0].integer : 0;
}

static int read_events(const char *json, bool batch, const struct flow_event_rules *rules,
                       struct seen *seen)
{
    const char *reason = NULL;
    int r = flow_events_read(bytes_from_string(json), batch, rules, see, seen, &reason);

    assert_int_equal(r < 0, reason != NULL);
    return r;
}

/* json-format.md, section 3.2; the batch: section 4.1, shortened. */
#define EXAMPLE                                                                                    \
    "{\"specversion\":\"1.0\",\"type\":\"com.github.pull_request.opened\","                        \
    "\"source\":\"https://github.com/cloudevents/spec/pull\",\"subject\":\"123\","                 \
    "\"id\":\"A234-1234-1234\",\"time\":\"2018-04-05T17:31:00Z\","                                 \
    "\"comexampleextension1\":\"value\",\"comexampleothervalue\":5,\"correlationid\":\"c-1\","     \
    "\"datacontenttype\":\"application/json\","                                                    \
    "\"data\":{\"order\":{\"total\":42,\"card\":\"4111\"}}}"

static void an_example_of_the_specification_is_read(void **state)
{
    struct flow_event_rules rules = {0};
    struct seen seen = {0};

    assert_int_equal(read_events(EXAMPLE, false, &rules, &seen), 0);
    assert_string_equal(seen.id, "A234-1234-1234");
    assert_string_equal(seen.type, "com.github.pull_request.opened");
    assert_int_equal(seen.n_extensions, 1); /* of those that say how it is joined */
    assert_int_equal(seen.n_data, 0);
}

static void of_the_data_only_what_a_rule_names_is_taken(void **state)
{
    static const char *const fields[] = {"order.total", "order", "order.none", ".", "total"};
    struct flow_event_rules rules = {.fields = fields, .n_fields = ELEMENTSOF(fields)};
    struct seen seen = {0};

    assert_int_equal(read_events(EXAMPLE, false, &rules, &seen), 0);
    assert_int_equal(seen.n_data, 1);
    assert_int_equal(seen.total, 42);
}

static void a_batch_is_taken_whole_or_not_at_all(void **state)
{
    struct flow_event_rules rules = {0};
    struct seen seen = {0};

    assert_int_equal(read_events("[" EXAMPLE "," EXAMPLE "]", true, &rules, &seen), 0);
    assert_int_equal(seen.n, 2);
    assert_int_equal(read_events("[]", true, &rules, &seen), 0);
    assert_int_equal(read_events("[" EXAMPLE ",{}]", true, &rules, &seen), -EBADMSG);
    assert_int_equal(read_events(EXAMPLE, true, &rules, &seen), -EBADMSG);
    assert_int_equal(read_events("[" EXAMPLE "]", false, &rules, &seen), -EBADMSG);
    assert_int_equal(seen.n, 2);
}

static void what_is_typed_needs_a_type_alone(void **state)
{
    struct flow_event_rules rules = {.lenient = true};
    struct seen seen = {0};

    assert_int_equal(read_events("{\"type\":\"order.shipped\"}", false, &rules, &seen), 0);
    assert_string_equal(seen.type, "order.shipped");
    assert_int_equal(read_events("{\"type\":\"\"}", false, &rules, &seen), -EBADMSG);
    assert_int_equal(read_events("{\"type\":7}", false, &rules, &seen), -EBADMSG);
    rules.lenient = false;
    assert_int_equal(read_events("{\"type\":\"order.shipped\"}", false, &rules, &seen), -EBADMSG);
}

static void hostile_json_is_refused(void **state)
{
    struct flow_event_rules rules = {.lenient = true};
    struct seen seen = {0};
    char *deep = malloc(100001);

    memset(deep, '[', 100000);
    deep[100000] = '\0';
    assert_int_equal(read_events(deep, false, &rules, &seen), -EBADMSG);
    memset(deep, ',', 100000);
    assert_int_equal(read_events(deep, false, &rules, &seen), -EBADMSG);
    free(deep);
    assert_int_equal(read_events("", false, &rules, &seen), -EBADMSG);
    assert_int_equal(read_events("{\"type\":\"a\"}x", false, &rules, &seen), -EBADMSG);
    assert_int_equal(read_events("{\"type\":\"\xff\"}", false, &rules, &seen), -EBADMSG);
    assert_int_equal(seen.n, 0);
}

static void an_event_that_is_written_is_read_again_and_bad_text_is_not_written(void **state)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(4096);
    struct flow_event event = {.type = BYTES_LITERAL("a\"b"), .id = BYTES_LITERAL("1")};
    struct flow_event_rules rules = {.lenient = true};
    struct seen seen = {0};

    assert_int_equal(flow_event_to_json(&event, BYTES_LITERAL("[1]"), &buffer), 0);
    buffer_append(&buffer, "", 1);
    assert_int_equal(read_events((const char *)buffer.ptr, false, &rules, &seen), 0);
    assert_string_equal(seen.type, "a\"b");
    assert_int_equal(flow_event_to_json(&event, BYTES_LITERAL("{"), &buffer), -EBADMSG);
    event.subject = BYTES_LITERAL("\xff");
    assert_int_equal(flow_event_to_json(&event, BYTES_NULL, &buffer), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_example_of_the_specification_is_read),
        cmocka_unit_test(of_the_data_only_what_a_rule_names_is_taken),
        cmocka_unit_test(a_batch_is_taken_whole_or_not_at_all),
        cmocka_unit_test(what_is_typed_needs_a_type_alone),
        cmocka_unit_test(hostile_json_is_refused),
        cmocka_unit_test(an_event_that_is_written_is_read_again_and_bad_text_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
