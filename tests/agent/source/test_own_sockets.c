/* SPDX-License-Identifier: Apache-2.0 */
#include "source/own_sockets.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void a_bound_socket_is_found_by_its_address_and_port_until_it_is_closed(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct endpoint endpoint = {.address = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    endpoint.port = ntohs(address.sin_port);
    assert_true(own_sockets_have(&endpoint));
    endpoint.address[15] = 2;
    assert_false(own_sockets_have(&endpoint));
    endpoint.address[15] = 1;
    close(fd);
    assert_false(own_sockets_have(&endpoint));
}

static void a_socket_of_ipv6_is_found_too(void **state)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct endpoint endpoint = {.address = {[15] = 1}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0)
        skip(); /* a host without IPv6 */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    endpoint.port = ntohs(address.sin6_port);
    assert_true(own_sockets_have(&endpoint));
    endpoint.port ^= 1;
    assert_false(own_sockets_have(&endpoint));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bound_socket_is_found_by_its_address_and_port_until_it_is_closed),
        cmocka_unit_test(a_socket_of_ipv6_is_found_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
