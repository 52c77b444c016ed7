/* SPDX-License-Identifier: Apache-2.0 */
/* One event over the stream socket: the agent says what was wrong, nothing while all is well. */
#include "emit.h"

#include "base/log.h"
#include "events/flow_event.h"
#include "source/receiver/receiver.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define DIRECTORY "/run/flowtrace"
#define EVENT_MAX (64u << 10) /* what the agent takes as one line */
#define REPLY_SECONDS 5

enum {
    KEY_TYPE = 256,
    KEY_SUBJECT,
    KEY_SOURCE,
    KEY_ID,
    KEY_TIME,
    KEY_CORRELATION,
    KEY_CAUSATION,
    KEY_SEQUENCE,
    KEY_TRACEPARENT,
    KEY_DATA,
    KEY_DIRECTORY,
};

static const struct argp_option options[] = {
    {"type", KEY_TYPE, "TYPE", 0, "What happened, such as order.shipped (needed)", 1},
    {"subject", KEY_SUBJECT, "TEXT", 0, "To what it happened, such as the order's number", 1},
    {"source", KEY_SOURCE, "URI", 0, "Where; default: urn:flowtrace:emit", 1},
    {"id", KEY_ID, "TEXT", 0, "Of this event; default: a random one", 1},
    {"time", KEY_TIME, "RFC3339", 0, "When; default: now", 1},
    {"correlation", KEY_CORRELATION, "ID", 0, "The run of the process that it belongs to", 1},
    {"causation", KEY_CAUSATION, "ID", 0, "The event that caused it", 1},
    {"sequence", KEY_SEQUENCE, "N", 0, "Its place among the others", 1},
    {"traceparent", KEY_TRACEPARENT, "W3C", 0, "The span that it belongs to; default: "
                                               "$TRACEPARENT", 1},
    {"data", KEY_DATA, "JSON", 0, "Its data, of which the agent keeps what receivers.fields "
                                  "names", 1},
    {"directory", KEY_DIRECTORY, "PATH", 0, "receivers.directory of the agent; default: "
                                            DIRECTORY, 2},
    {0},
};

struct emit {
    struct flow_event event;
    struct bytes data;
    const char *directory;
};

static void add_extension(struct flow_event *event, const char *name, const char *value)
{
    event->extensions[event->n_extensions++] =
        (struct attribute){.key = bytes_from_string(name), .text = bytes_from_string(value)};
}

static error_t parse_text(struct emit *emit, int key, const char *value)
{
    struct flow_event *event = &emit->event;
    struct bytes text = bytes_from_string(value);

    switch (key) {
    case KEY_TYPE:
        event->type = text;
        return 0;
    case KEY_SUBJECT:
        event->subject = text;
        return 0;
    case KEY_SOURCE:
        event->source = text;
        return 0;
    case KEY_ID:
        event->id = text;
        return 0;
    case KEY_TIME:
        event->time = text;
        return 0;
    case KEY_TRACEPARENT:
        event->traceparent = text;
        return 0;
    case KEY_DATA:
        emit->data = text;
        return 0;
    case KEY_DIRECTORY:
        emit->directory = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    static const char *const extensions[] = {[KEY_CORRELATION - KEY_TYPE] = "correlationid",
                                             [KEY_CAUSATION - KEY_TYPE] = "causationid",
                                             [KEY_SEQUENCE - KEY_TYPE] = "sequence"};
    struct emit *emit = state->input;
    size_t i = (size_t)(key - KEY_TYPE);

    if (key >= KEY_TYPE && i < ELEMENTSOF(extensions) && extensions[i]) {
        if (emit->event.n_extensions == FLOW_EVENT_EXTENSIONS_MAX)
            argp_error(state, "too many options");
        add_extension(&emit->event, extensions[i], value);
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        argp_error(state, "one argument too many: %s", value);
    if (key == ARGP_KEY_END && emit->event.type.len == 0)
        argp_error(state, "--type is needed");
    return parse_text(emit, key, value);
}

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .doc = "Says that something happened: one business event to the agent of this host, which "
           "must run with receivers.local=true.\v"
           "Example:\n"
           "  flowtrace-agent emit --type order.shipped --subject 4711\n",
};

static int connect_agent(const char *directory, int *ret_fd)
{
    const struct timeval patience = {.tv_sec = REPLY_SECONDS};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" RECEIVER_LINES_SOCKET,
                     directory);

    if ((size_t)n >= sizeof(address.sun_path))
        return log_error(-ENAMETOOLONG, "%s", directory);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return log_error(-errno, "no agent takes events on %s (it needs receivers.local=true)",
                         address.sun_path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* The agent closes the stream once it has read all of it; what it says before is a complaint. */
static int deliver(int fd, struct bytes line)
{
    char reply[256];
    ssize_t n = send(fd, line.ptr, line.len, MSG_NOSIGNAL);

    if (n != (ssize_t)line.len || shutdown(fd, SHUT_WR) < 0)
        return log_error(-errno, "the agent did not take the event");
    n = recv(fd, reply, sizeof(reply) - 1, 0);
    if (n < 0)
        return log_error(-errno, "the agent did not answer within %d s", REPLY_SECONDS);
    if (n == 0)
        return 0;
    reply[n] = '\0';
    reply[strcspn(reply, "\n")] = '\0';
    return log_error(-EBADMSG, "%s", reply);
}

/* What was not said. `id` has room for the digits and a NUL. */
static int complete(struct flow_event *event, char *id, size_t size)
{
    uint8_t random[16];

    event->spec_version = BYTES_LITERAL("1.0");
    if (event->source.len == 0)
        event->source = BYTES_LITERAL("urn:flowtrace:emit");
    if (event->traceparent.len == 0)
        event->traceparent = bytes_from_string(getenv("TRACEPARENT"));
    if (event->id.len)
        return 0;
    if (size <= 2 * sizeof(random) || getrandom(random, sizeof(random), 0) != sizeof(random))
        return log_error(-EIO, "no random id");
    bytes_to_hex(bytes_make(random, sizeof(random)), id);
    event->id = bytes_from_string(id);
    return 0;
}

int emit_main(int argc, char **argv)
{
    _cleanup_(buffer_done) struct buffer line = buffer_make(EVENT_MAX);
    _cleanup_(closep) int fd = -1;
    struct emit emit = {.directory = DIRECTORY};
    char id[40];
    int r;

    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, &emit) != 0)
        return 2;
    if (complete(&emit.event, id, sizeof(id)) < 0)
        return 1;
    r = flow_event_to_json(&emit.event, emit.data, &line);
    if (r < 0) {
        log_error(r, r == -EBADMSG ? "--data is no JSON, or a text no UTF-8"
                                   : "the event is longer than the agent takes");
        return r == -EBADMSG ? 2 : 1;
    }
    r = connect_agent(emit.directory, &fd);
    if (r == 0)
        r = deliver(fd, buffer_bytes(&line));
    return r < 0 ? 1 : 0;
}
