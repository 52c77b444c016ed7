/* SPDX-License-Identifier: Apache-2.0 */
/* The worker with an exporter that answers by a script. */
#include "exporters/worker.h"

#include "base/clock.h"
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LONG_NS (20 * NS_PER_S)
#define SCRIPT_MAX 8

DEFINE_CLEANUP(struct worker, worker_free)

/* The last step of the script answers all further sends. */
static struct {
    struct export_outcome script[SCRIPT_MAX];
    size_t n_script;
    int open_error;
    bool hang; /* send returns when `stopping` is set */
    _Atomic uint64_t n_sends;
    _Atomic uint64_t n_idles;
    _Atomic uint64_t n_closes;
    _Atomic size_t sizes[SCRIPT_MAX]; /* spans of the first sends */
    const _Atomic bool *stopping;
} fake;

static int fake_open(const struct exporter_options *options, void **ret_exporter)
{
    if (fake.open_error < 0)
        return fake.open_error;
    fake.stopping = options->stopping;
    *ret_exporter = &fake;
    return 0;
}

static struct export_outcome fake_send(void *exporter, const struct batch *batch)
{
    uint64_t n = fake.n_sends++;

    if (n < SCRIPT_MAX)
        fake.sizes[n] = batch->n_spans;
    while (fake.hang && !*fake.stopping)
        usleep(1000);
    if (fake.hang)
        return (struct export_outcome){.result = EXPORT_RETRY, .reason = "stopped"};
    return fake.script[MIN(n, (uint64_t)fake.n_script - 1)];
}

static void fake_idle(void *exporter)
{
    fake.n_idles++;
}

static void fake_close(void *exporter)
{
    fake.n_closes += exporter != NULL;
}

static const struct exporter_ops fake_ops = {.settings = {.name = "fake"},
                                             .usage = "fake",
                                             .open = fake_open,
                                             .send = fake_send,
                                             .idle = fake_idle,
                                             .close = fake_close};

static int reset(void **state)
{
    memset(&fake, 0, sizeof(fake));
    fake.n_script = 1;
    return 0;
}

static struct worker *start(uint64_t queue_bytes)
{
    struct worker_options options = {.target = "", .queue_bytes = queue_bytes,
                                     .send_timeout_ns = NS_PER_S};
    struct worker *worker = NULL;

    assert_int_equal(worker_start(&fake_ops, &options, &worker), 0);
    return worker;
}

static void put(struct worker *worker, size_t n_spans)
{
    struct batch *batch = sample_batch_of(n_spans);

    worker_put(worker, batch);
    batch_unref(batch);
}

static uint64_t sum_of(const struct worker_stats *stats)
{
    return stats->delivered + stats->queued + stats->lost_queue_full + stats->lost_refused +
           stats->lost_failed + stats->lost_too_large +
           stats->lost_rejected + stats->lost_undelivered;
}

static void wait_until(const _Atomic uint64_t *value, uint64_t wanted)
{
    for (unsigned i = 0; i < 20000 && *value < wanted; i++)
        usleep(1000);
    assert_true(*value >= wanted);
}

static void what_the_backend_takes_is_delivered(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = start(1 << 20);
    const struct worker_stats *stats = worker_stats(worker);

    put(worker, 3);
    put(worker, 4);
    wait_until(&stats->delivered, 7);
    assert_int_equal(stats->offered, 7);
    assert_int_equal(stats->queued, 0);
    assert_int_equal(stats->sends, 2);
    assert_true(stats->healthy && !stats->overflowing);
    assert_string_equal(worker_name(worker), "fake");
}

static void a_batch_is_sent_again_until_it_is_taken_and_order_is_kept(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    const struct worker_stats *stats;

    fake.script[0].result = fake.script[1].result = EXPORT_RETRY;
    fake.n_script = 3;
    worker = start(1 << 20);
    stats = worker_stats(worker);
    put(worker, 1);
    put(worker, 2);
    wait_until(&stats->delivered, 3);
    assert_int_equal(stats->sends, 4);
    assert_int_equal(stats->retries, 2);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(fake.sizes[i], i < 3 ? 1 : 2);
}

