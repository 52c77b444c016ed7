/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/client.h"

#include "base/clock.h"
#include "rpc/gunzip.h"
#include "server.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define METHOD "/example.v1.Service/Method"
#define LONG_NS (20 * NS_PER_S)

struct fixture {
    struct server *server;
    struct rpc_client *client;
    struct rpc_response response;
};

/* The target stands in a buffer of its own: it must outlive the client. */
static struct rpc_client *client_with(unsigned port, struct rpc_options options)
{
    static char target[32];
    struct rpc_client *client;
    const char *problem;

    snprintf(target, sizeof(target), "127.0.0.1:%u", port);
    options.target = target;
    assert_int_equal(rpc_client_new(&options, &client, &problem), 0);
    return client;
}

static struct rpc_client *client_of(unsigned port)
{
    return client_with(port, (struct rpc_options){0});
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.server = server_start(0), .response = rpc_response_make()};
    assert_non_null(fixture.server);
    fixture.client = client_of(server_port(fixture.server));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    rpc_client_free(fixture->client);
    server_stop(fixture->server);
    rpc_response_done(&fixture->response);
    return 0;
}

static enum rpc_status call_within(struct fixture *fixture, struct bytes message,
                                   uint64_t timeout_ns, const _Atomic bool *stopping)
{
    struct rpc_request request = {.method = METHOD,
                                  .message = message,
                                  .timeout_ns = timeout_ns,
                                  .stopping = stopping};

    assert_int_equal(rpc_client_call(fixture->client, &request, &fixture->response), 0);
    return fixture->response.status;
}

static enum rpc_status call(struct fixture *fixture)
{
    return call_within(fixture, BYTES_LITERAL("question"), LONG_NS, NULL);
}

static void assert_response(const struct fixture *fixture, struct bytes expected)
{
    assert_true(bytes_equal(buffer_bytes(&fixture->response.message), expected));
}

static void a_call_carries_the_message_there_and_the_response_back(void **state)
{
    struct fixture *fixture = *state;
    const struct server_call *seen;

    server_set_answer(fixture->server,
                      &(struct server_answer){.message = BYTES_LITERAL("an\0swer")});
    assert_int_equal(call(fixture), RPC_OK);
    assert_response(fixture, BYTES_LITERAL("an\0swer"));
    seen = server_last_call(fixture->server);
    assert_string_equal(seen->method, METHOD);
    assert_true(bytes_equal(buffer_bytes(&seen->message), BYTES_LITERAL("question")));
}

static void the_client_names_itself_and_accepts_no_compression(void **state)
{
    struct fixture *fixture = *state;
    const struct server_call *seen;
    const char *name = "flowtrace/" FLOWTRACE_VERSION;

    assert_int_equal(call(fixture), RPC_OK);
    seen = server_last_call(fixture->server);
    assert_memory_equal(seen->user_agent, name, strlen(name));
    assert_null(strstr(seen->accepts, "gzip"));
    assert_null(strstr(seen->accepts, "deflate"));
}

static void one_response_serves_many_calls(void **state)
{
    struct fixture *fixture = *state;

    server_set_answer(fixture->server,
                      &(struct server_answer){.message = BYTES_LITERAL("first")});
    assert_int_equal(call(fixture), RPC_OK);
    server_set_answer(fixture->server, &(struct server_answer){.status = RPC_ABORTED});
    assert_int_equal(call(fixture), RPC_ABORTED);
    assert_response(fixture, BYTES_NULL);
    server_set_answer(fixture->server,
                      &(struct server_answer){.message = BYTES_LITERAL("second")});
    assert_int_equal(call(fixture), RPC_OK);
    assert_response(fixture, BYTES_LITERAL("second"));
    assert_string_equal(fixture->response.text, "");
    assert_int_equal(server_last_call(fixture->server)->number, 3);
}

