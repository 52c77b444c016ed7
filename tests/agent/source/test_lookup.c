/* SPDX-License-Identifier: Apache-2.0 */
#include "source/lookup.h"

#include "base/macro.h"

#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char comm[COMM_LEN] = "test";

/* What the kernel side is asked: one process is known by what it ran, one by who forked it. */
#define KNOWN 0x7ffffff0u
#define FORKED 0x7ffffff1u
static const uint8_t known_text[] = "python3\0/srv/cart.py\0OTEL_SERVICE_NAME=dreams";

static uint64_t own_start_ns(void);

static bool find_image(void *arg, const struct lookup_question *question,
                       struct lookup_image *ret_image)
{
    *ret_image = (struct lookup_image){0};
    if (question->tgid == FORKED) {
        ret_image->origin_tgid = (uint32_t)getpid();
        ret_image->origin_start_ns = own_start_ns();
        return true;
    }
    if (question->tgid != KNOWN && question->exec_id != KNOWN)
        return false;
    ret_image->known = true;
    strcpy(ret_image->path, "/opt/no/such/python3");
    memcpy(ret_image->text, known_text, sizeof(known_text));
    ret_image->args_len = strlen("python3") + strlen("/srv/cart.py") + 2;
    ret_image->text_len = question->process_start_ns == 1 ? ret_image->args_len
                                                          : sizeof(known_text);
    return true;
}

static int setup(void **state)
{
    struct lookup *lookup;
    int r = lookup_start(&(struct lookup_images){find_image, NULL}, &lookup);

    *state = lookup;
    return r;
}

static int teardown(void **state)
{
    lookup_stop(*state);
    return 0;
}

static bool ask(struct lookup *lookup, uint32_t tgid, uint64_t process_start_ns, const char *name)
{
    struct lookup_question question = {.tgid = tgid, .process_start_ns = process_start_ns};

    memcpy(question.comm, name, sizeof(question.comm));
    return lookup_ask(lookup, &question);
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

/* Boot time at which the process started, from /proc/PID/stat, field 22, in clock ticks. */
static uint64_t start_ns_of(pid_t pid)
{
    char line[1024], path[32];
    unsigned long long ticks = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);
    assert_int_equal(sscanf(strrchr(line, ')') + 2,
                            "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                            "%*d %*d %llu", &ticks), 1);
    return ticks * (1000000000u / (unsigned)sysconf(_SC_CLK_TCK));
}

static uint64_t own_start_ns(void)
{
    return start_ns_of(getpid());
}

static void a_living_process_is_described(void **state)
{
    struct lookup_answer answer;

    ask(*state, (uint32_t)getpid(), own_start_ns(), comm);
    assert_true(wait_for_answer(*state, &answer));
    assert_int_equal(answer.tgid, getpid());
    assert_true(answer.facts.executable.len > 0);
    assert_true(answer.facts.executable.ptr >= answer.text &&
                answer.facts.executable.ptr < answer.text + sizeof(answer.text));
}

static void a_process_that_is_gone_is_an_answer_without_facts(void **state)
{
    struct lookup_answer answer;

    ask(*state, 0x7ffffffe, 1, comm);
    assert_true(wait_for_answer(*state, &answer));
    assert_int_equal(answer.tgid, 0x7ffffffe);
    assert_int_equal(answer.facts.executable.len, 0);
}

static void a_process_that_is_gone_is_what_the_kernel_noted(void **state)
{
    struct lookup_answer answer;

    ask(*state, KNOWN, 1, comm);
    assert_true(wait_for_answer(*state, &answer));
    assert_true(bytes_equal(answer.facts.service, BYTES_LITERAL("cart")));
    ask(*state, KNOWN, 2, comm);
    assert_true(wait_for_answer(*state, &answer));
    assert_true(bytes_equal(answer.facts.service, BYTES_LITERAL("dreams")));
    assert_true(bytes_equal(answer.facts.executable, BYTES_LITERAL("/opt/no/such/python3")));
}

static void a_forked_process_that_is_gone_is_what_its_origin_is(void **state)
{
    struct lookup_answer answer;
    char executable[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", executable, sizeof(executable));

    ask(*state, FORKED, 1, comm);
    assert_true(wait_for_answer(*state, &answer));
    assert_int_equal(answer.tgid, FORKED);
    assert_true(bytes_equal(answer.facts.executable, bytes_make(executable, (size_t)n)));
}

static void a_process_that_nobody_has_waited_for_is_gone_too(void **state)
{
    struct lookup_question question = {.exec_id = KNOWN, .process_start_ns = 0};
    struct lookup_answer answer;
    siginfo_t info;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    question.tgid = (uint32_t)pid;
    question.process_start_ns = start_ns_of(pid);
    assert_true(lookup_ask(*state, &question));
    assert_true(wait_for_answer(*state, &answer));
    assert_true(bytes_equal(answer.facts.service, BYTES_LITERAL("dreams")));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_same_process_is_asked_about_once(void **state)
{
    struct pollfd fd = {.fd = lookup_fd(*state), .events = POLLIN};
    struct lookup_answer answer;

    ask(*state, 0x7ffffffd, 1, comm);
    ask(*state, 0x7ffffffd, 1, comm);
    assert_true(wait_for_answer(*state, &answer));
    assert_int_equal(poll(&fd, 1, 50), 0);
    assert_false(lookup_take(*state, &answer));
}

static void an_answer_is_owed_until_it_is_taken(void **state)
{
    struct lookup_answer answer;

    assert_false(lookup_owes(*state));
    ask(*state, 0x7ffffffd, 1, comm);
    assert_true(lookup_owes(*state));
    assert_true(wait_for_answer(*state, &answer));
    assert_false(lookup_owes(*state));
}

static void a_process_with_another_name_is_asked_about_again(void **state)
{
    static const char other[COMM_LEN] = "other";
    struct lookup_answer answer;

    ask(*state, 0x7ffffffd, 1, comm);
    assert_true(wait_for_answer(*state, &answer));
    ask(*state, 0x7ffffffd, 1, other);
    assert_true(wait_for_answer(*state, &answer));
}

static void more_questions_than_fit_lose_none_that_was_taken(void **state)
{
    struct pollfd fd = {.fd = lookup_fd(*state), .events = POLLIN};
    struct lookup_answer answer;
    int asked = 0, answers = 0;

    for (uint32_t i = 1; i <= 4000; i++)
        asked += ask(*state, 0x70000000 + i, i, comm);
    assert_in_range(asked, 2048, 3999);
    while (answers < asked && wait_for_answer(*state, &answer))
        answers++;
    assert_int_equal(answers, asked);
    assert_int_equal(poll(&fd, 1, 50), 0);
    assert_false(lookup_owes(*state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_living_process_is_described, setup, teardown),
        cmocka_unit_test_setup_teardown(a_process_that_is_gone_is_an_answer_without_facts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_process_that_is_gone_is_what_the_kernel_noted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_forked_process_that_is_gone_is_what_its_origin_is, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_process_that_nobody_has_waited_for_is_gone_too, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_same_process_is_asked_about_once, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_is_owed_until_it_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_process_with_another_name_is_asked_about_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_questions_than_fit_lose_none_that_was_taken, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