static void the_backends_wish_when_to_come_again_is_kept(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    uint64_t begun = clock_ns(CLOCK_MONOTONIC);

    fake.script[0] = (struct export_outcome){.result = EXPORT_RETRY,
                                             .retry_after_ns = 300 * NS_PER_MS};
    fake.n_script = 2;
    worker = start(1 << 20);
    put(worker, 1);
    wait_until(&worker_stats(worker)->delivered, 1);
    assert_true(clock_ns(CLOCK_MONOTONIC) - begun >= 300 * NS_PER_MS);
}

static void refused_and_rejected_spans_are_counted(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    const struct worker_stats *stats;

    fake.script[0] = (struct export_outcome){.result = EXPORT_REFUSED, .reason = "no"};
    fake.script[1] = (struct export_outcome){.result = EXPORT_OK, .rejected_spans = 2};
    fake.script[2] = (struct export_outcome){.result = EXPORT_OK, .rejected_spans = 99};
    fake.n_script = 3;
    worker = start(1 << 20);
    stats = worker_stats(worker);
    put(worker, 1);
    put(worker, 5);
    put(worker, 4);
    worker_stop(worker, LONG_NS);
    assert_int_equal(stats->lost_refused, 1);
    assert_int_equal(stats->delivered, 3);
    assert_int_equal(stats->lost_rejected, 6);
    assert_int_equal(sum_of(stats), stats->offered);
}

static void a_full_queue_loses_the_newest_and_never_waits(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    const struct worker_stats *stats;

    fake.hang = true;
    worker = start(1);
    stats = worker_stats(worker);
    put(worker, 1);
    put(worker, 2);
    put(worker, 3);
    assert_int_equal(stats->queued, 1);
    assert_int_equal(stats->lost_queue_full, 5);
    assert_true(stats->overflowing);
    assert_int_equal(sum_of(stats), stats->offered);
}

