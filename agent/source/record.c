/* SPDX-License-Identifier: Apache-2.0 */
/* The record format, both ways, and its writer; the layout stands in record.h. */
#include "source/record.h"

#include "base/log.h"
#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define RECORDER_BUFFER (1u << 20)

enum connection_flags {
    FLAG_HAS_STARTS = 1 << 0,
    FLAG_PASSIVE = 1 << 1,
    FLAG_SECURE = 1 << 2,
};
enum record_parts {
    PART_CONNECTION = 1 << 0,
    PART_PROCESS = 1 << 1,
    PART_HOST = 1 << 2,
    PART_UNIX = 1 << 3, /* of a connection */
    PART_TLS = 1 << 4,        /* of a connection */
    PART_ATTRIBUTES = 1 << 5, /* of a process */
};

struct recorder {
    int fd;
    int error;
    struct buffer buffer;
};

/* ---- out ------------------------------------------------------------------------------------ */

static void put_string(struct buffer *buffer, struct bytes b)
{
    buffer_append_le(buffer, b.len, 4);
    buffer_append_bytes(buffer, b);
}

static void put_endpoint(struct buffer *buffer, const struct endpoint *endpoint)
{
    buffer_append(buffer, endpoint->address, sizeof(endpoint->address));
    buffer_append_le(buffer, endpoint->port, 2);
}

static void put_connection(struct buffer *buffer, const struct connection_facts *facts)
{
    put_endpoint(buffer, &facts->local);
    put_endpoint(buffer, &facts->remote);
    buffer_append_le(buffer, facts->starts[DIR_IN], 8);
    buffer_append_le(buffer, facts->starts[DIR_OUT], 8);
    buffer_append_le(buffer, (facts->has_starts ? FLAG_HAS_STARTS : 0) |
                                 (facts->passive ? FLAG_PASSIVE : 0) |
                                 (facts->secure ? FLAG_SECURE : 0), 1);
    buffer_append_le(buffer, facts->transport, 1);
    buffer_append(buffer, facts->comm, COMM_LEN);
    buffer_append_le(buffer, facts->cgroup_id, 8);
    buffer_append_le(buffer, facts->netns, 4);
}

static bool is_unix(const struct connection_facts *facts)
{
    return facts && facts->transport >= TRANSPORT_UNIX_STREAM &&
           facts->transport <= TRANSPORT_UNIX_DATAGRAM;
}

static void put_unix(struct buffer *buffer, const struct connection_facts *facts)
{
    buffer_append_le(buffer, facts->name_is_remote, 1);
    buffer_append_le(buffer, facts->remote_tgid, 4);
    put_string(buffer, bytes_make(facts->name.bytes, facts->name.len));
}

static bool has_tls(const struct connection_facts *facts)
{
    return facts && facts->secure && (facts->tls.version || facts->name.len);
}

static void put_tls(struct buffer *buffer, const struct connection_facts *facts)
{
    buffer_append_le(buffer, facts->tls.version, 2);
    buffer_append_le(buffer, (uint64_t)facts->tls.not_after, 8);
    put_string(buffer, bytes_make(facts->name.bytes, facts->name.len));
}

static bool has_attributes(const struct process_facts *facts)
{
    return facts && facts->attributes.len;
}

static void put_process(struct buffer *buffer, const struct process_facts *facts)
{
    put_string(buffer, facts->executable);
    put_string(buffer, facts->service);
    put_string(buffer, facts->cgroup);
    put_string(buffer, facts->container_id);
}

