/* SPDX-License-Identifier: Apache-2.0 */
#include "status/status.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

struct fixture {
    struct status *status;
    _Atomic bool healthy;
    _Atomic bool flood;
};

static void metrics(void *arg, struct buffer *out)
{
    struct fixture *fixture = arg;
    static uint8_t much[1 << 16];

    status_metric(out, "answer", "gauge", "the answer", NULL, 42);
    for (int i = 0; fixture->flood && i < 32; i++)
        buffer_append(out, much, sizeof(much));
}

static bool healthy(void *arg, struct buffer *out)
{
    struct fixture *fixture = arg;

    if (!fixture->healthy)
        buffer_printf(out, "the kernel side is not loaded");
    return fixture->healthy;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct status_provider provider = {metrics, healthy, fixture};

    assert_non_null(fixture);
    fixture->healthy = true;
    assert_int_equal(status_start("127.0.0.1:0", &provider, &fixture->status), 0);
    assert_int_not_equal(status_port(fixture->status), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    status_stop(fixture->status);
    free(fixture);
    return 0;
}

/* The whole answer to one request whose connection the server closes. */
static void ask(const struct fixture *fixture, const char *method, const char *path, char *answer,
                size_t size)
{
    _cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(status_port(fixture->status))};
    size_t len = 0;
    ssize_t n;

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    dprintf(fd, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, path);
    while ((n = read(fd, answer + len, size - 1 - len)) > 0)
        len += (size_t)n;
    answer[len] = '\0';
}

static void assert_answer(void **state, const char *request_line, const char *status_line,
                          const char *body)
{
    char method[16], path[64], answer[8192];

    assert_int_equal(sscanf(request_line, "%15s %63s", method, path), 2);
    ask(*state, method, path, answer, sizeof(answer));
    if (strncmp(answer, status_line, strlen(status_line)) != 0)
        fail_msg("%s: %s", request_line, answer);
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, body);
}

static void metrics_are_served_as_prometheus_reads_them(void **state)
{
    char answer[8192];

    ask(*state, "GET", "/metrics", answer, sizeof(answer));
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
    assert_answer(state, "GET /metrics", "HTTP/1.1 200 ",
                  "# HELP answer the answer\n# TYPE answer gauge\nanswer 42\n");
}

static void health_is_ok_or_one_reason(void **state)
{
    struct fixture *fixture = *state;

    assert_answer(state, "GET /healthz", "HTTP/1.1 200 ", "ok\n");
    fixture->healthy = false;
    assert_answer(state, "GET /healthz", "HTTP/1.1 503 ", "the kernel side is not loaded\n");
}

static void head_has_no_body_and_other_methods_are_refused(void **state)
{
    assert_answer(state, "HEAD /healthz", "HTTP/1.1 200 ", "");
    assert_answer(state, "POST /healthz", "HTTP/1.1 405 ", "only GET is answered\n");
    assert_answer(state, "DELETE /metrics", "HTTP/1.1 405 ", "only GET is answered\n");
}

static void other_paths_are_not_found(void **state)
{
    assert_answer(state, "GET /", "HTTP/1.1 404 ", "there are /metrics and /healthz\n");
    assert_answer(state, "GET /metrics/x", "HTTP/1.1 404 ", "there are /metrics and /healthz\n");
}

static void a_page_beyond_its_cap_is_an_error(void **state)
{
    struct fixture *fixture = *state;

    fixture->flood = true;
    assert_answer(state, "GET /metrics", "HTTP/1.1 500 ", "the page is too large\n");
}

static void a_port_in_use_and_a_bad_address_are_errors(void **state)
{
    const struct fixture *fixture = *state;
    struct status_provider provider = {metrics, healthy, (void *)fixture};
    struct status *other = NULL;
    char listen_on[32];

    snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%u", status_port(fixture->status));
    assert_int_equal(status_start(listen_on, &provider, &other), -EADDRINUSE);
    assert_int_equal(status_start("localhost:0", &provider, &other), -EINVAL);
    assert_null(other);
}

static void it_listens_on_ipv6_too(void **state)
{
    struct status_provider provider = {metrics, healthy, *state};
    struct status *status;
    int r = status_start("[::1]:0", &provider, &status);

    if (r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT)
        skip();
    assert_int_equal(r, 0);
    assert_int_not_equal(status_port(status), 0);
    status_stop(status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metrics_are_served_as_prometheus_reads_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(health_is_ok_or_one_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(head_has_no_body_and_other_methods_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(other_paths_are_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_beyond_its_cap_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_in_use_and_a_bad_address_are_errors, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_listens_on_ipv6_too, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
