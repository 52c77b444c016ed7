/* SPDX-License-Identifier: Apache-2.0 */
/* The table of cases is that of the specification: test/test.py of github.com/w3c/trace-context. */
#include "carrier.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define TRACE "12345678901234567890123456789012"
#define SPAN "1234567890123456"

static void a_valid_traceparent_gives_its_ids_and_flags(void **state)
{
    static const char *const good[] = {
        "00-" TRACE "-" SPAN "-01",
        " 00-" TRACE "-" SPAN "-01",
        "\t00-" TRACE "-" SPAN "-01",
        "00-" TRACE "-" SPAN "-01 ",
        "00-" TRACE "-" SPAN "-01\t",
        "\t 00-" TRACE "-" SPAN "-01 \t",
        "cc-" TRACE "-" SPAN "-01",
        "cc-" TRACE "-" SPAN "-01-what-the-future-will-be-like",
    };
    static const char *const names[] = {"traceparent", "TraceParent", "TrAcEpArEnT",
                                        "TRACEPARENT"};

    for (size_t i = 0; i < ELEMENTSOF(good); i++)
        for (size_t j = 0; j < ELEMENTSOF(names); j++)
            assert_gives(names[j], good[i], TRACE, SPAN, 1);
}

static void what_breaks_the_specification_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "00",
        /* version 00 with more behind it */
        "00-" TRACE "-" SPAN "-01.",
        "00-" TRACE "-" SPAN "-01-what-the-future-will-be-like",
        /* a later version with no dash in front of what is new */
        "cc-" TRACE "-" SPAN "-01.what-the-future-will-be-like",
        "ff-" TRACE "-" SPAN "-01",
        ".0-" TRACE "-" SPAN "-01",
        "0.-" TRACE "-" SPAN "-01",
        "000-" TRACE "-" SPAN "-01",
        "0000-" TRACE "-" SPAN "-01",
        "0-" TRACE "-" SPAN "-01",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-.2345678901234567890123456789012-" SPAN "-01",
        "00-1234567890123456789012345678901.-" SPAN "-01",
        "00-123456789012345678901234567890123-" SPAN "-01",
        "00-1234567890123456789012345678901-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-" TRACE "-.234567890123456-01",
        "00-" TRACE "-123456789012345.-01",
        "00-" TRACE "-12345678901234567-01",
        "00-" TRACE "-123456789012345-01",
        "00-" TRACE "-" SPAN "-.0",
        "00-" TRACE "-" SPAN "-0.",
        "00-" TRACE "-" SPAN "-001",
        "00-" TRACE "-" SPAN "-1",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
    };

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_invalid("traceparent", bad[i]);
}

static void two_different_traceparents_are_none(void **state)
{
    const struct header headers[] = {
        {"traceparent", "00-12345678901234567890123456789011-" SPAN "-01"},
        {"traceparent", "00-" TRACE "-" SPAN "-01"},
        {0}};
    struct trace_context context;
    unsigned invalid;

    assert_false(read_headers(headers, &context, &invalid));
    assert_int_equal(invalid, 1);
}

static void a_wrong_name_is_no_traceparent(void **state)
{
    assert_silent("trace-parent", "00-" TRACE "-" SPAN "-01");
    assert_silent("trace.parent", "00-" TRACE "-" SPAN "-01");
    assert_int_equal(context_name_of(BYTES_LITERAL("trace-state")), CONTEXT_NONE);
    assert_int_equal(context_name_of(BYTES_LITERAL("trace.state")), CONTEXT_NONE);
    assert_int_equal(context_name_of(BYTES_LITERAL("TrAcEsTaTe")), CONTEXT_TRACESTATE);
}

static void of_the_flags_only_those_with_a_meaning_are_kept(void **state)
{
    assert_gives("traceparent", "00-" TRACE "-" SPAN "-00", TRACE, SPAN, 0);
    assert_gives("traceparent", "00-" TRACE "-" SPAN "-03", TRACE, SPAN, 3);
    assert_gives("traceparent", "00-" TRACE "-" SPAN "-ff", TRACE, SPAN, 3);
}