static void a_message_of_megabytes_arrives_whole(void **state)
{
    struct fixture *fixture = *state;
    size_t n = (size_t)3 << 20;
    uint8_t *message = malloc(n);
    const struct server_call *seen;

    for (size_t i = 0; i < n; i++)
        message[i] = (uint8_t)(i * 7 + i / 251);
    assert_int_equal(call_within(fixture, bytes_make(message, n), LONG_NS, NULL), RPC_OK);
    seen = server_last_call(fixture->server);
    assert_true(bytes_equal(buffer_bytes(&seen->message), bytes_make(message, n)));
    free(message);
}

static void a_refusal_brings_its_status_and_its_text_in_printable_characters(void **state)
{
    struct fixture *fixture = *state;

    server_set_answer(fixture->server, &(struct server_answer){.status = RPC_INVALID_ARGUMENT,
                                                               .no_message = true,
                                                               .text = "no such\nspan"});
    assert_int_equal(call(fixture), RPC_INVALID_ARGUMENT);
    assert_string_equal(fixture->response.text, "no such?span");
    assert_false(fixture->response.has_retry_delay);
}

static void a_retry_delay_is_read_from_the_trailer(void **state)
{
    struct fixture *fixture = *state;

    server_set_answer(
        fixture->server,
        &(struct server_answer){
            .status = RPC_RESOURCE_EXHAUSTED,
            .no_message = true,
            .details = BYTES_LITERAL("\x08\x08\x1a\x30"
                                     "\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
                                     "\x12\x04\x0a\x02\x08\x03")});
    assert_int_equal(call(fixture), RPC_RESOURCE_EXHAUSTED);
    assert_true(fixture->response.has_retry_delay);
    assert_true(fixture->response.retry_delay_ns == 3 * NS_PER_S);
}

static void a_status_that_grpc_does_not_know_is_unknown(void **state)
{
    struct fixture *fixture = *state;

    server_set_answer(fixture->server,
                      &(struct server_answer){.status = 4711, .no_message = true});
    assert_int_equal(call(fixture), RPC_UNKNOWN);
}

static void ok_without_a_response_is_not_ok(void **state)
{
    struct fixture *fixture = *state;

    server_set_answer(fixture->server, &(struct server_answer){.no_message = true});
    assert_int_not_equal(call(fixture), RPC_OK);
    assert_true(fixture->response.text[0] != '\0');
}

static void a_response_beyond_the_limit_is_not_taken(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t large[RPC_RESPONSE_MAX + 1];

    server_set_answer(fixture->server,
                      &(struct server_answer){.message = {large, sizeof(large)}});
    assert_int_equal(call(fixture), RPC_RESOURCE_EXHAUSTED);
    assert_response(fixture, BYTES_NULL);
    server_set_answer(fixture->server,
                      &(struct server_answer){.message = {large, sizeof(large) - 1}});
    assert_int_equal(call(fixture), RPC_OK);
    assert_int_equal(fixture->response.message.len, sizeof(large) - 1);
}

static void a_silent_server_costs_the_timeout_and_the_next_call_goes_through(void **state)
{
    struct fixture *fixture = *state;
    uint64_t start = clock_ns(CLOCK_MONOTONIC);

    server_set_answer(fixture->server, &(struct server_answer){.hangs = true});
    assert_int_equal(call_within(fixture, BYTES_LITERAL("?"), 200 * NS_PER_MS, NULL),
                     RPC_DEADLINE_EXCEEDED);
    assert_in_range(clock_ns(CLOCK_MONOTONIC) - start, 190 * NS_PER_MS, 5 * NS_PER_S);
    server_set_answer(fixture->server, &(struct server_answer){0});
    assert_int_equal(call(fixture), RPC_OK);
}

static void *stop_soon(void *arg)
{
    _Atomic bool *stopping = arg;

    usleep(100000);
    *stopping = true;
    return NULL;
}