int record_encode(const struct event *event, struct buffer *buffer)
{
    size_t start = buffer->len;
    uint16_t parts = (uint16_t)((event->connection_facts ? PART_CONNECTION : 0) |
                                (event->process_facts ? PART_PROCESS : 0) |
                                (event->host_facts ? PART_HOST : 0) |
                                (is_unix(event->connection_facts) ? PART_UNIX : 0) |
                                (has_tls(event->connection_facts) ? PART_TLS : 0) |
                                (has_attributes(event->process_facts) ? PART_ATTRIBUTES : 0));

    buffer_append_le(buffer, 0, 4);
    buffer_append_le(buffer, event->kind, 1);
    buffer_append_le(buffer, event->dir, 1);
    buffer_append_le(buffer, parts, 2);
    buffer_append_le(buffer, event->time_ns, 8);
    buffer_append_le(buffer, event->connection, 8);
    buffer_append_le(buffer, event->exec.tgid, 4);
    buffer_append_le(buffer, event->exec.tid, 4);
    buffer_append_le(buffer, event->exec.process_start_ns, 8);
    buffer_append_le(buffer, event->exec.coroutine, 8);
    buffer_append_le(buffer, event->position, 8);
    buffer_append_le(buffer, event->length, 4);
    put_string(buffer, event->data);
    if (event->connection_facts)
        put_connection(buffer, event->connection_facts);
    if (event->process_facts)
        put_process(buffer, event->process_facts);
    if (event->host_facts) {
        put_string(buffer, event->host_facts->name);
        buffer_append_le(buffer, event->host_facts->boot_time_ns, 8);
    }
    if (parts & PART_UNIX)
        put_unix(buffer, event->connection_facts);
    if (parts & PART_TLS)
        put_tls(buffer, event->connection_facts);
    if (parts & PART_ATTRIBUTES)
        put_string(buffer, event->process_facts->attributes);
    if (buffer->failed) {
        buffer->len = start;
        return -ENOBUFS;
    }
    for (size_t i = 0; i < 4; i++)
        buffer->ptr[start + i] = (uint8_t)((buffer->len - start - 4) >> (8 * i));
    return 0;
}

/* ---- in ------------------------------------------------------------------------------------- */

static struct bytes get_string(struct reader *reader)
{
    return reader_take(reader, reader_le32(reader));
}

static void get_raw(struct reader *reader, void *out, size_t n)
{
    struct bytes raw = reader_take(reader, n);

    if (raw.len == n)
        memcpy(out, raw.ptr, n);
}

static void get_endpoint(struct reader *reader, struct endpoint *endpoint)
{
    get_raw(reader, endpoint->address, sizeof(endpoint->address));
    endpoint->port = reader_le16(reader);
}

static void get_connection(struct reader *reader, struct connection_facts *facts)
{
    uint8_t flags;

    *facts = (struct connection_facts){0};
    get_endpoint(reader, &facts->local);
    get_endpoint(reader, &facts->remote);
    facts->starts[DIR_IN] = reader_le64(reader);
    facts->starts[DIR_OUT] = reader_le64(reader);
    flags = reader_u8(reader);
    facts->has_starts = flags & FLAG_HAS_STARTS;
    facts->passive = flags & FLAG_PASSIVE;
    facts->secure = flags & FLAG_SECURE;
    facts->transport = reader_u8(reader);
    get_raw(reader, facts->comm, COMM_LEN);
    facts->comm[COMM_LEN - 1] = '\0';
    facts->cgroup_id = reader_le64(reader);
    facts->netns = reader_le32(reader);
}

static void get_name(struct reader *reader, struct socket_name *name)
{
    struct bytes text = get_string(reader);

    name->len = (uint8_t)MIN(text.len, sizeof(name->bytes));
    memcpy(name->bytes, text.ptr ?: (const uint8_t *)"", name->len);
}

static void get_unix(struct reader *reader, struct connection_facts *facts)
{
    facts->name_is_remote = reader_u8(reader) != 0;
    facts->remote_tgid = reader_le32(reader);
    get_name(reader, &facts->name);
}

static void get_tls(struct reader *reader, struct connection_facts *facts)
{
    facts->tls.version = reader_le16(reader);
    facts->tls.not_after = (int64_t)reader_le64(reader);
    get_name(reader, &facts->name);
}

static void get_process(struct reader *reader, struct process_facts *facts)
{
    facts->executable = get_string(reader);
    facts->service = get_string(reader);
    facts->cgroup = get_string(reader);
    facts->container_id = get_string(reader);
    facts->attributes = BYTES_NULL;
}