static void the_label_names_place_and_host_but_no_secret(void **state)
{
    static const struct {
        const char *target, *label;
    } cases[] = {
        {"", "fake (index 3)"},
        {"http://host:1/x,http://b", "fake (index 3, http://host:1/x,http://b)"},
        {"http://host/x?key=hunter2", "fake (index 3, http://host/x)"},
        {"http://me:hunter2@host/x", "fake (index 3)"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        const struct worker_options options = {.index = 3, .target = cases[i].target,
                                               .queue_bytes = 1};
        _cleanup_(worker_freep) struct worker *worker = NULL;

        assert_int_equal(worker_start(&fake_ops, &options, &worker), 0);
        assert_string_equal(worker_label(worker), cases[i].label);
    }
}

static void a_change_of_files_that_cannot_be_used_is_counted(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;

    fake.script[0].reload_failed = true;
    fake.n_script = 2;
    worker = start(1 << 20);
    put(worker, 1);
    put(worker, 1);
    wait_until(&worker_stats(worker)->delivered, 2);
    assert_int_equal(worker_stats(worker)->reload_failures, 1);
}

static void stopping_delivers_what_is_queued(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = start(1 << 20);
    const struct worker_stats *stats = worker_stats(worker);

    for (size_t i = 0; i < 50; i++)
        put(worker, 2);
    worker_stop(worker, LONG_NS);
    assert_int_equal(stats->delivered, 100);
    assert_int_equal(stats->queued, 0);
}

static void stopping_interrupts_a_send_and_counts_the_rest(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    uint64_t begun = clock_ns(CLOCK_MONOTONIC);
    const struct worker_stats *stats;

    fake.hang = true;
    worker = start(1 << 20);
    stats = worker_stats(worker);
    put(worker, 1);
    put(worker, 2);
    worker_stop(worker, 50 * NS_PER_MS);
    assert_true(clock_ns(CLOCK_MONOTONIC) - begun >= 50 * NS_PER_MS);
    assert_int_equal(stats->lost_undelivered, 3);
    assert_int_equal(stats->queued, 0);
    assert_int_equal(sum_of(stats), stats->offered);
}

static void stopping_interrupts_the_back_off(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    uint64_t begun = clock_ns(CLOCK_MONOTONIC);
    const struct worker_stats *stats;
    struct worker_stats then; /* the members of one send are counted one after the other */

    fake.script[0] = (struct export_outcome){.result = EXPORT_RETRY,
                                             .retry_after_ns = 300 * NS_PER_S};
    worker = start(1 << 20);
    stats = worker_stats(worker);
    put(worker, 1);
    wait_until(&stats->retries, 1);
    worker_snapshot(worker, &then);
    assert_false(then.healthy);
    worker_stop(worker, 0);
    assert_true(clock_ns(CLOCK_MONOTONIC) - begun < LONG_NS);
    assert_int_equal(stats->lost_undelivered, 1);
}

static void what_comes_after_the_stop_is_undelivered(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = start(1 << 20);

    worker_stop(worker, LONG_NS);
    put(worker, 3);
    assert_int_equal(worker_stats(worker)->lost_undelivered, 3);
    assert_int_equal(worker_stats(worker)->offered, 3);
    worker_stop(worker, LONG_NS);
}

static void an_exporter_that_does_not_open_is_no_worker(void **state)
{
    struct worker_options options = {.target = ""};
    struct worker *worker = NULL;

    fake.open_error = -EINVAL;
    assert_int_equal(worker_start(&fake_ops, &options, &worker), -EINVAL);
    assert_null(worker);
    assert_int_equal(fake.n_closes, 0);
}

static void an_exporter_is_closed_once(void **state)
{
    worker_free(start(1 << 20));
    worker_free(NULL);
    assert_int_equal(fake.n_closes, 1);
}

static void idle_is_called_while_there_is_nothing_to_send(void **state)
{
    _cleanup_(worker_freep) _unused_ struct worker *worker = start(1 << 20);

    wait_until(&fake.n_idles, 2);
    assert_int_equal(fake.n_sends, 0);
}

struct watch {
    struct worker *worker;
    _Atomic bool done;
    _Atomic uint64_t n_looks;
    uint64_t n_wrong;
};

static void *look(void *arg)
{
    struct watch *watch = arg;
    struct worker_stats stats;

    while (!watch->done) {
        worker_snapshot(watch->worker, &stats);
        watch->n_looks++;
        watch->n_wrong += sum_of(&stats) != stats.offered;
    }
    return NULL;
}

static void the_accounts_add_up_at_every_moment(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(7);
    struct watch watch = {0};
    pthread_t thread;

    for (size_t i = 0; i < SCRIPT_MAX; i++)
        fake.script[i] = (struct export_outcome){.result = i % 4 == 3 ? EXPORT_REFUSED : EXPORT_OK,
                                                 .rejected_spans = i % 3};
    fake.n_script = SCRIPT_MAX;
    worker = start(batch->n_bytes * 16);
    watch.worker = worker;
    assert_int_equal(pthread_create(&thread, NULL, look, &watch), 0);
    while (watch.n_looks == 0)
        sched_yield();
    for (size_t i = 0; i < 20000; i++)
        worker_put(worker, batch);
    worker_stop(worker, LONG_NS);
    watch.done = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(watch.n_looks > 0);
    assert_int_equal(watch.n_wrong, 0);
    assert_int_equal(worker_stats(worker)->offered, 140000);
    assert_int_equal(sum_of(worker_stats(worker)), 140000);
    assert_int_equal(atomic_load(&batch->references), 1);
}

/* How many lines of standard error, which is a file here, have the word. */
static unsigned count_lines(FILE *log, const char *word)
{
    char line[512];
    unsigned n = 0;

    rewind(log);
    while (fgets(line, sizeof(line), log))
        n += strstr(line, word) != NULL;
    return n;
}

static void a_backend_that_goes_away_and_comes_back_is_two_lines(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    int saved = dup(STDERR_FILENO);
    FILE *log = tmpfile();

    assert_non_null(log);
    assert_return_code(dup2(fileno(log), STDERR_FILENO), errno);
    for (size_t i = 1; i < 4; i++)
        fake.script[i] = (struct export_outcome){.result = EXPORT_RETRY, .reason = "nobody there"};
    fake.n_script = 5;
    worker = start(1 << 20);
    put(worker, 1);
    put(worker, 1);
    put(worker, 1);
    wait_until(&worker_stats(worker)->delivered, 3);
    worker_stop(worker, LONG_NS);
    assert_return_code(dup2(saved, STDERR_FILENO), errno);
    close(saved);
    assert_int_equal(worker_stats(worker)->retries, 3);
    assert_int_equal(count_lines(log, "exporter fake (index 0): nobody there"), 1);
    assert_int_equal(count_lines(log, "exporter fake (index 0): works again"), 1);
    assert_int_equal(count_lines(log, ":"), 2);
    fclose(log);
}

static void what_is_too_large_goes_in_halves_and_each_span_once(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    const struct worker_stats *stats;

    /* 5 too large, 3 too large, then 2, 2 (once again) and 1. */
    fake.script[0].result = fake.script[1].result = EXPORT_TOO_LARGE;
    fake.script[3].result = EXPORT_RETRY;
    fake.n_script = 6;
    worker = start(1 << 20);
    stats = worker_stats(worker);
    put(worker, 5);
    wait_until(&stats->delivered, 5);
    assert_int_equal(stats->sends, 6);
    assert_int_equal(stats->splits, 2);
    assert_int_equal(stats->queued, 0);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(fake.sizes[i], ((const size_t[]){5, 3, 2, 2, 2, 1})[i]);
}

static void a_span_that_is_too_large_alone_is_lost_under_that_name(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    const struct worker_stats *stats;

    fake.script[0].result = EXPORT_TOO_LARGE;
    worker = start(1 << 20);
    stats = worker_stats(worker);
    put(worker, 3);
    wait_until(&stats->lost_too_large, 3);
    assert_int_equal(stats->queued, 0);
    assert_int_equal(sum_of(stats), 3);
}

static void the_time_and_bytes_of_each_send_are_counted(void **state)
{
    _cleanup_(worker_freep) struct worker *worker = NULL;
    const struct worker_stats *stats;
    uint64_t n = 0;

    fake.script[0] = (struct export_outcome){.result = EXPORT_RETRY, .bytes = 30};
    fake.script[1] = (struct export_outcome){.result = EXPORT_OK, .bytes = 70};
    fake.n_script = 2;
    worker = start(1 << 20);
    stats = worker_stats(worker);
    put(worker, 1);
    wait_until(&stats->delivered, 1);
    assert_int_equal(stats->sent_bytes, 100);
    assert_int_equal(stats->retries_in_row, 0);
    for (size_t i = 0; i < SEND_TIMES; i++)
        n += stats->send_times[i];
    assert_int_equal(n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_the_backend_takes_is_delivered, reset),
        cmocka_unit_test_setup(a_batch_is_sent_again_until_it_is_taken_and_order_is_kept, reset),
        cmocka_unit_test_setup(the_backends_wish_when_to_come_again_is_kept, reset),
        cmocka_unit_test_setup(refused_and_rejected_spans_are_counted, reset),
        cmocka_unit_test_setup(a_full_queue_loses_the_newest_and_never_waits, reset),
        cmocka_unit_test_setup(the_label_names_place_and_host_but_no_secret, reset),
        cmocka_unit_test_setup(a_change_of_files_that_cannot_be_used_is_counted, reset),
        cmocka_unit_test_setup(stopping_delivers_what_is_queued, reset),
        cmocka_unit_test_setup(stopping_interrupts_a_send_and_counts_the_rest, reset),
        cmocka_unit_test_setup(stopping_interrupts_the_back_off, reset),
        cmocka_unit_test_setup(what_comes_after_the_stop_is_undelivered, reset),
        cmocka_unit_test_setup(an_exporter_that_does_not_open_is_no_worker, reset),
        cmocka_unit_test_setup(an_exporter_is_closed_once, reset),
        cmocka_unit_test_setup(idle_is_called_while_there_is_nothing_to_send, reset),
        cmocka_unit_test_setup(the_accounts_add_up_at_every_moment, reset),
        cmocka_unit_test_setup(a_backend_that_goes_away_and_comes_back_is_two_lines, reset),
        cmocka_unit_test_setup(what_is_too_large_goes_in_halves_and_each_span_once, reset),
        cmocka_unit_test_setup(a_span_that_is_too_large_alone_is_lost_under_that_name, reset),
        cmocka_unit_test_setup(the_time_and_bytes_of_each_send_are_counted, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