static void stopping_ends_a_call_to_a_silent_server(void **state)
{
    struct fixture *fixture = *state;
    _Atomic bool stopping = false;
    uint64_t start = clock_ns(CLOCK_MONOTONIC);
    pthread_t thread;

    server_set_answer(fixture->server, &(struct server_answer){.hangs = true});
    pthread_create(&thread, NULL, stop_soon, &stopping);
    assert_int_equal(call_within(fixture, BYTES_LITERAL("?"), LONG_NS, &stopping), RPC_CANCELLED);
    pthread_join(thread, NULL);
    assert_true(clock_ns(CLOCK_MONOTONIC) - start < LONG_NS / 4);
}

static void a_closed_port_is_unavailable_at_once(void **state)
{
    struct fixture *fixture = *state;
    uint64_t start = clock_ns(CLOCK_MONOTONIC);

    server_stop(TAKE_PTR(fixture->server));
    assert_int_equal(call(fixture), RPC_UNAVAILABLE);
    assert_true(clock_ns(CLOCK_MONOTONIC) - start < LONG_NS / 4);
    assert_true(fixture->response.text[0] != '\0');
}

static void a_server_that_comes_back_is_found_by_the_next_call(void **state)
{
    struct fixture *fixture = *state;
    unsigned port = server_port(fixture->server);

    assert_int_equal(call(fixture), RPC_OK);
    server_stop(TAKE_PTR(fixture->server));
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(call(fixture), RPC_UNAVAILABLE);
    fixture->server = server_start(port);
    assert_non_null(fixture->server);
    assert_int_equal(call(fixture), RPC_OK);
}

static void headers_go_with_each_call(void **state)
{
    static const struct rpc_header headers[] = {{"authorization", "Bearer x"}, {"x-token", "t0k"}};
    struct fixture *fixture = *state;

    rpc_client_free(fixture->client);
    fixture->client = client_with(server_port(fixture->server),
                                  (struct rpc_options){.headers = headers, .n_headers = 2});
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(call(fixture), RPC_OK);
        assert_string_equal(server_last_call(fixture->server)->token, "t0k");
    }
}

static void what_is_no_header_is_refused_by_name(void **state)
{
    static const struct rpc_header wrong[] = {{"x token", "v"}, {"x-bin", "v"}, {"x", "a\nb"}};

    for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
        struct rpc_options options = {.target = "h:1", .headers = &wrong[i], .n_headers = 1};
        struct rpc_client *client = NULL;
        const char *problem;

        assert_int_equal(rpc_client_new(&options, &client, &problem), -EINVAL);
        assert_string_equal(problem, wrong[i].name);
        assert_null(client);
    }
}

static void with_gzip_the_message_arrives_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t message[1 << 20];
    _cleanup_(buffer_done) struct buffer inflated = buffer_make(sizeof(message));
    const struct server_call *seen;

    rpc_client_free(fixture->client);
    fixture->client =
        client_with(server_port(fixture->server), (struct rpc_options){.gzip = true});
    assert_int_equal(call_within(fixture, bytes_make(message, sizeof(message)), LONG_NS, NULL),
                     RPC_OK);
    seen = server_last_call(fixture->server);
    assert_true(seen->gzip && seen->message.len < sizeof(message) / 100);
    assert_int_equal(gunzip(buffer_bytes(&seen->message), &inflated), 0);
    assert_true(bytes_equal(buffer_bytes(&inflated), bytes_make(message, sizeof(message))));
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/flowtrace-test-XXXXXX";

/* Of a file of the folder; a few of them at a time. */
static const char *text_of(const char *name)
{
    static char texts[8][4096];
    static unsigned n;
    char *text = texts[n++ % ELEMENTSOF(texts)], path[64];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof(texts[0]) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void shell(const char *format, const char *argument)
{
    char command[512];

    snprintf(command, sizeof(command), format, argument);
    assert_int_equal(system(command), 0);
}

static int make_certificates(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    shell(MAKE_CERTIFICATES " %s", folder);
    return 0;
}

static int remove_certificates(void **state)
{
    shell("rm -r %s", folder);
    return 0;
}

static int set_up_tls(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.server = server_start_tls(folder),
                               .response = rpc_response_make()};
    assert_non_null(fixture.server);
    *state = &fixture;
    return 0;
}

