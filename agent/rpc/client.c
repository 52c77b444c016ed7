/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client over gRPC core's C surface (grpc/grpc.h); the contract stands in client.h. A call is
 * one batch of six operations on a completion queue that is plucked in short slices, so that
 * `stopping` is seen while the call is under way:
 *
 *   start batch -> pluck 100 ms -> pluck 100 ms -> ... done | stopping: cancel, pluck until done
 *
 * A channel is given up with the first call that shows it to be of no use; the next call makes a new
 * one. A call that ran into its deadline leaves a connection behind that may be dead without the
 * kernel knowing; and a channel that could not connect would answer the next calls from memory until
 * its own back-off is over, where the caller has one already.
 */
#include "rpc/client.h"

#include "base/log.h"
#include "rpc/gunzip.h"
#include "rpc/retry_info.h"

#include <assert.h>
#include <errno.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <limits.h>
#include <stdio.h>

#define PLUCK_MS 100
#define USER_AGENT "flowtrace/" FLOWTRACE_VERSION
#define OPERATIONS 6
#define HEADERS_MAX 32
#define KEEPALIVE_TIMEOUT_MS 10000u /* at most */

struct rpc_client {
    struct rpc_options options;
    grpc_completion_queue *queue;
    grpc_channel *channel; /* NULL: to be made by the next call */
};

/* What one call needs until it has ended. */
struct call {
    grpc_call *call;
    grpc_byte_buffer *request;
    grpc_byte_buffer *response;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code status;
    grpc_slice text;
};

DEFINE_CLEANUP(struct rpc_client, rpc_client_free)

