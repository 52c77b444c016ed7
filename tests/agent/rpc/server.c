/* SPDX-License-Identifier: Apache-2.0 */
/* The test server over gRPC core's C surface; its contract stands in server.h. */
#include "server.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#define MESSAGE_MAX ((size_t)64 << 20)

enum tag { TAG_CALL = 1, TAG_MESSAGE, TAG_CLOSED, TAG_ANSWERED, TAG_STOPPED };

struct server {
    grpc_server *server;
    grpc_completion_queue *queue;
    unsigned port;
    pthread_t thread;
    pthread_mutex_t lock;
    struct server_answer answer;
    struct server_call last;
    struct server_call seen; /* the copy that the test reads */
};

static void *tag(enum tag value)
{
    return (void *)(intptr_t)value;
}

static enum tag next(struct server *server, bool *ret_success)
{
    grpc_event event = grpc_completion_queue_next(
        server->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

    *ret_success = event.success;
    return (enum tag)(intptr_t)event.tag;
}

static void copy_slice(char *out, size_t size, const grpc_slice *slice)
{
    snprintf(out, size, "%.*s", (int)GRPC_SLICE_LENGTH(*slice),
             (const char *)GRPC_SLICE_START_PTR(*slice));
}

static void remember_head(struct server *server, const grpc_call_details *details,
                          const grpc_metadata_array *metadata)
{
    struct server_call *last = &server->last;

    last->number++;
    last->user_agent[0] = last->accepts[0] = last->token[0] = '\0';
    copy_slice(last->method, sizeof(last->method), &details->method);
    for (size_t i = 0; i < metadata->count; i++) {
        const grpc_metadata *entry = &metadata->metadata[i];

        if (grpc_slice_str_cmp(entry->key, "user-agent") == 0)
            copy_slice(last->user_agent, sizeof(last->user_agent), &entry->value);
        if (grpc_slice_str_cmp(entry->key, "grpc-accept-encoding") == 0)
            copy_slice(last->accepts, sizeof(last->accepts), &entry->value);
        if (grpc_slice_str_cmp(entry->key, "x-token") == 0)
            copy_slice(last->token, sizeof(last->token), &entry->value);
    }
}

static void remember_message(struct server *server, grpc_byte_buffer *message)
{
    grpc_byte_buffer_reader reader;
    grpc_slice slice;

    buffer_reset(&server->last.message);
    server->last.gzip = message && message->data.raw.compression == GRPC_COMPRESS_GZIP;
    if (!message || !grpc_byte_buffer_reader_init(&reader, message))
        return;
    while (grpc_byte_buffer_reader_next(&reader, &slice)) {
        buffer_append(&server->last.message, GRPC_SLICE_START_PTR(slice),
                      GRPC_SLICE_LENGTH(slice));
        grpc_slice_unref(slice);
    }
    grpc_byte_buffer_reader_destroy(&reader);
}

static void start_answer(grpc_call *call, const struct server_answer *answer)
{
    grpc_slice bytes = grpc_slice_from_copied_buffer((const char *)answer->message.ptr,
                                                     answer->message.len);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_slice text = grpc_slice_from_copied_string(answer->text ?: "");
    grpc_metadata trailer = {
        .key = grpc_slice_from_static_string("grpc-status-details-bin"),
        .value = grpc_slice_from_copied_buffer((const char *)answer->details.ptr,
                                               answer->details.len),
    };
    grpc_op operations[3] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}};
    size_t n = 1;

    if (!answer->no_message)
        operations[n++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE,
                                    .data.send_message.send_message = message};
    operations[n++] = (grpc_op){
        .op = GRPC_OP_SEND_STATUS_FROM_SERVER,
        .data.send_status_from_server = {.status = (grpc_status_code)answer->status,
                                         .status_details = &text,
                                         .trailing_metadata_count = answer->details.len > 0,
                                         .trailing_metadata = &trailer}};
    grpc_call_start_batch(call, operations, n, tag(TAG_ANSWERED), NULL);
    grpc_slice_unref(trailer.value);
    grpc_slice_unref(text);
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(bytes);
}

/* Takes the call to its end. True where the server is to stop, too. */
static bool serve(struct server *server, grpc_call *call)
{
    grpc_byte_buffer *message = NULL;
    struct server_answer answer;
    grpc_op receive = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &message};
    int cancelled;
    grpc_op close = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                     .data.recv_close_on_server.cancelled = &cancelled};
    bool success, stopped = false;
    unsigned waits = 2;

    grpc_call_start_batch(call, &receive, 1, tag(TAG_MESSAGE), NULL);
    grpc_call_start_batch(call, &close, 1, tag(TAG_CLOSED), NULL);
    while (waits > 0) {
        switch (next(server, &success)) {
        case TAG_MESSAGE:
            pthread_mutex_lock(&server->lock);
            remember_message(server, message);
            answer = server->answer;
            pthread_mutex_unlock(&server->lock);
            grpc_byte_buffer_destroy(message);
            if (answer.hangs)
                waits--;
            else
                start_answer(call, &answer);
            break;
        case TAG_STOPPED:
            stopped = true;
            break;
        default:
            waits--;
        }
    }
    grpc_call_unref(call);
    return stopped;
}

