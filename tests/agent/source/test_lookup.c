/* SPDX-License-Identifier: Apache-2.0 */
#include "source/lookup.h"

#include "base/macro.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char comm[COMM_LEN] = "test";

static int setup(void **state)
{
    struct lookup *lookup;
    int r = lookup_start(&lookup);

    *state = lookup;
    return r;
}

static int teardown(void **state)
{
    lookup_stop(*state);
    return 0;
}

/* The descriptor may be readable for an answer that was taken already: look again. */
static bool wait_for_answer(struct lookup *lookup, struct lookup_answer *ret_answer)
{
    struct pollfd fd = {.fd = lookup_fd(lookup), .events = POLLIN};

    while (!lookup_take(lookup, ret_answer))
        if (poll(&fd, 1, 5000) != 1)
            return false;
    return true;
}

/* Boot time at which this process started, from /proc/self/stat, field 22, in clock ticks. */
static uint64_t own_start_ns(void)
{
    char line[1024];
    unsigned long long ticks = 0;
    FILE *file = fopen("/proc/self/stat", "re");

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);
    assert_int_equal(sscanf(strrchr(line, ')') + 2,
                            "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                            "%*d %*d %llu", &ticks), 1);
    return ticks * (1000000000u / (unsigned)sysconf(_SC_CLK_TCK));
}

static void a_living_process_is_described(void **state)
{
    struct lookup_answer answer;

    lookup_ask(*state, (uint32_t)getpid(), own_start_ns(), comm, 0);
    assert_true(wait_for_answer(*state, &answer));
    assert_int_equal(answer.tgid, getpid());
    assert_true(answer.facts.executable.len > 0);
    assert_true(answer.facts.executable.ptr >= answer.text &&
                answer.facts.executable.ptr < answer.text + sizeof(answer.text));
}

static void a_process_that_is_gone_is_an_answer_without_facts(void **state)
{
    struct lookup_answer answer;

    lookup_ask(*state, 0x7ffffffe, 1, comm, 0);
    assert_true(wait_for_answer(*state, &answer));
    assert_int_equal(answer.tgid, 0x7ffffffe);
    assert_int_equal(answer.facts.executable.len, 0);
}

static void the_same_process_is_asked_about_once(void **state)
{
    struct pollfd fd = {.fd = lookup_fd(*state), .events = POLLIN};
    struct lookup_answer answer;

    lookup_ask(*state, 0x7ffffffd, 1, comm, 0);
    lookup_ask(*state, 0x7ffffffd, 1, comm, 0);
    assert_true(wait_for_answer(*state, &answer));
    assert_int_equal(poll(&fd, 1, 50), 0);
    assert_false(lookup_take(*state, &answer));
}

static void a_process_with_another_name_is_asked_about_again(void **state)
{
    static const char other[COMM_LEN] = "other";
    struct lookup_answer answer;

    lookup_ask(*state, 0x7ffffffd, 1, comm, 0);
    assert_true(wait_for_answer(*state, &answer));
    lookup_ask(*state, 0x7ffffffd, 1, other, 0);
    assert_true(wait_for_answer(*state, &answer));
}

static void more_questions_than_fit_lose_none_that_was_taken(void **state)
{
    struct lookup_answer answer;
    int answers = 0;

    for (uint32_t i = 1; i <= 1000; i++)
        lookup_ask(*state, 0x70000000 + i, i, comm, 0);
    while (wait_for_answer(*state, &answer))
        if (answer.tgid >= 0x70000000 && ++answers == 256)
            break;
    assert_int_equal(answers, 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_living_process_is_described, setup, teardown),
        cmocka_unit_test_setup_teardown(a_process_that_is_gone_is_an_answer_without_facts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_same_process_is_asked_about_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_process_with_another_name_is_asked_about_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_questions_than_fit_lose_none_that_was_taken, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
