/* SPDX-License-Identifier: Apache-2.0 */
#include "protocols/dns/read.h"

#include "messages.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint8_t memory[SCRATCH_SIZE];
static struct message fields;
static struct dns_message dns;

static enum dns_result read_message(struct bytes data)
{
    struct arena arena = arena_over(memory, sizeof(memory));

    message_start(&fields, MESSAGE_REQUEST, 0, data);
    return dns_read(data, DELIVERY_DATAGRAM, &arena, &fields, &dns);
}

static void expect(unsigned id, const char *text)
{
    assert_true(bytes_equal(message_field(&fields, id), bytes_from_string(text)));
}

static unsigned count(unsigned id)
{
    unsigned n = 0;

    for (unsigned i = 0; i < fields.n_fields; i++)
        n += fields.fields[i].id == id;
    return n;
}

static void a_question_has_name_type_and_class(void **state)
{
    assert_int_equal(read_message(BYTES_LITERAL(ASK_SRV)), DNS_WHOLE);
    expect(DNS_FIELD_NAME, "_http._tcp.shop.test");
    assert_true(bytes_equal(message_field(&fields, DNS_FIELD_QUESTION),
                            BYTES_LITERAL("\x00\x21\x00\x01")));
    assert_int_equal(dns.type, 33);
    assert_int_equal(dns.counts[DNS_QUESTIONS], 1);
}

static void records_that_lead_somewhere_are_told(void **state)
{
    assert_int_equal(read_message(BYTES_LITERAL(ANSWER_WWW)), DNS_WHOLE);
    expect(DNS_FIELD_RECORD, "CNAME web.shop.test");
    assert_int_equal(count(DNS_FIELD_ADDRESS), 2);
    assert_int_equal(read_message(BYTES_LITERAL(ANSWER_MX)), DNS_WHOLE);
    expect(DNS_FIELD_RECORD, "MX 10 mail.shop.test");
    assert_int_equal(read_message(BYTES_LITERAL(ANSWER_SRV)), DNS_WHOLE);
    expect(DNS_FIELD_RECORD, "SRV 5 10 8080 web.shop.test");
}

static void what_texts_hold_is_not_told(void **state)
{
    assert_int_equal(read_message(BYTES_LITERAL(ANSWER_TXT)), DNS_WHOLE);
    expect(DNS_FIELD_RECORD, "TXT");
}

static void the_same_question_in_other_letters_is_the_same(void **state)
{
    uint8_t copy[sizeof(ASK_WWW) - 1];
    uint32_t question;

    memcpy(copy, ASK_WWW, sizeof(copy));
    read_message(bytes_make(copy, sizeof(copy)));
    question = dns.question;
    copy[DNS_HEADER_SIZE + 1] = 'W';
    read_message(bytes_make(copy, sizeof(copy)));
    assert_int_equal(dns.question, question);
    copy[DNS_HEADER_SIZE + 1] = 'v';
    read_message(bytes_make(copy, sizeof(copy)));
    assert_int_not_equal(dns.question, question);
    read_message(BYTES_LITERAL(ANSWER_WWW));
    assert_int_equal(dns.question, question);
}

static void an_extended_code_is_one_number(void **state)
{
    assert_int_equal(read_message(BYTES_LITERAL(ANSWER_BADVERS)), DNS_WHOLE);
    assert_int_equal(dns.rcode, 16);
    assert_int_equal(message_field(&fields, DNS_FIELD_OPT).len, 6);
}

/* A name "a" with n addresses of four bytes, and as many texts. */
static struct bytes make_answer(uint8_t *out, unsigned n)
{
    static const uint8_t address[] = "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x01";
    static const uint8_t text[] = "\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x02\x01x";
    size_t len = 19;

    memcpy(out, "\x00\x07\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00\x01" "a\x00\x00\x01\x00\x01", len);
    out[7] = (uint8_t)(2 * n);
    for (unsigned i = 0; i < n; i++, len += sizeof(address) - 1)
        memcpy(out + len, address, sizeof(address) - 1);
    for (unsigned i = 0; i < n; i++, len += sizeof(text) - 1)
        memcpy(out + len, text, sizeof(text) - 1);
    return bytes_make(out, len);
}

static void addresses_are_answers_others_records_of_both_so_many(void **state)
{
    uint8_t answer[4096];

    assert_int_equal(read_message(make_answer(answer, 100)), DNS_WHOLE);
    assert_int_equal(count(DNS_FIELD_ADDRESS), DNS_ADDRESSES_MAX);
    assert_int_equal(count(DNS_FIELD_RECORD), DNS_RECORDS_MAX);
    assert_int_equal(dns.counts[DNS_ANSWERS], 200);
}

static void cut_anywhere_it_is_short_or_a_part_of_itself(void **state)
{
    struct bytes whole = BYTES_LITERAL(ANSWER_SRV);
    size_t question_end = sizeof(ASK_SRV) - 1 - DNS_RECORD_MIN;

    for (size_t len = 0; len < whole.len; len++)
        assert_int_equal(read_message(bytes_slice(whole, 0, len)),
                         len < question_end ? DNS_SHORT : DNS_PART);
}

static void what_is_no_header_is_bad(void **state)
{
    static const struct bytes cases[] = {
        BYTES_LITERAL("\x00\x01\x01\x40"),         /* the reserved bit */
        BYTES_LITERAL("\x00\x01\x01\x03"),         /* a question with a code */
        BYTES_LITERAL("\x00\x01\x79\x00"),         /* operation 15 */
        BYTES_LITERAL("\x00\x01\x81\x8f"),         /* code 15 */
        BYTES_LITERAL("\x00\x01\x01\x00\x00\x02"), /* two questions at once */
        BYTES_LITERAL("\x00\x01\x01\x00\x00\x01\x00\x02"), /* a question with answers */
        BYTES_LITERAL("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01" "a\x00\x00\x01\x00\x09"),
        /* A name that leads into the header, and nowhere from there. */
        BYTES_LITERAL("\xc0\x09\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01" "a\xc0\x00\x00\x01\x00\x01"),
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_int_equal(read_message(cases[i]), DNS_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_has_name_type_and_class),
        cmocka_unit_test(records_that_lead_somewhere_are_told),
        cmocka_unit_test(what_texts_hold_is_not_told),
        cmocka_unit_test(the_same_question_in_other_letters_is_the_same),
        cmocka_unit_test(an_extended_code_is_one_number),
        cmocka_unit_test(addresses_are_answers_others_records_of_both_so_many),
        cmocka_unit_test(cut_anywhere_it_is_short_or_a_part_of_itself),
        cmocka_unit_test(what_is_no_header_is_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