static void *run(void *arg)
{
    struct server *server = arg;
    bool success, stopped = false;

    while (!stopped) {
        grpc_call *call = NULL;
        grpc_call_details details;
        grpc_metadata_array metadata;

        grpc_call_details_init(&details);
        grpc_metadata_array_init(&metadata);
        grpc_server_request_call(server->server, &call, &details, &metadata, server->queue,
                                 server->queue, tag(TAG_CALL));
        if (next(server, &success) == TAG_STOPPED) {
            stopped = true;
            next(server, &success);
        } else if (success) {
            pthread_mutex_lock(&server->lock);
            remember_head(server, &details, &metadata);
            pthread_mutex_unlock(&server->lock);
            stopped = serve(server, call);
        } else {
            stopped = next(server, &success) == TAG_STOPPED;
        }
        grpc_call_details_destroy(&details);
        grpc_metadata_array_destroy(&metadata);
    }
    return NULL;
}

static void server_free(struct server *server)
{
    grpc_completion_queue_shutdown(server->queue);
    grpc_server_destroy(server->server);
    grpc_completion_queue_destroy(server->queue);
    buffer_done(&server->last.message);
    buffer_done(&server->seen.message);
    pthread_mutex_destroy(&server->lock);
    free(server);
    grpc_shutdown_blocking();
}

/* Takes the credentials over. */
static struct server *start_with(unsigned port, grpc_server_credentials *credentials)
{
    grpc_arg off[] = {
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ALLOW_REUSEPORT},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION},
    };
    grpc_channel_args args = {.num_args = 2, .args = off};
    struct server *server = calloc(1, sizeof(*server));
    char address[32];

    pthread_mutex_init(&server->lock, NULL);
    server->last.message = buffer_make(MESSAGE_MAX);
    server->seen.message = buffer_make(MESSAGE_MAX);
    server->server = grpc_server_create(&args, NULL);
    server->queue = grpc_completion_queue_create_for_next(NULL);
    grpc_server_register_completion_queue(server->server, server->queue, NULL);
    snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    server->port = (unsigned)grpc_server_add_http2_port(server->server, address, credentials);
    grpc_server_credentials_release(credentials);
    grpc_server_start(server->server);
    pthread_create(&server->thread, NULL, run, server);
    if (server->port == 0) {
        server_stop(server);
        return NULL;
    }
    return server;
}

void server_stop(struct server *server)
{
    if (!server)
        return;
    grpc_server_shutdown_and_notify(server->server, server->queue, tag(TAG_STOPPED));
    grpc_server_cancel_all_calls(server->server);
    pthread_join(server->thread, NULL);
    server_free(server);
}

unsigned server_port(const struct server *server)
{
    return server->port;
}

void server_set_answer(struct server *server, const struct server_answer *answer)
{
    pthread_mutex_lock(&server->lock);
    server->answer = *answer;
    pthread_mutex_unlock(&server->lock);
}

/* A copy: the thread may already be at the next call. */
const struct server_call *server_last_call(struct server *server)
{
    struct buffer message = server->seen.message;

    buffer_reset(&message);
    pthread_mutex_lock(&server->lock);
    server->seen = server->last;
    buffer_append_bytes(&message, buffer_bytes(&server->last.message));
    pthread_mutex_unlock(&server->lock);
    server->seen.message = message;
    return &server->seen;
}

struct server *server_start(unsigned port)
{
    grpc_init();
    return start_with(port, grpc_insecure_server_credentials_create());
}

static void read_text(const char *folder, const char *name, char *out, size_t size)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "re");
    out[file ? fread(out, 1, size - 1, file) : 0] = '\0';
    if (file)
        fclose(file);
}

struct server *server_start_tls(const char *certificates)
{
    static char ca[8192], certificate[8192], key[8192];
    grpc_ssl_pem_key_cert_pair pair = {key, certificate};

    read_text(certificates, "ca.pem", ca, sizeof(ca));
    read_text(certificates, "server.pem", certificate, sizeof(certificate));
    read_text(certificates, "server.key", key, sizeof(key));
    grpc_init();
    return start_with(0, grpc_ssl_server_credentials_create_ex(
                             ca, &pair, 1,
                             GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, NULL));
}
