/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd calls handle() with the head of a request, then with each part of its body, then
 * once more at its end. An answer may be queued at the first or the last call only: what goes wrong
 * in between is noted, the rest of the body is passed over, and the answer is given at the end.
 *
 *   client (a connection) ── request (at most one at a time) ── body, held until its end
 */
#include "source/receiver/http.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "rpc/gunzip.h"
#include "source/receiver/routes.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <sys/socket.h>

#define HEAD_MEMORY (16u << 10) /* of a connection: its head, and the part of the body in hand */
#define ANSWER_MAX 4096
#define NOT_FOUND "there are POST /v1/traces and POST /events\n"

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct list clients;
};

struct client {
    struct list link;
    struct http *http;
    int fd;
    bool cut;             /* off already: the library will see that it has ended */
    uint64_t progress_ns; /* it came, or its last request ended, CLOCK_MONOTONIC */
    struct peer peer;
};

struct request {
    struct client *client;
    const struct route *route;
    struct buffer body;
    size_t held; /* of all bodies' memory */
    bool gzip;
    unsigned refused; /* the code of what went wrong so far, or 0 */
    const char *reason;
};

/* ---- clients --------------------------------------------------------------------------------- */

static unsigned clients_of(const struct http *http, uint64_t key)
{
    unsigned n = 0;

    for (const struct list *link = http->clients.next; link != &http->clients; link = link->next)
        n += container_of(link, struct client, link)->peer.key == key;
    return n;
}

static void cut_off(struct client *client)
{
    if (client->cut)
        return;
    client->cut = true;
    counters_add(client->http->options.options->counters, COUNTER_received_cut_off, 1);
    shutdown(client->fd, SHUT_RDWR);
}

static struct client *client_new(struct http *http, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct client *client = calloc(1, sizeof(*client));
    struct peers *peers = http->options.peers;

    if (!client || !info) {
        free(client);
        return NULL;
    }
    client->http = http;
    client->fd = info->connect_fd;
    client->progress_ns = clock_ns(CLOCK_MONOTONIC);
    peer_copy(http->options.local ? peers_of_socket(peers, client->fd) : peers_nobody(peers),
              &client->peer);
    list_init(&client->link);
    list_append(&http->clients, &client->link);
    if (client->peer.key && clients_of(http, client->peer.key) > RECEIVER_CLIENTS_PER_PROCESS)
        cut_off(client);
    return client;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct client *client = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = client_new(arg, connection);
    } else if (client) {
        list_remove(&client->link);
        free(client);
        *context = NULL;
    }
}

