/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void appends_follow_each_other_across_growth(void **state)
{
    struct buffer buffer = buffer_make(100000);

    for (unsigned i = 0; i < 1000; i++)
        buffer_append_bytes(&buffer, BYTES_LITERAL("0123456789"));
    assert_false(buffer.failed);
    assert_int_equal(buffer.len, 10000);
    for (unsigned i = 0; i < 10000; i++)
        assert_int_equal(buffer.ptr[i], '0' + i % 10);
    buffer_done(&buffer);
    assert_null(buffer.ptr);
    assert_int_equal(buffer.cap, 100000);
}

static void an_append_beyond_the_cap_fails_and_changes_nothing(void **state)
{
    struct buffer buffer = buffer_make(5);

    buffer_append(&buffer, "abc", 3);
    buffer_append(&buffer, "def", 3);
    assert_true(buffer.failed);
    assert_true(bytes_equal(buffer_bytes(&buffer), BYTES_LITERAL("abc")));
    buffer_append(&buffer, "d", 1);
    assert_true(bytes_equal(buffer_bytes(&buffer), BYTES_LITERAL("abc")));
    assert_null(buffer_extend(&buffer, 1));
    buffer_reset(&buffer);
    assert_false(buffer.failed);
    buffer_append(&buffer, "12345", 5);
    assert_true(bytes_equal(buffer_bytes(&buffer), BYTES_LITERAL("12345")));
    buffer_done(&buffer);
}

static void nothing_can_be_appended_to_a_buffer_without_a_cap(void **state)
{
    struct buffer buffer = {0};

    buffer_append(&buffer, "", 0);
    assert_false(buffer.failed);
    buffer_append(&buffer, "a", 1);
    assert_true(buffer.failed);
    buffer_done(&buffer);
}

static void printf_appends_text_without_its_nul(void **state)
{
    struct buffer buffer = buffer_make(600);

    buffer_printf(&buffer, "%s-%d", "a", 7);
    buffer_printf(&buffer, "%500d", 1);
    assert_false(buffer.failed);
    assert_int_equal(buffer.len, 503);
    assert_memory_equal(buffer.ptr, "a-7 ", 4);
    buffer_printf(&buffer, "%100d", 1);
    assert_true(buffer.failed);
    assert_int_equal(buffer.len, 503);
    buffer_done(&buffer);
}

static void numbers_are_appended_little_endian(void **state)
{
    struct buffer buffer = buffer_make(16);

    buffer_append_le(&buffer, 0x0102030405060708, 3);
    buffer_append_le(&buffer, 0xff, 1);
    assert_true(bytes_equal(buffer_bytes(&buffer), BYTES_LITERAL("\x08\x07\x06\xff")));
    buffer_done(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_follow_each_other_across_growth),
        cmocka_unit_test(an_append_beyond_the_cap_fails_and_changes_nothing),
        cmocka_unit_test(nothing_can_be_appended_to_a_buffer_without_a_cap),
        cmocka_unit_test(printf_appends_text_without_its_nul),
        cmocka_unit_test(numbers_are_appended_little_endian),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
