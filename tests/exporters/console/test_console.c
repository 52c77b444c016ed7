/* SPDX-License-Identifier: Apache-2.0 */
/* The console as a whole; standard output is a file here. */
#include "exporters/exporter.h"

#include "base/clock.h"
#include "sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

extern const struct exporter_ops exporter_console;

struct fixture {
    void *console;
    FILE *output;
    int saved;
    char text[1 << 18];
};

static _Atomic bool stopping;

static int set_up(void **state)
{
    struct exporter_options options = {.target = "", .stopping = &stopping};
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    setenv("TZ", "UTC", 1);
    fflush(stdout);
    fixture->saved = dup(STDOUT_FILENO);
    fixture->output = tmpfile();
    assert_non_null(fixture->output);
    assert_int_equal(exporter_console.open(&options, &fixture->console), 0);
    *state = fixture;
    return 0;
}

/* Standard output is the file only while the console works: cmocka writes there, too. */
static void begin(struct fixture *fixture)
{
    assert_return_code(dup2(fileno(fixture->output), STDOUT_FILENO), errno);
}

static void end(struct fixture *fixture)
{
    assert_return_code(dup2(fixture->saved, STDOUT_FILENO), errno);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture);
    exporter_console.close(fixture->console);
    end(fixture);
    fclose(fixture->output);
    close(fixture->saved);
    free(fixture);
    return 0;
}

static void send_samples(struct fixture *fixture, const struct sample *samples, size_t n)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch(samples, n);
    struct export_outcome outcome;

    begin(fixture);
    outcome = exporter_console.send(fixture->console, batch);
    end(fixture);
    assert_int_equal(outcome.result, EXPORT_OK);
}

static void idle(struct fixture *fixture)
{
    begin(fixture);
    exporter_console.idle(fixture->console);
    end(fixture);
}

static const char *shown(struct fixture *fixture)
{
    size_t n;

    rewind(fixture->output);
    n = fread(fixture->text, 1, sizeof(fixture->text) - 1, fixture->output);
    fixture->text[n] = '\0';
    return fixture->text;
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    for (; (text = strstr(text, word)); text += strlen(word))
        n++;
    return n;
}

static const struct sample root = {"shop", 1, 1, 0, SPAN_KIND_SERVER, "GET /cart", 0, 5000,
                                   NULL, NULL};
static const struct sample child = {"shop", 1, 2, 1, SPAN_KIND_CLIENT, "GET", 1000, 4000,
                                    "thread", NULL};

static void a_trace_is_shown_as_soon_as_it_is_whole(void **state)
{
    struct fixture *fixture = *state;

    send_samples(fixture, &child, 1);
    assert_string_equal(shown(fixture), "");
    send_samples(fixture, &root, 1);
    assert_string_equal(shown(fixture),
                        "22:13:20.000 trace 01010101010101010101010101010101, 2 spans, 5.00 ms\n"
                        "shop server GET /cart  5.00 ms\n"
                        "└─ shop client GET  3.00 ms (thread)\n"
                        "\n");
}

static void a_trace_with_a_missing_parent_is_shown_when_it_is_quiet(void **state)
{
    struct fixture *fixture = *state;

    send_samples(fixture, &child, 1);
    idle(fixture);
    assert_string_equal(shown(fixture), "");
    usleep(1100 * 1000);
    idle(fixture);
    assert_non_null(strstr(shown(fixture), "[its parent 0101010101010101 was not seen]"));
}

static void what_is_held_is_shown_at_the_end(void **state)
{
    struct fixture *fixture = *state;

    send_samples(fixture, &child, 1);
    begin(fixture);
    exporter_console.close(TAKE_PTR(fixture->console));
    end(fixture);
    assert_int_equal(count(shown(fixture), "shop client GET"), 1);
}

