/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/dns/dns.h"

#include "messages.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MDNS_ASK                                                                                   \
    "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04host\x05local\x00\x00\x01\x80\x01"
#define MDNS_ANSWER                                                                                \
    "\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x04host\x05local\x00\x00\x01\x80\x01"         \
    "\x00\x00\x00\x78\x00\x04\xc0\x00\x02\x01"

#define V4(a, b, c, d, number)                                                                     \
    {.address = {[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d}, .port = number}

static const struct endpoint host = V4(192, 0, 2, 1, 5353), other = V4(192, 0, 2, 2, 5353),
                             client = V4(192, 0, 2, 3, 40000), group = V4(224, 0, 0, 251, 5353),
                             llmnr = V4(224, 0, 0, 252, 5355), responder = V4(192, 0, 2, 4, 5355);

static uint8_t memory[SCRATCH_SIZE];
static struct dns_state dns;
static struct message message;

static struct parse_result send(enum sender sender, struct bytes data,
                                const struct endpoint *source, const struct endpoint *destination)
{
    struct arena scratch = arena_over(memory, sizeof(memory));
    struct parse_input input = {.sender = sender, .cut = true, .data = data, .scratch = &scratch,
                                .delivery = DELIVERY_DATAGRAM, .source = source,
                                .destination = destination};

    return dns_parse(&dns, &input, &message);
}

static int reset(void **state)
{
    dns = (struct dns_state){0};
    return 0;
}

static void an_answer_meets_its_question_by_id_and_name(void **state)
{
    uint8_t copy[sizeof(ANSWER_WWW) - 1];
    uint64_t stream;

    assert_int_equal(send(SENDER_CLIENT, BYTES_LITERAL(ASK_WWW), NULL, NULL).status, PARSE_MESSAGE);
    assert_int_equal(message.kind, MESSAGE_REQUEST);
    stream = message.stream;
    memcpy(copy, ANSWER_WWW, sizeof(copy));
    copy[DNS_HEADER_SIZE + 1] = 'x'; /* somebody guessed the id, but not the question */
    assert_int_equal(send(SENDER_SERVER, bytes_make(copy, sizeof(copy)), NULL, NULL).status,
                     PARSE_MESSAGE);
    assert_true(message.stream != stream);
    assert_int_equal(send(SENDER_SERVER, BYTES_LITERAL(ANSWER_WWW), NULL, NULL).status,
                     PARSE_MESSAGE);
    assert_int_equal(message.kind, MESSAGE_RESPONSE);
    assert_true(message.stream == stream);
}

static void a_question_to_a_group_is_one_way(void **state)
{
    static const struct {
        const struct endpoint *from, *to;
        enum dns_variant variant;
    } cases[] = {
        {&host, &group, DNS_VARIANT_MDNS},   {&client, &group, DNS_VARIANT_MDNS},
        {&other, &host, DNS_VARIANT_MDNS}, /* as it is received: by a socket that has the port */
        {&client, &llmnr, DNS_VARIANT_LLMNR}, {&client, &responder, DNS_VARIANT_LLMNR},
        {&client, &host, DNS_VARIANT_DNS}, /* a server that happens to have this port */
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        bool one_way = cases[i].variant != DNS_VARIANT_DNS;

        assert_int_equal(send(SENDER_CLIENT, BYTES_LITERAL(MDNS_ASK), cases[i].from,
                              cases[i].to).status, PARSE_MESSAGE);
        assert_int_equal(!!(message.flags & MESSAGE_ONE_WAY), one_way);
        assert_int_equal(message.code >> 8, cases[i].variant);
    }
}

static void answers_to_a_group_are_nobodys(void **state)
{
    assert_int_equal(send(SENDER_CLIENT, BYTES_LITERAL(MDNS_ASK), &client, &group).status,
                     PARSE_MESSAGE);
    /* From the port to the group, and to who asked from another port; LLMNR; whoever "asked". */
    assert_int_equal(send(SENDER_SERVER, BYTES_LITERAL(MDNS_ANSWER), &host, &group).status,
                     PARSE_NONE);
    assert_int_equal(send(SENDER_SERVER, BYTES_LITERAL(MDNS_ANSWER), &host, &client).status,
                     PARSE_NONE);
    assert_int_equal(send(SENDER_SERVER, BYTES_LITERAL(MDNS_ANSWER), &responder, &client).status,
                     PARSE_NONE);
    assert_int_equal(send(SENDER_CLIENT, BYTES_LITERAL(MDNS_ANSWER), &other, &host).status,
                     PARSE_NONE);
}

static void messages_of_a_group_are_detected(void **state)
{
    assert_int_equal(dns_probe(BYTES_LITERAL(MDNS_ASK), DELIVERY_DATAGRAM), PROBE_CLIENT);
    assert_int_equal(dns_probe(BYTES_LITERAL(MDNS_ANSWER), DELIVERY_DATAGRAM), PROBE_SERVER);
}

static void a_question_from_where_answers_come_is_passed_over(void **state)
{
    assert_int_equal(send(SENDER_SERVER, BYTES_LITERAL(ASK_WWW), NULL, NULL).status, PARSE_NONE);
    assert_int_equal(send(SENDER_CLIENT, BYTES_LITERAL(ANSWER_WWW), NULL, NULL).status, PARSE_NONE);
}

static void a_datagram_that_was_cut_is_told_as_far_as_it_is_there(void **state)
{
    struct bytes whole = BYTES_LITERAL(ANSWER_WWW);

    assert_int_equal(send(SENDER_SERVER, bytes_slice(whole, 0, whole.len - 1), NULL, NULL).status,
                     PARSE_MESSAGE);
    assert_true(message.flags & MESSAGE_TRUNCATED);
    assert_int_equal(send(SENDER_SERVER, bytes_slice(whole, 0, 20), NULL, NULL).status, PARSE_BAD);
}

static void a_datagram_is_no_stream_and_a_stream_none(void **state)
{
    assert_int_equal(dns_probe(BYTES_LITERAL(ASK_WWW), DELIVERY_STREAM), PROBE_NO);
    assert_int_equal(dns_probe(BYTES_LITERAL(ASK_TCP_WWW), DELIVERY_DATAGRAM), PROBE_NO);
}

/* Over TCP: 5,000 bytes of which the question and what follows up to 4 KiB are looked at. */
static void a_long_message_is_read_in_part_and_passed_over(void **state)
{
    uint8_t data[4096] = "\x13\x88\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01" "a\x00\x00"
                         "\x10\x00\x01\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x00\x13\x69";
    struct arena scratch = arena_over(memory, sizeof(memory));
    struct parse_input input = {.sender = SENDER_SERVER, .scratch = &scratch,
                                .data = {data, sizeof(data) - 1}};
    struct parse_result result = dns_parse(&dns, &input, &message);

    assert_int_equal(result.status, PARSE_MORE);
    assert_int_equal(result.need, sizeof(data));
    input.data.len++;
    result = dns_parse(&dns, &input, &message);
    assert_int_equal(result.status, PARSE_MESSAGE);
    assert_int_equal(result.used + result.skip, 5002);
    assert_int_equal(message.flags, MESSAGE_ENDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_answer_meets_its_question_by_id_and_name, reset),
        cmocka_unit_test_setup(a_question_to_a_group_is_one_way, reset),
        cmocka_unit_test_setup(answers_to_a_group_are_nobodys, reset),
        cmocka_unit_test(messages_of_a_group_are_detected),
        cmocka_unit_test_setup(a_question_from_where_answers_come_is_passed_over, reset),
        cmocka_unit_test_setup(a_datagram_that_was_cut_is_told_as_far_as_it_is_there, reset),
        cmocka_unit_test(a_datagram_is_no_stream_and_a_stream_none),
        cmocka_unit_test_setup(a_long_message_is_read_in_part_and_passed_over, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