/* ---- tracestate ------------------------------------------------------------------------------ */

#define KEY "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
#define VALUE                                                                                      \
    " !\"#$%&'()*+-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmno"             \
    "pqrstuvwxyz{|}~"

static void assert_state(const char *list, bool valid)
{
    if (tracestate_is_valid(bytes_from_string(list)) != valid)
        fail_msg("%s: %s", valid ? "refused" : "accepted", list);
}

static void a_valid_tracestate_is_accepted(void **state)
{
    static const char *const good[] = {
        "foo=1", "foo=1,bar=2", "foo=1,", ",foo=1", /* one of two headers is empty */
        "foo=1,bar=2,rojo=1,congo=2,baz=3", KEY "=" VALUE, KEY "@a-z0-9_-*/=" VALUE,
        "foo=1 \t , \t bar=2, \t baz=3", "foo=1\t \t,\t \tbar=2,\t \tbaz=3", " foo=1", "\tfoo=1",
        "foo=1 ", "foo=1\t", "\t foo=1 \t",
    };

    for (size_t i = 0; i < ELEMENTSOF(good); i++)
        assert_state(good[i], true);
}

static void an_invalid_tracestate_is_refused_as_a_whole(void **state)
{
    static const char *const bad[] = {
        "", ",", "foo", "foo=1,foo=1", "foo=1,foo=2", "foo =1", "FOO=1", "foo.bar=1",
        "foo@=1,bar=2", "@foo=1,bar=2", "foo@@bar=1,bar=2", "foo@bar@baz=1,bar=2", "foo=bar=baz",
        "foo=,bar=3", "foo=\x7f", "foo=\xc3\xa4",
    };

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_state(bad[i], false);
}

/* `n` times `c`, then `end`, behind "foo=1,". */
static void assert_key(char c, size_t n, const char *end, bool valid)
{
    char list[600] = "foo=1,";

    memset(list + 6, c, n);
    strcpy(list + 6 + n, end);
    assert_state(list, valid);
}

static void keys_have_their_length(void **state)
{
    assert_key('z', 256, "=1", true);
    assert_key('z', 257, "=1", false);
    assert_key('t', 241, "@vvvvvvvvvvvvvv=1", true);
    assert_key('t', 242, "@v=1", false);
    assert_key('t', 1, "@vvvvvvvvvvvvvvv=1", false);
}

static void a_list_has_at_most_32_members(void **state)
{
    char list[600];
    size_t len = 0;

    for (int i = 1; i <= 33; i++) {
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%sbar%02d=%02d", i > 1 ? "," : "",
                                i, i);
        if (i == 32 || i == 33)
            assert_state(list, i == 32);
    }
}

/* ---- baggage --------------------------------------------------------------------------------- */

static void baggage_gives_its_members_without_properties(void **state)
{
    static const char *const expected[][2] = {
        {"userId", "alice"}, {"serverNode", "DF%2028"}, {"isProduction", "false"}, {"empty", ""}};
    struct bytes list = BYTES_LITERAL("userId = alice , nonsense,,=7,serverNode=DF%2028 ;p=1;q,"
                                      "isProduction=false,empty=");
    struct bytes key, value;

    for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
        assert_true(baggage_next(&list, &key, &value));
        assert_true(bytes_equal(key, bytes_from_string(expected[i][0])));
        assert_true(bytes_equal(value, bytes_from_string(expected[i][1])));
    }
    assert_false(baggage_next(&list, &key, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_valid_traceparent_gives_its_ids_and_flags),
        cmocka_unit_test(what_breaks_the_specification_is_refused),
        cmocka_unit_test(two_different_traceparents_are_none),
        cmocka_unit_test(a_wrong_name_is_no_traceparent),
        cmocka_unit_test(of_the_flags_only_those_with_a_meaning_are_kept),
        cmocka_unit_test(a_valid_tracestate_is_accepted),
        cmocka_unit_test(an_invalid_tracestate_is_refused_as_a_whole),
        cmocka_unit_test(keys_have_their_length),
        cmocka_unit_test(a_list_has_at_most_32_members),
        cmocka_unit_test(baggage_gives_its_members_without_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