static enum rpc_status call_over(struct fixture *fixture, const struct rpc_tls *tls)
{
    rpc_client_free(fixture->client);
    fixture->client = client_with(server_port(fixture->server), (struct rpc_options){.tls = tls});
    return call(fixture);
}

static void mutual_tls_lets_both_ends_prove_themselves(void **state)
{
    const struct rpc_tls tls = {text_of("ca.pem"), text_of("client.pem"), text_of("client.key")};

    assert_int_equal(call_over(*state, &tls), RPC_OK);
}

static void a_stranger_at_either_end_is_nobody(void **state)
{
    const struct rpc_tls anonymous = {.ca = text_of("ca.pem")};
    const struct rpc_tls stranger = {text_of("ca.pem"), text_of("other.pem"),
                                     text_of("other.key")};
    const struct rpc_tls distrust = {text_of("other-ca.pem"), text_of("client.pem"),
                                     text_of("client.key")};

    assert_int_equal(call_over(*state, &anonymous), RPC_UNAVAILABLE);
    assert_int_equal(call_over(*state, &stranger), RPC_UNAVAILABLE);
    assert_int_equal(call_over(*state, &distrust), RPC_UNAVAILABLE);
    assert_int_equal(call_over(*state, NULL), RPC_UNAVAILABLE);
}

static void what_is_renewed_is_used_by_the_next_call(void **state)
{
    struct rpc_tls tls = {text_of("ca.pem"), text_of("client.pem"), text_of("client.key")};
    struct fixture *fixture = *state;

    assert_int_equal(call_over(fixture, &tls), RPC_OK);
    tls.certificate = text_of("other.pem");
    tls.key = text_of("other.key");
    assert_int_equal(call(fixture), RPC_OK);
    rpc_client_renew(fixture->client);
    assert_int_equal(call(fixture), RPC_UNAVAILABLE);
    tls.certificate = text_of("client.pem");
    tls.key = text_of("client.key");
    rpc_client_renew(fixture->client);
    assert_int_equal(call(fixture), RPC_OK);
}

static void every_status_has_its_name(void **state)
{
    assert_string_equal(rpc_status_name(RPC_OK), "OK");
    assert_string_equal(rpc_status_name(RPC_UNAUTHENTICATED), "UNAUTHENTICATED");
    assert_string_equal(rpc_status_name((enum rpc_status)17), "UNKNOWN");
    for (int status = 0; status < RPC_STATUS_COUNT; status++)
        assert_non_null(rpc_status_name((enum rpc_status)status));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TLS_CASE(name) cmocka_unit_test_setup_teardown(name, set_up_tls, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_call_carries_the_message_there_and_the_response_back),
        CASE(the_client_names_itself_and_accepts_no_compression),
        CASE(one_response_serves_many_calls),
        CASE(a_message_of_megabytes_arrives_whole),
        CASE(a_refusal_brings_its_status_and_its_text_in_printable_characters),
        CASE(a_retry_delay_is_read_from_the_trailer),
        CASE(a_status_that_grpc_does_not_know_is_unknown),
        CASE(ok_without_a_response_is_not_ok),
        CASE(a_response_beyond_the_limit_is_not_taken),
        CASE(a_silent_server_costs_the_timeout_and_the_next_call_goes_through),
        CASE(stopping_ends_a_call_to_a_silent_server),
        CASE(a_closed_port_is_unavailable_at_once),
        CASE(a_server_that_comes_back_is_found_by_the_next_call),
        CASE(headers_go_with_each_call),
        cmocka_unit_test(what_is_no_header_is_refused_by_name),
        CASE(with_gzip_the_message_arrives_as_it_was),
        TLS_CASE(mutual_tls_lets_both_ends_prove_themselves),
        TLS_CASE(a_stranger_at_either_end_is_nobody),
        TLS_CASE(what_is_renewed_is_used_by_the_next_call),
        cmocka_unit_test(every_status_has_its_name),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
