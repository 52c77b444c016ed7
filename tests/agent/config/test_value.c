/* SPDX-License-Identifier: Apache-2.0 */
#include "config/setting.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Any members serve as the place of a made-up row. */
static const struct setting a_size = {
    .type = SETTING_SIZE, .min = 0, .max = UINT64_MAX, .offset = offsetof(struct settings, grace)};
static const struct setting a_duration = {
    .type = SETTING_DURATION, .min = 0, .max = UINT64_MAX,
    .offset = offsetof(struct settings, grace)};
static const struct setting a_number = {
    .type = SETTING_INTEGER, .min = 10, .max = 20, .offset = offsetof(struct settings, grace)};
static const struct setting a_boolean = {.type = SETTING_BOOLEAN,
                                         .offset = offsetof(struct settings, grace)};
static const struct setting a_list = {.type = SETTING_LIST,
                                      .offset = offsetof(struct settings, exporters)};

static uint64_t parsed(const struct setting *row, const char *text)
{
    struct settings settings = {.grace = 0};

    assert_int_equal(setting_assign_text(row, &settings, text), 0);
    return settings.grace;
}

static int refused(const struct setting *row, const char *text)
{
    struct settings settings = {.grace = 77};
    int r = setting_assign_text(row, &settings, text);

    assert_int_equal(settings.grace, 77);
    return r;
}

static void sizes_take_units_of_1024(void **state)
{
    assert_int_equal(parsed(&a_size, "0"), 0);
    assert_int_equal(parsed(&a_size, "512"), 512);
    assert_int_equal(parsed(&a_size, "512B"), 512);
    assert_int_equal(parsed(&a_size, "4KiB"), 4096);
    assert_int_equal(parsed(&a_size, "4K"), 4096);
    assert_int_equal(parsed(&a_size, "1M"), 1048576);
    assert_int_equal(parsed(&a_size, "3GiB"), UINT64_C(3221225472));
}

static void durations_need_a_unit(void **state)
{
    assert_int_equal(parsed(&a_duration, "7ns"), 7);
    assert_int_equal(parsed(&a_duration, "7us"), 7000);
    assert_int_equal(parsed(&a_duration, "500ms"), 500000000);
    assert_int_equal(parsed(&a_duration, "2s"), UINT64_C(2000000000));
    assert_int_equal(parsed(&a_duration, "2m"), UINT64_C(120000000000));
    assert_int_equal(parsed(&a_duration, "1h"), UINT64_C(3600000000000));
    assert_int_equal(refused(&a_duration, "2"), -EINVAL);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const bad[] = {"", "x", "-1", "+1", "1.5K", "1 K", " 1", "1KB",
                                      "1kib", "0x10"};

    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        assert_int_equal(refused(&a_size, bad[i]), -EINVAL);
}

static void what_is_too_large_to_count_is_out_of_range(void **state)
{
    assert_int_equal(refused(&a_size, "18446744073709551616"), -ERANGE);
    assert_int_equal(refused(&a_size, "18446744073709551615G"), -ERANGE);
}

static void bounds_are_part_of_the_range(void **state)
{
    assert_int_equal(parsed(&a_number, "10"), 10);
    assert_int_equal(parsed(&a_number, "20"), 20);
    assert_int_equal(refused(&a_number, "9"), -ERANGE);
    assert_int_equal(refused(&a_number, "21"), -ERANGE);
}

static void a_power_of_two_is_asked_for_where_the_row_says_so(void **state)
{
    struct setting row = a_size;

    row.power_of_two = true;
    assert_int_equal(parsed(&row, "4096"), 4096);
    assert_int_equal(refused(&row, "4097"), -ERANGE);
}

static void a_boolean_is_true_or_false(void **state)
{
    struct settings settings = {.grace = 0};

    assert_int_equal(setting_assign_text(&a_boolean, &settings, "true"), 0);
    assert_true(*(bool *)&settings.grace);
    assert_int_equal(setting_assign_text(&a_boolean, &settings, "false"), 0);
    assert_false(*(bool *)&settings.grace);
    assert_int_equal(refused(&a_boolean, "yes"), -EINVAL);
    assert_int_equal(refused(&a_boolean, "True"), -EINVAL);
}

static void a_list_is_split_at_commas_and_may_be_empty(void **state)
{
    struct settings settings = {0};

    assert_int_equal(setting_assign_text(&a_list, &settings, "a,,c"), 0);
    assert_int_equal(settings.exporters.n, 3);
    assert_string_equal(settings.exporters.items[0], "a");
    assert_string_equal(settings.exporters.items[1], "");
    assert_string_equal(settings.exporters.items[2], "c");
    assert_int_equal(setting_assign_text(&a_list, &settings, ""), 0);
    assert_int_equal(settings.exporters.n, 0);
    string_list_done(&settings.exporters);
}

static void a_bad_item_leaves_the_list_as_it_was(void **state)
{
    struct settings settings = {0};

    assert_int_equal(setting_assign_text(&a_list, &settings, "a,b"), 0);
    assert_int_equal(setting_assign_text(&a_list, &settings, "c,\n"), -EINVAL);
    assert_int_equal(settings.exporters.n, 2);
    assert_string_equal(settings.exporters.items[1], "b");
    string_list_done(&settings.exporters);
}

static void numbers_are_written_in_the_largest_unit_without_remainder(void **state)
{
    static const struct {
        enum setting_type type;
        uint64_t value;
        const char *text;
    } cases[] = {
        {SETTING_SIZE, 0, "0B"},           {SETTING_SIZE, 1000, "1000"},
        {SETTING_SIZE, 4096, "4KiB"},      {SETTING_SIZE, 1 << 20, "1MiB"},
        {SETTING_DURATION, 0, "0ns"},      {SETTING_DURATION, 1500000000, "1500ms"},
        {SETTING_INTEGER, 65536, "65536"}, {SETTING_DURATION, UINT64_C(60000000000), "1m"},
    };
    char text[32];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        setting_format_number(cases[i].type, cases[i].value, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_take_units_of_1024),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(what_is_too_large_to_count_is_out_of_range),
        cmocka_unit_test(bounds_are_part_of_the_range),
        cmocka_unit_test(a_power_of_two_is_asked_for_where_the_row_says_so),
        cmocka_unit_test(a_boolean_is_true_or_false),
        cmocka_unit_test(a_list_is_split_at_commas_and_may_be_empty),
        cmocka_unit_test(a_bad_item_leaves_the_list_as_it_was),
        cmocka_unit_test(numbers_are_written_in_the_largest_unit_without_remainder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