static const char *const status_names[] = {
    [RPC_OK] = "OK",
    [RPC_CANCELLED] = "CANCELLED",
    [RPC_UNKNOWN] = "UNKNOWN",
    [RPC_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
    [RPC_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
    [RPC_NOT_FOUND] = "NOT_FOUND",
    [RPC_ALREADY_EXISTS] = "ALREADY_EXISTS",
    [RPC_PERMISSION_DENIED] = "PERMISSION_DENIED",
    [RPC_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
    [RPC_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
    [RPC_ABORTED] = "ABORTED",
    [RPC_OUT_OF_RANGE] = "OUT_OF_RANGE",
    [RPC_UNIMPLEMENTED] = "UNIMPLEMENTED",
    [RPC_INTERNAL] = "INTERNAL",
    [RPC_UNAVAILABLE] = "UNAVAILABLE",
    [RPC_DATA_LOSS] = "DATA_LOSS",
    [RPC_UNAUTHENTICATED] = "UNAUTHENTICATED",
};
static_assert(ELEMENTSOF(status_names) == RPC_STATUS_COUNT, "a name for each status");
static_assert((int)RPC_UNAUTHENTICATED == (int)GRPC_STATUS_UNAUTHENTICATED, "gRPC's numbers");

const char *rpc_status_name(enum rpc_status status)
{
    return (unsigned)status < RPC_STATUS_COUNT ? status_names[status] : "UNKNOWN";
}

/* gRPC's own lines are details of what the status says anyway. */
static void forward_log(gpr_log_func_args *args)
{
    log_debug("grpc: %s", args->message);
}

static grpc_arg integer_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static grpc_channel *create_channel(const struct rpc_options *options,
                                    grpc_channel_credentials *credentials)
{
    int algorithm = options->gzip ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE;
    uint64_t keepalive_ms = MIN(options->keepalive_ns / 1000000, (uint64_t)INT_MAX);
    grpc_arg args[] = {
        {.type = GRPC_ARG_STRING, .key = (char *)GRPC_ARG_PRIMARY_USER_AGENT_STRING,
         .value.string = (char *)USER_AGENT},
        integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, RPC_RESPONSE_MAX),
        /* gRPC inflates before it looks at the limit above: gunzip.h does it here. */
        integer_arg(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
        integer_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                    1 << GRPC_COMPRESS_NONE | 1 << algorithm),
        integer_arg(GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM, algorithm),
        integer_arg(GRPC_ARG_ENABLE_RETRIES, 0),
        integer_arg(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
        integer_arg(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
        /* A new channel is a new connection, also while the old one lingers. */
        integer_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
        integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_ms ? (int)keepalive_ms : INT_MAX),
        integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                    (int)MIN(keepalive_ms, (uint64_t)KEEPALIVE_TIMEOUT_MS)),
        integer_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
    };
    grpc_channel_args channel_args = {.num_args = ELEMENTSOF(args), .args = args};

    return grpc_channel_create(options->target, credentials, &channel_args);
}

static grpc_channel_credentials *tls_credentials(const struct rpc_tls *tls)
{
    grpc_ssl_pem_key_cert_pair pair = {tls->key, tls->certificate};

    return grpc_ssl_credentials_create(tls->ca, tls->certificate ? &pair : NULL, NULL, NULL);
}

static void make_channel(struct rpc_client *client)
{
    grpc_channel_credentials *credentials = client->options.tls
                                                ? tls_credentials(client->options.tls)
                                                : grpc_insecure_credentials_create();

    client->channel = create_channel(&client->options, credentials);
    grpc_channel_credentials_release(credentials);
}

static void drop_channel(struct rpc_client *client)
{
    if (client->channel)
        grpc_channel_destroy(client->channel);
    client->channel = NULL;
}

static bool is_header(const struct rpc_header *header)
{
    grpc_slice name = grpc_slice_from_static_string(header->name);
    grpc_slice value = grpc_slice_from_static_string(header->value);

    return grpc_header_key_is_legal(name) && !grpc_is_binary_header(name) &&
           grpc_header_nonbin_value_is_legal(value);
}

static int check_headers(const struct rpc_options *options, const char **ret_problem)
{
    for (size_t i = 0; i < options->n_headers; i++)
        if (i >= HEADERS_MAX || !is_header(&options->headers[i])) {
            *ret_problem = options->headers[i].name;
            return -EINVAL;
        }
    return 0;
}

int rpc_client_new(const struct rpc_options *options, struct rpc_client **ret_client,
                   const char **ret_problem)
{
    _cleanup_(rpc_client_freep) struct rpc_client *client = calloc(1, sizeof(*client));
    int r;

    *ret_problem = NULL;
    if (!client)
        return -ENOMEM;
    client->options = *options;
    gpr_set_log_function(forward_log);
    grpc_init();
    client->queue = grpc_completion_queue_create_for_pluck(NULL);
    r = check_headers(options, ret_problem);
    if (r < 0)
        return r;
    *ret_client = TAKE_PTR(client);
    return 0;
}

void rpc_client_renew(struct rpc_client *client)
{
    drop_channel(client);
}

void rpc_client_free(struct rpc_client *client)
{
    if (!client)
        return;
    if (client->queue) {
        drop_channel(client);
        grpc_completion_queue_shutdown(client->queue);
        grpc_completion_queue_destroy(client->queue);
        grpc_shutdown_blocking();
    }
    free(client);
}

/* Nothing is to be done for one that was never made. */
static void call_done(struct call *call)
{
    if (!call->call)
        return;
    grpc_call_unref(call->call);
    grpc_byte_buffer_destroy(call->request);
    grpc_byte_buffer_destroy(call->response);
    grpc_metadata_array_destroy(&call->initial);
    grpc_metadata_array_destroy(&call->trailing);
    grpc_slice_unref(call->text);
}

/* gRPC may hold the request's bytes for longer than the call lasts: they are copied. */
static void call_init(struct call *call, struct rpc_client *client,
                      const struct rpc_request *request)
{
    gpr_timespec timeout = gpr_time_from_nanos(
        (int64_t)MIN(request->timeout_ns, (uint64_t)INT64_MAX), GPR_TIMESPAN);
    gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), timeout);
    grpc_slice method = grpc_slice_from_copied_string(request->method);
    grpc_slice message = grpc_slice_from_copied_buffer((const char *)request->message.ptr,
                                                       request->message.len);

    *call = (struct call){.text = grpc_empty_slice()};
    grpc_metadata_array_init(&call->initial);
    grpc_metadata_array_init(&call->trailing);
    call->request = grpc_raw_byte_buffer_create(&message, 1);
    call->call = grpc_channel_create_call(client->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                          client->queue, method, NULL, deadline, NULL);
    grpc_slice_unref(message);
    grpc_slice_unref(method);
}

static int call_start(struct call *call, const struct rpc_options *options)
{
    grpc_metadata headers[HEADERS_MAX];
    grpc_op operations[OPERATIONS] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA,
         .data.send_initial_metadata = {.count = options->n_headers, .metadata = headers}},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &call->initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->response},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
                                        .status = &call->status,
                                        .status_details = &call->text}},
    };

    /* The options outlive every call. */
    for (size_t i = 0; i < options->n_headers; i++)
        headers[i] = (grpc_metadata){
            .key = grpc_slice_from_static_string(options->headers[i].name),
            .value = grpc_slice_from_static_string(options->headers[i].value)};
    return grpc_call_start_batch(call->call, operations, OPERATIONS, call, NULL) == GRPC_CALL_OK
               ? 0
               : -EINVAL;
}

