/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces for people, on standard output, as they happen. The spans of a trace come in several
 * batches and in any order, so a trace is held back until it is
 *
 *   whole   a root is there, and every parent that is named: shown at once
 *   quiet   nothing came for a second: shown with a note where a parent is missing
 *   oldest  and there is no room for another: shown as it is
 *
 * Not more than TRACES_PER_S are shown in a second, and no further one once LINES_PER_S are there,
 * so that whoever reads can follow; how many were left out is said once the second is over.
 */
#include "exporters/console/tree.h"
#include "exporters/exporter.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "otlp/otlp.h"
#include "span/semconv.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#define TRACES_MAX 1000
#define SPANS_MAX 20000
#define LINES_PER_TRACE 200
#define HEAD_LINES 2 /* the head of a trace and the empty line behind it */
#define TRACES_PER_S 20
#define LINES_PER_S 60
#define QUIET_NS NS_PER_S
#define OUTPUT_MAX (UINT64_C(1) << 20)
#define WRITE_MAX 4096 /* what a ready pipe or terminal takes without blocking */
#define POLL_MS 100

struct console {
    struct forest forest;
    struct node **order; /* for tree_link */
    struct buffer output;
    bool color;
    const _Atomic bool *stopping;
    int error;          /* of the last write */
    uint64_t now_ns;    /* of this send, idle or close */
    uint64_t second_ns; /* when the second began in which ... */
    uint64_t n_shown;   /* ... so many traces were shown ... */
    uint64_t n_lines;   /* ... in about so many lines */
    uint64_t n_left_out;
    uint64_t n_spans_left_out;
};

/* Waits for the terminal in short turns, so that a stopped one does not hold up the end. */
static int write_all(struct console *console, struct bytes text)
{
    struct pollfd ready = {.fd = STDOUT_FILENO, .events = POLLOUT};
    ssize_t n;

    while (text.len > 0) {
        if (poll(&ready, 1, POLL_MS) == 0) {
            if (*console->stopping)
                return -ECANCELED;
            continue;
        }
        n = write(STDOUT_FILENO, text.ptr, MIN(text.len, (size_t)WRITE_MAX));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        text = bytes_skip(text, n < 0 ? 0 : (size_t)n);
    }
    return 0;
}

static void flush(struct console *console)
{
    int r = write_all(console, buffer_bytes(&console->output));

    if (r < 0)
        console->error = r;
    buffer_reset(&console->output);
}

static void say_left_out(struct console *console)
{
    if (console->n_left_out > 0)
        buffer_printf(&console->output,
                      "... %" PRIu64 " more traces (%" PRIu64 " spans) are not shown\n\n",
                      console->n_left_out, console->n_spans_left_out);
    console->n_left_out = console->n_spans_left_out = 0;
}

static void next_second(struct console *console)
{
    if (console->now_ns - console->second_ns < NS_PER_S)
        return;
    say_left_out(console);
    console->second_ns = console->now_ns;
    console->n_shown = console->n_lines = 0;
}

static void release(struct console *console, struct held_trace *trace, const struct node *first)
{
    if (console->n_shown < TRACES_PER_S && console->n_lines < LINES_PER_S) {
        console->n_shown++;
        console->n_lines += MIN(trace->n_spans, (size_t)LINES_PER_TRACE) + HEAD_LINES;
        tree_print(trace, first, LINES_PER_TRACE, console->color, &console->output);
        flush(console);
    } else {
        console->n_left_out++;
        console->n_spans_left_out += trace->n_spans;
    }
    forest_give(&console->forest, trace);
}

static void release_oldest(struct console *console)
{
    struct held_trace *trace = forest_oldest(&console->forest);
    struct node *first;

    tree_link(trace, console->order, &first);
    release(console, trace, first);
}

static void release_quiet(struct console *console)
{
    struct held_trace *trace;

    while ((trace = forest_oldest(&console->forest)) &&
           console->now_ns - trace->touched_ns >= QUIET_NS)
        release_oldest(console);
}

/* Only this send's spans can have made a trace whole. */
static void release_whole(struct console *console)
{
    struct held_trace *after, *trace = forest_oldest(&console->forest);
    struct node *first;

    for (; trace; trace = after) {
        after = forest_after(&console->forest, trace);
        if (trace->touched_ns == console->now_ns && trace->has_root &&
            tree_link(trace, console->order, &first) == 0)
            release(console, trace, first);
    }
}

static struct bytes service_of(const struct attribute *resource, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_equal(resource[i].key, SEMCONV_SERVICE_NAME) &&
            resource[i].type == ATTRIBUTE_TEXT)
            return resource[i].text;
    return BYTES_NULL;
}

static void take_span(void *arg, const struct attribute *resource, size_t n_resource,
                      const struct span *span)
{
    struct bytes service = service_of(resource, n_resource);
    struct console *console = arg;

    while (!forest_add(&console->forest, service, span, console->now_ns))
        release_oldest(console);
}

static void console_idle(void *exporter)
{
    struct console *console = exporter;

    console->now_ns = clock_ns(CLOCK_MONOTONIC);
    next_second(console);
    release_quiet(console);
    flush(console);
}

static struct export_outcome console_send(void *exporter, const struct batch *batch)
{
    struct console *console = exporter;
    int r;

    console->error = 0;
    console->now_ns = clock_ns(CLOCK_MONOTONIC);
    next_second(console);
    r = otlp_decode_batch(batch, take_span, console);
    release_whole(console);
    release_quiet(console);
    flush(console);
    if (r < 0)
        return (struct export_outcome){.result = EXPORT_FAILED,
                                       .reason = "a batch does not decode"};
    if (console->error < 0)
        return (struct export_outcome){.result = EXPORT_FAILED,
                                       .reason = "standard output takes no text"};
    return (struct export_outcome){.result = EXPORT_OK};
}

static void console_free(struct console *console)
{
    forest_done(&console->forest);
    buffer_done(&console->output);
    free(console->order);
    free(console);
}

/* What is still held is shown in any case: at the end, completeness comes before the pace. */
static void console_close(void *exporter)
{
    struct console *console = exporter;

    if (!console)
        return;
    say_left_out(console);
    while (forest_oldest(&console->forest) && console->error == 0) {
        console->n_shown = console->n_lines = 0;
        release_oldest(console);
    }
    flush(console);
    console_free(console);
}

static bool wants_color(void)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

static int console_open(const struct exporter_options *options, void **ret_exporter)
{
    struct console *console;
    int r;

    if (options->target[0])
        return log_error(-EINVAL, "exporter console: takes no target, found %s", options->target);
    console = calloc(1, sizeof(*console));
    if (!console)
        return log_error(-ENOMEM, "exporter console");
    console->stopping = options->stopping;
    console->color = wants_color();
    console->output = buffer_make(OUTPUT_MAX);
    console->order = calloc(SPANS_MAX, sizeof(struct node *));
    r = console->order ? forest_init(&console->forest, TRACES_MAX, SPANS_MAX) : -ENOMEM;
    if (r < 0) {
        console_free(console);
        return log_error(r, "exporter console");
    }
    *ret_exporter = console;
    return 0;
}

const struct exporter_ops exporter_console = {
    .settings = {.name = "console"},
    .usage = "console                     traces as trees on standard output",
    .open = console_open,
    .send = console_send,
    .idle = console_idle,
    .close = console_close,
};