void http_sweep(struct http *http, uint64_t now_ns)
{
    for (struct list *link = http->clients.next; link != &http->clients; link = link->next) {
        struct client *client = container_of(link, struct client, link);

        if (now_ns > client->progress_ns && now_ns - client->progress_ns > RECEIVER_PROGRESS_NS)
            cut_off(client);
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

static void request_free(struct request *request)
{
    *request->client->http->options.held_bytes -= request->held;
    buffer_done(&request->body);
    free(request);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct request *request = *context;

    if (!request)
        return;
    request->client->progress_ns = clock_ns(CLOCK_MONOTONIC);
    request_free(request);
    *context = NULL;
}

static struct bytes header(struct MHD_Connection *connection, const char *name)
{
    return bytes_from_string(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

struct header_walk {
    header_sink sink;
    void *arg;
};

static enum MHD_Result walk_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    const struct header_walk *walk = arg;

    walk->sink(walk->arg, bytes_from_string(name), bytes_from_string(value));
    return MHD_YES;
}

static void each_header(void *connection, header_sink sink, void *arg)
{
    struct header_walk walk = {sink, arg};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, walk_header, &walk);
}

static enum MHD_Result reply(struct MHD_Connection *connection, const struct answer *answer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->text.len, answer->text.ptr, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;
    char seconds[16];

    if (!response)
        return MHD_NO;
    snprintf(seconds, sizeof(seconds), "%d", RECEIVER_RETRY_SECONDS);
    if (answer->content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    if (answer->code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_POST);
    if (answer->code == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    result = MHD_queue_response(connection, answer->code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_text(struct http *http, struct MHD_Connection *connection,
                                  unsigned code, const char *text)
{
    _cleanup_(buffer_done) struct buffer buffer = buffer_make(ANSWER_MAX);
    struct answer answer = {code, "text/plain; charset=utf-8", {0}};

    buffer_printf(&buffer, "%s", text);
    answer.text = buffer;
    counters_add(http->options.options->counters, COUNTER_received_refused, 1);
    return reply(connection, &answer);
}

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < route_count; i++)
        if (strcmp(path, routes[i].path) == 0)
            return &routes[i];
    return NULL;
}

static void refuse(struct request *request, unsigned code, const char *reason)
{
    if (request->refused)
        return;
    request->refused = code;
    request->reason = reason;
    buffer_done(&request->body);
    *request->client->http->options.held_bytes -= request->held;
    request->held = 0;
}

/* What the head says already: of a body that is not wanted, no byte need come. */
static void judge_head(struct request *request, struct MHD_Connection *connection)
{
    const struct settings *settings = request->client->http->options.options->settings;
    struct bytes encoding = header(connection, MHD_HTTP_HEADER_CONTENT_ENCODING);
    uint64_t length;

    request->gzip = bytes_equal_nocase(encoding, BYTES_LITERAL("gzip"));
    if (encoding.len && !request->gzip &&
        !bytes_equal_nocase(encoding, BYTES_LITERAL("identity")))
        refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "only gzip is inflated");
    if (!request->route->takes(header(connection, MHD_HTTP_HEADER_CONTENT_TYPE)))
        refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, request->route->expected);
    if (bytes_parse_u64(header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH), &length) == 0 &&
        length > settings->receivers_message_max)
        refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than is taken");
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection,
                             const char *path, const char *method, struct request **ret_request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    const struct route *route = find_route(path);
    struct request *request;

    if (!info || !info->socket_context)
        return MHD_NO;
    if (!route)
        return reply_text(http, connection, MHD_HTTP_NOT_FOUND, NOT_FOUND);
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
        return reply_text(http, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only POST is taken\n");
    request = calloc(1, sizeof(*request));
    if (!request)
        return MHD_NO;
    request->client = info->socket_context;
    request->route = route;
    request->body = buffer_make(http->options.options->settings->receivers_message_max);
    judge_head(request, connection);
    *ret_request = request;
    return MHD_YES;
}

static void take_part(struct http *http, struct request *request, struct bytes part)
{
    size_t before = request->body.allocated;

    if (request->refused)
        return;
    buffer_append_bytes(&request->body, part);
    *http->options.held_bytes += request->body.allocated - before;
    request->held += request->body.allocated - before;
    if (request->body.failed)
        refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than is taken");
    else if (*http->options.held_bytes > http->options.options->settings->receivers_memory)
        refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "too much is under way; come again");
}

/* The body as it is or inflated, judged by what the exporters can take. */
static struct bytes whole_body(struct http *http, struct request *request,
                               struct buffer *inflated)
{
    struct bytes body = buffer_bytes(&request->body);
    int r = 0;

    if (request->gzip && !request->refused) {
        r = gunzip(body, inflated);
        body = buffer_bytes(inflated);
    }
    if (r == -ENOBUFS)
        refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body inflates to more than is taken");
    else if (r < 0)
        refuse(request, MHD_HTTP_BAD_REQUEST, "the body is no gzip stream");
    else if (!request->refused && !collect_has_room(http->options.collect, body.len))
        refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "no exporter has room; come again");
    return body;
}

static enum MHD_Result finish(struct http *http, struct MHD_Connection *connection,
                              struct request *request)
{
    const struct receiver_options *options = http->options.options;
    _cleanup_(buffer_done) struct buffer inflated =
        buffer_make(options->settings->receivers_message_max);
    struct answer answer = {.text = buffer_make(ANSWER_MAX)};
    struct body body = {.bytes = whole_body(http, request, &inflated),
                        .content_type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE),
                        .connection = connection,
                        .each_header = each_header};
    enum MHD_Result result;

    if (request->refused)
        request->route->refuse(body.content_type, request->refused, request->reason, &answer);
    else
        request->route->answer(http->options.collect, &request->client->peer, &body, &answer);
    if (answer.code == MHD_HTTP_SERVICE_UNAVAILABLE)
        counters_add(options->counters, COUNTER_received_postponed, 1);
    else
        counters_add(options->counters, answer.code < MHD_HTTP_BAD_REQUEST
                     ? COUNTER_received_requests : COUNTER_received_refused, 1);
    result = reply(connection, &answer);
    buffer_done(&answer.text);
    return result;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **context)
{
    struct request *request = *context;
    struct http *http = arg;

    if (!request) {
        enum MHD_Result result = begin(http, connection, path, method, &request);

        *context = request;
        return result;
    }
    if (*upload_size == 0)
        return finish(http, connection, request);
    take_part(http, request, bytes_make(upload, *upload_size));
    *upload_size = 0;
    return MHD_YES;
}

/* ---- the server ------------------------------------------------------------------------------ */

int http_start(const struct http_options *options, int listener, struct http **ret_http)
{
    struct http *http = calloc(1, sizeof(*http));

    if (!http) {
        close(listener);
        return log_error(-ENOMEM, "receivers");
    }
    http->options = *options;
    list_init(&http->clients);
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, http,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, RECEIVER_CLIENTS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, RECEIVER_IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (!http->daemon) {
        close(listener);
        free(http);
        return log_error(-EIO, "receivers: the server did not start");
    }
    *ret_http = http;
    return 0;
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    MHD_stop_daemon(http->daemon);
    free(http);
}

int http_fd(const struct http *http)
{
    return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout;

    MHD_run(http->daemon);
    if (MHD_get_timeout(http->daemon, &timeout) != MHD_YES)
        return -1;
    return (int)MIN(timeout, (MHD_UNSIGNED_LONG_LONG)1000);
}