static void call_wait(struct call *call, grpc_completion_queue *queue,
                      const _Atomic bool *stopping)
{
    gpr_timespec slice = gpr_time_from_millis(PLUCK_MS, GPR_TIMESPAN);
    bool cancelled = false;
    grpc_event event;

    do {
        event = grpc_completion_queue_pluck(
            queue, call, gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), slice), NULL);
        if (event.type == GRPC_QUEUE_TIMEOUT && !cancelled && stopping && *stopping) {
            grpc_call_cancel(call->call, NULL);
            cancelled = true;
        }
    } while (event.type == GRPC_QUEUE_TIMEOUT);
}

static struct bytes slice_bytes(const grpc_slice *slice)
{
    return bytes_make(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

static void copy_text(struct rpc_response *response, struct bytes text)
{
    size_t n = MIN(text.len, sizeof(response->text) - 1);

    for (size_t i = 0; i < n; i++)
        response->text[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? (char)text.ptr[i] : '?';
    response->text[n] = '\0';
}

/* OK is not what it was where the response cannot be read. */
static int not_ok(struct rpc_response *response, struct bytes text)
{
    response->status = RPC_INTERNAL;
    buffer_reset(&response->message);
    copy_text(response, text);
    return 0;
}

static int read_message(grpc_byte_buffer *message, struct buffer *out)
{
    grpc_byte_buffer_reader reader;
    grpc_slice slice;

    if (!grpc_byte_buffer_reader_init(&reader, message))
        return -ENOMEM;
    while (grpc_byte_buffer_reader_next(&reader, &slice)) {
        buffer_append_bytes(out, slice_bytes(&slice));
        grpc_slice_unref(slice);
    }
    grpc_byte_buffer_reader_destroy(&reader);
    return out->failed ? -ENOMEM : 0;
}

static int copy_message(struct rpc_response *response, grpc_byte_buffer *message)
{
    _cleanup_(buffer_done) struct buffer packed = buffer_make(RPC_RESPONSE_MAX);
    grpc_compression_algorithm algorithm =
        message ? message->data.raw.compression : GRPC_COMPRESS_NONE;
    int r;

    if (!message)
        return not_ok(response, BYTES_LITERAL("OK without a response"));
    if (algorithm == GRPC_COMPRESS_NONE)
        return read_message(message, &response->message);
    if (algorithm != GRPC_COMPRESS_GZIP)
        return not_ok(response, BYTES_LITERAL("the response is compressed in a strange way"));
    r = read_message(message, &packed);
    if (r == 0 && gunzip(buffer_bytes(&packed), &response->message) < 0)
        return not_ok(response, BYTES_LITERAL("the response does not inflate, or too far"));
    return r;
}

static void find_retry_delay(struct rpc_response *response, const grpc_metadata_array *trailing)
{
    struct bytes wanted = BYTES_LITERAL("grpc-status-details-bin");

    for (size_t i = 0; i < trailing->count; i++)
        if (bytes_equal(slice_bytes(&trailing->metadata[i].key), wanted))
            response->has_retry_delay = retry_info_parse(
                slice_bytes(&trailing->metadata[i].value), &response->retry_delay_ns) == 0;
}

static int call_result(const struct call *call, struct rpc_response *response)
{
    response->status =
        call->status >= 0 && (int)call->status < RPC_STATUS_COUNT ? (enum rpc_status)call->status
                                                                  : RPC_UNKNOWN;
    response->has_retry_delay = false;
    response->retry_delay_ns = 0;
    response->text[0] = '\0';
    buffer_reset(&response->message);
    if (response->status == RPC_OK)
        return copy_message(response, call->response);
    copy_text(response, slice_bytes(&call->text));
    find_retry_delay(response, &call->trailing);
    return 0;
}

int rpc_client_call(struct rpc_client *client, const struct rpc_request *request,
                    struct rpc_response *response)
{
    _cleanup_(call_done) struct call call = {0};
    int r;

    if (!client->channel)
        make_channel(client);
    call_init(&call, client, request);
    r = call_start(&call, &client->options);
    if (r < 0)
        return r;
    call_wait(&call, client->queue, request->stopping);
    r = call_result(&call, response);
    if (call.status == GRPC_STATUS_DEADLINE_EXCEEDED || call.status == GRPC_STATUS_UNAVAILABLE)
        drop_channel(client);
    return r;
}
