/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/dns/dns.h"

#include "messages.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint8_t memory[4096];
static struct arena arena;
static struct span span;

static struct message parse(struct dns_state *dns, enum sender sender, struct bytes data,
                            uint8_t *scratch_memory)
{
    struct arena scratch = arena_over(scratch_memory, SCRATCH_SIZE);
    struct parse_input input = {.sender = sender, .cut = true, .data = data, .scratch = &scratch,
                                .delivery = DELIVERY_DATAGRAM};
    struct message message;

    assert_int_equal(dns_parse(dns, &input, &message).status, PARSE_MESSAGE);
    return message;
}

/* The span of a question and, unless empty, its answer. */
static void describe(enum span_kind kind, struct bytes ask, struct bytes answer)
{
    static uint8_t scratch[2][SCRATCH_SIZE];
    struct dns_state dns = {0};
    struct message request = parse(&dns, SENDER_CLIENT, ask, scratch[0]), response;

    if (answer.len)
        response = parse(&dns, SENDER_SERVER, answer, scratch[1]);
    arena = arena_over(memory, sizeof(memory));
    span_reset(&span, &arena);
    span.kind = kind;
    dns_describe(&request, answer.len ? &response : NULL, &span);
}

#define DESCRIBE(kind, name) describe(kind, BYTES_LITERAL(ASK_##name), BYTES_LITERAL(ANSWER_##name))

static void expect(const char *key, const char *text)
{
    const struct attribute *attribute = span_find(&span, bytes_from_string(key));

    if (!text) {
        assert_null(attribute);
        return;
    }
    assert_non_null(attribute);
    assert_true(bytes_equal(attribute->text, bytes_from_string(text)));
}

static void expect_integer(const char *key, int64_t integer)
{
    const struct attribute *attribute = span_find(&span, bytes_from_string(key));

    assert_non_null(attribute);
    assert_true(attribute->integer == integer);
}

static void expect_item(const char *key, size_t i, const char *text)
{
    const struct attribute *attribute = span_find(&span, bytes_from_string(key));

    assert_non_null(attribute);
    assert_int_equal(attribute->type, ATTRIBUTE_TEXTS);
    assert_true(i < attribute->texts.n);
    assert_true(bytes_equal(attribute->texts.items[i], bytes_from_string(text)));
}

static bool name_is(const char *name)
{
    return bytes_equal(span.name, bytes_from_string(name));
}

static void the_conventions_names_are_used(void **state)
{
    DESCRIBE(SPAN_KIND_CLIENT, WWW);
    assert_true(name_is("QUERY A"));
    assert_true(bytes_equal(span.plain_name, BYTES_LITERAL("QUERY")));
    expect("network.protocol.name", "dns");
    expect("dns.question.name", "www.shop.test");
    expect("flowtrace.dns.question.type", "A");
    expect("flowtrace.dns.question.class", NULL);
    expect("flowtrace.dns.response.code", "NOERROR");
    expect("error.type", NULL);
    expect_integer("flowtrace.dns.answer.count", 3);
    expect_integer("flowtrace.dns.edns.udp_size", 1232);
    expect_item("dns.answers", 0, "192.0.2.2");
    expect_item("dns.answers", 1, "192.0.2.1");
    expect_item("flowtrace.dns.records", 0, "CNAME web.shop.test");
    assert_true(bytes_equal(span.told_name, BYTES_LITERAL("www.shop.test")));
    assert_int_equal(span.n_told_addresses, 2);
    assert_int_equal(span.status, SPAN_STATUS_UNSET);
}

static void addresses_of_both_families_are_text(void **state)
{
    DESCRIBE(SPAN_KIND_CLIENT, AAAA);
    assert_true(name_is("QUERY AAAA"));
    expect_item("dns.answers", 0, "2001:db8::1");
    expect("flowtrace.dns.edns.udp_size", NULL);
}

static void codes_are_errors_to_who_asked_and_the_servers_where_it_failed(void **state)
{
    DESCRIBE(SPAN_KIND_CLIENT, MISSING);
    expect("error.type", "NXDOMAIN");
    assert_int_equal(span.status, SPAN_STATUS_ERROR);
    DESCRIBE(SPAN_KIND_SERVER, MISSING);
    expect("flowtrace.dns.response.code", "NXDOMAIN");
    expect("error.type", NULL);
    assert_int_equal(span.status, SPAN_STATUS_UNSET);
    DESCRIBE(SPAN_KIND_SERVER, BROKEN);
    expect("error.type", "SERVFAIL");
    assert_int_equal(span.status, SPAN_STATUS_ERROR);
    DESCRIBE(SPAN_KIND_CLIENT, REFUSED);
    expect("error.type", "REFUSED");
    DESCRIBE(SPAN_KIND_CLIENT, BADVERS);
    expect("error.type", "BADVERS");
}

static void an_answer_that_was_too_long_is_marked(void **state)
{
    DESCRIBE(SPAN_KIND_CLIENT, BIG);
    assert_non_null(span_find(&span, BYTES_LITERAL("flowtrace.dns.truncated")));
    assert_int_equal(span.status, SPAN_STATUS_UNSET);
}

static void unknown_numbers_and_other_classes_are_told(void **state)
{
    DESCRIBE(SPAN_KIND_CLIENT, TYPE65280);
    assert_true(name_is("QUERY TYPE65280"));
    assert_true(span_find(&span, BYTES_LITERAL("flowtrace.dns.edns.dnssec_ok"))->boolean);
    DESCRIBE(SPAN_KIND_CLIENT, VERSION);
    expect("flowtrace.dns.question.class", "CH");
    DESCRIBE(SPAN_KIND_CLIENT, WEIRD);
    expect("dns.question.name", "we\\.ird\\007.shop.test");
}

static void other_operations_have_their_names(void **state)
{
    describe(SPAN_KIND_CLIENT, BYTES_LITERAL("\x00\x07\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
                                             "z\x00\x00\x06\x00\x01"), BYTES_NULL);
    assert_true(name_is("UPDATE SOA"));
    describe(SPAN_KIND_SERVER, BYTES_LITERAL("\x00\x07\x24\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
                                             "z\x00\x00\x06\x00\x01"), BYTES_NULL);
    assert_true(name_is("NOTIFY SOA"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_conventions_names_are_used),
        cmocka_unit_test(addresses_of_both_families_are_text),
        cmocka_unit_test(codes_are_errors_to_who_asked_and_the_servers_where_it_failed),
        cmocka_unit_test(an_answer_that_was_too_long_is_marked),
        cmocka_unit_test(unknown_numbers_and_other_classes_are_told),
        cmocka_unit_test(other_operations_have_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
