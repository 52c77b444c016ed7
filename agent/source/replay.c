/* SPDX-License-Identifier: Apache-2.0 */
/* The source that plays a recording (record.h) into the core, as fast as the core takes it. */
#include "base/log.h"
#include "source/record.h"

#include <errno.h>
#include <stdio.h>

#define EVENTS_PER_DRAIN 1024

struct replay {
    FILE *file;
    const char *path;
    struct counters *counters;
    uint8_t *event; /* RECORD_EVENT_MAX bytes */
};

static void source_replay_close(void *arg)
{
    struct replay *replay = arg;

    if (!replay)
        return;
    if (replay->file && replay->file != stdin)
        fclose(replay->file);
    free(replay->event);
    free(replay);
}
DEFINE_CLEANUP(void, source_replay_close)

static int check_header(const struct replay *replay)
{
    uint8_t raw[RECORD_HEADER_LEN];
    size_t n = fread(raw, 1, sizeof(raw), replay->file);
    int error = ferror(replay->file) ? errno : 0;
    struct reader reader = reader_make(bytes_make(raw, n));
    struct bytes magic = reader_take(&reader, RECORD_MAGIC.len);
    uint32_t version = reader_le32(&reader);

    if (error)
        return log_error(-error, "cannot read the recording %s", replay->path);
    if (reader.failed || !bytes_equal(magic, RECORD_MAGIC))
        return log_error(-EBADMSG, "%s is not a flowtrace recording", replay->path);
    if (version != RECORD_VERSION)
        return log_error(-EBADMSG, "%s is a recording of version %u; this build plays version %u",
                         replay->path, version, RECORD_VERSION);
    return 0;
}

static int source_replay_open(const struct source_options *options, void **ret_source)
{
    _cleanup_(source_replay_closep) void *owner = NULL;
    struct replay *replay = calloc(1, sizeof(*replay));
    int r;

    if (!replay)
        return -ENOMEM;
    owner = replay;
    replay->path = options->path;
    replay->counters = options->counters;
    replay->event = malloc(RECORD_EVENT_MAX);
    if (!replay->event)
        return -ENOMEM;
    replay->file = strcmp(options->path, "-") == 0 ? stdin : fopen(options->path, "rbe");
    if (!replay->file)
        return log_error(-errno, "cannot open the recording %s", options->path);
    r = check_header(replay);
    if (r < 0)
        return r;
    *ret_source = TAKE_PTR(owner);
    return 0;
}

/* Reads one event into replay->event. Returns its length, 0 at the end, or -EBADMSG. */
static ssize_t read_event(struct replay *replay)
{
    uint8_t raw[4];
    size_t n = fread(raw, 1, sizeof(raw), replay->file);
    struct reader reader = reader_make(bytes_make(raw, sizeof(raw)));
    uint32_t len;

    if (n == 0 && feof(replay->file))
        return 0;
    len = reader_le32(&reader);
    if (n < sizeof(raw) || len == 0 || len > RECORD_EVENT_MAX ||
        fread(replay->event, 1, len, replay->file) < len)
        return -EBADMSG;
    return (ssize_t)len;
}

static int source_replay_drain(void *arg, int wake_fd, int timeout_ms, event_sink sink,
                               void *sink_arg)
{
    struct replay *replay = arg;

    for (int i = 0; i < EVENTS_PER_DRAIN; i++) {
        ssize_t len = read_event(replay);
        struct record_facts facts;
        struct event event;
        int r = 0;

        if (len == 0)
            return SOURCE_END;
        if (len > 0)
            r = record_decode(bytes_make(replay->event, (size_t)len), &event, &facts);
        if (len < 0 || r < 0)
            return log_error(-EBADMSG, "%s is cut or damaged; it was played up to there",
                             replay->path);
        if (event.kind == EVENT_DATA)
            counters_add(replay->counters, COUNTER_operations, 1);
        sink(sink_arg, &event);
    }
    return 0;
}

static void source_replay_set_verdict(void *source, uint64_t connection, struct verdict verdict)
{
    /* What was recorded was recorded under the verdicts of then. */
}

static void source_replay_update_counters(void *source)
{
    /* Operations are counted as they are read. */
}

const struct source_ops source_replay = {
    .name = "replay",
    .open = source_replay_open,
    .drain = source_replay_drain,
    .set_verdict = source_replay_set_verdict,
    .update_counters = source_replay_update_counters,
    .close = source_replay_close,
};