int record_decode(struct bytes data, struct event *ret_event, struct record_facts *ret_facts)
{
    struct reader reader = reader_make(data);
    uint8_t kind = reader_u8(&reader), dir = reader_u8(&reader);
    uint16_t parts = reader_le16(&reader);
    struct event event = {.kind = kind, .dir = dir};

    event.time_ns = reader_le64(&reader);
    event.connection = reader_le64(&reader);
    event.exec.tgid = reader_le32(&reader);
    event.exec.tid = reader_le32(&reader);
    event.exec.process_start_ns = reader_le64(&reader);
    event.exec.coroutine = reader_le64(&reader);
    event.position = reader_le64(&reader);
    event.length = reader_le32(&reader);
    event.data = get_string(&reader);
    if (parts & PART_CONNECTION) {
        get_connection(&reader, &ret_facts->connection);
        event.connection_facts = &ret_facts->connection;
    }
    if (parts & PART_PROCESS) {
        get_process(&reader, &ret_facts->process);
        event.process_facts = &ret_facts->process;
    }
    if (parts & PART_HOST) {
        ret_facts->host.name = get_string(&reader);
        ret_facts->host.boot_time_ns = reader_le64(&reader);
        event.host_facts = &ret_facts->host;
    }
    if (parts & PART_UNIX)
        get_unix(&reader, &ret_facts->connection);
    if (parts & PART_TLS)
        get_tls(&reader, &ret_facts->connection);
    if (parts & PART_ATTRIBUTES)
        ret_facts->process.attributes = get_string(&reader);
    if (reader.failed || kind >= EVENT_COUNT ||
        (parts & (PART_UNIX | PART_TLS) && !event.connection_facts) ||
        (parts & PART_ATTRIBUTES && !event.process_facts) ||
        dir > DIR_OUT || event.data.len > event.length ||
        (kind == EVENT_PROCESS) != !!event.process_facts ||
        (kind == EVENT_HOST) != !!event.host_facts)
        return -EBADMSG;
    *ret_event = event;
    return 0;
}

/* ---- the writer ----------------------------------------------------------------------------- */

static void flush(struct recorder *recorder)
{
    struct bytes left = buffer_bytes(&recorder->buffer);

    while (!recorder->error && left.len) {
        ssize_t n = write(recorder->fd, left.ptr, left.len);

        if (n < 0 && errno != EINTR)
            recorder->error = log_error(-errno, "cannot write the recording, which ends here");
        else if (n > 0)
            left = bytes_skip(left, (size_t)n);
    }
    buffer_reset(&recorder->buffer);
}

/* An older recording may be replaced; what is something else is somebody's file. */
static int check_replaceable(int fd)
{
    uint8_t head[RECORD_HEADER_LEN];
    ssize_t n = pread(fd, head, sizeof(head), 0);

    if (n < 0)
        return -errno;
    return n == 0 || bytes_starts_with(bytes_make(head, (size_t)n), RECORD_MAGIC) ? 0 : -EEXIST;
}

static int make_file(const char *path, int *ret_fd)
{
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r;

    if (fd < 0)
        return log_error(-errno, "cannot record to %s", path);
    r = check_replaceable(fd);
    if (r == -EEXIST)
        return log_error(r, "%s is there and is not a recording: give another name", path);
    if (r < 0 || ftruncate(fd, 0) < 0 || fchmod(fd, 0600) < 0)
        return log_error(r < 0 ? r : -errno, "cannot record to %s", path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int recorder_open(const char *path, struct recorder **ret_recorder)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    int r;

    if (!recorder)
        return -ENOMEM;
    r = make_file(path, &recorder->fd);
    if (r < 0) {
        free(recorder);
        return r;
    }
    recorder->buffer = buffer_make(2 * RECORDER_BUFFER);
    buffer_append_bytes(&recorder->buffer, RECORD_MAGIC);
    buffer_append_le(&recorder->buffer, RECORD_VERSION, 4);
    buffer_append_le(&recorder->buffer, 0, 4);
    *ret_recorder = recorder;
    return 0;
}

void recorder_write(struct recorder *recorder, const struct event *event)
{
    if (recorder->error)
        return;
    record_encode(event, &recorder->buffer);
    if (recorder->buffer.len >= RECORDER_BUFFER)
        flush(recorder);
}

int recorder_close(struct recorder *recorder)
{
    int r;

    if (!recorder)
        return 0;
    flush(recorder);
    r = recorder->error;
    closep(&recorder->fd);
    buffer_done(&recorder->buffer);
    free(recorder);
    return r;
}