static void a_flood_is_sampled_and_says_what_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    struct sample roots[100];

    for (size_t i = 0; i < ELEMENTSOF(roots); i++) {
        roots[i] = root;
        roots[i].trace = (uint8_t)(i + 1);
    }
    send_samples(fixture, roots, ELEMENTSOF(roots));
    assert_int_equal(count(shown(fixture), " trace "), 20);
    usleep(1100 * 1000);
    idle(fixture);
    assert_non_null(strstr(shown(fixture), "... 80 more traces (80 spans) are not shown\n"));
    send_samples(fixture, roots, 1);
    assert_int_equal(count(shown(fixture), " trace "), 21);
}

/* The traces and spans of all lines that say how many were not shown. */
static void add_left_out(const char *text, unsigned *n_traces, unsigned *n_spans)
{
    unsigned traces, spans;

    for (; (text = strstr(text, "... ")); text += strlen("... "))
        if (sscanf(text, "... %u more traces (%u spans) are not shown", &traces, &spans) == 2) {
            *n_traces += traces;
            *n_spans += spans;
        }
}

/* 100 traces of 7 spans: whoever reads can follow some 60 lines in a second. */
static void large_traces_are_sampled_by_their_lines(void **state)
{
    struct fixture *fixture = *state;
    uint64_t begin = clock_ns(CLOCK_MONOTONIC), seconds;
    unsigned n_shown, n_traces = 0, n_spans = 0;
    struct sample samples[7];

    for (unsigned trace = 1; trace <= 100; trace++) {
        for (size_t i = 0; i < ELEMENTSOF(samples); i++) {
            samples[i] = i == 0 ? root : child;
            samples[i].trace = (uint8_t)trace;
            samples[i].id = (uint8_t)(i + 1);
        }
        send_samples(fixture, samples, ELEMENTSOF(samples));
    }
    seconds = (clock_ns(CLOCK_MONOTONIC) - begin) / NS_PER_S + 1;
    n_shown = count(shown(fixture), " trace ");
    assert_in_range(n_shown, 7, 7 * seconds);
    usleep(1100 * 1000);
    idle(fixture);
    add_left_out(shown(fixture), &n_traces, &n_spans);
    assert_int_equal(n_shown + n_traces, 100);
    assert_int_equal(n_spans, 7 * n_traces);
}

/* 255 traces, a span of each in every batch, and never a root: 20,000 spans are held, not more. */
static void a_full_console_shows_the_oldest_trace_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct sample orphans[255];

    for (size_t i = 0; i < ELEMENTSOF(orphans); i++) {
        orphans[i] = child;
        orphans[i].trace = (uint8_t)(i + 1);
    }
    for (unsigned i = 0; i < 20000 / ELEMENTSOF(orphans); i++)
        send_samples(fixture, orphans, ELEMENTSOF(orphans));
    assert_string_equal(shown(fixture), "");
    send_samples(fixture, orphans, ELEMENTSOF(orphans));
    /* There was room for spans of the first 110 traces, so that the 111th was the oldest. */
    assert_non_null(strstr(shown(fixture), "6f6f6f6f, 78 spans"));
}

static void a_target_is_refused(void **state)
{
    struct exporter_options options = {.target = "x", .stopping = &stopping};
    void *console = NULL;

    assert_int_equal(exporter_console.open(&options, &console), -EINVAL);
    assert_null(console);
}

static void closed_standard_output_loses_the_batch_under_a_name(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch(&root, 1);
    struct fixture *fixture = *state;
    struct export_outcome outcome;

    close(STDOUT_FILENO);
    outcome = exporter_console.send(fixture->console, batch);
    end(fixture);
    assert_int_equal(outcome.result, EXPORT_FAILED);
    assert_string_equal(outcome.reason, "standard output takes no text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_trace_is_shown_as_soon_as_it_is_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_trace_with_a_missing_parent_is_shown_when_it_is_quiet,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_held_is_shown_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flood_is_sampled_and_says_what_is_left_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(large_traces_are_sampled_by_their_lines, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_console_shows_the_oldest_trace_as_it_is,
                                        set_up, tear_down),
        cmocka_unit_test(a_target_is_refused),
        cmocka_unit_test_setup_teardown(closed_standard_output_loses_the_batch_under_a_name,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
