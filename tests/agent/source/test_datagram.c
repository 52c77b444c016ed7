/* SPDX-License-Identifier: Apache-2.0 */
#include "source/datagram.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define V4(a, b, c, d, number)                                                                     \
    {.address = {[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d}, .port = number}

static const struct endpoint server = V4(192, 0, 2, 1, 53), client = V4(192, 0, 2, 2, 40000),
                             other = V4(192, 0, 2, 3, 40000), group = V4(224, 0, 0, 251, 5353),
                             member = V4(192, 0, 2, 2, 5353);

static struct datagram_event convert(const struct endpoint *from, const struct endpoint *to)
{
    struct packet packet = {.source = *from,
                            .destination = *to,
                            .transport = IPPROTO_UDP,
                            .length = 5,
                            .payload = BYTES_LITERAL("hello")};
    struct datagram_event event;

    datagram_to_event(&packet, 17, 4711, &event);
    return event;
}

static void both_directions_are_one_connection_from_the_servers_side(void **state)
{
    struct datagram_event in = convert(&client, &server), out = convert(&server, &client);

    assert_int_equal(in.event.dir, DIR_IN);
    assert_int_equal(out.event.dir, DIR_OUT);
    assert_int_equal(in.event.connection, out.event.connection);
    assert_memory_equal(&in.facts, &out.facts, sizeof(in.facts));
    assert_int_equal(in.facts.local.port, 53);
    assert_true(in.facts.passive);
    assert_int_equal(in.facts.transport, TRANSPORT_UDP);
    assert_false(in.facts.has_starts);
    assert_int_equal(in.event.exec.process_start_ns, endpoint_exec(&server).process_start_ns);
    assert_int_equal(in.event.position, 4711);
    assert_int_equal(in.event.time_ns, 17);
}

static void other_endpoints_are_another_connection(void **state)
{
    assert_int_not_equal(convert(&client, &server).event.connection,
                         convert(&other, &server).event.connection);
    assert_true(convert(&client, &server).event.connection >> 63);
}

static void a_group_is_asked_whatever_its_port(void **state)
{
    assert_int_equal(convert(&member, &group).event.dir, DIR_IN);
    assert_int_equal(convert(&server, &group).event.dir, DIR_IN);
    assert_int_equal(convert(&server, &group).facts.local.port, 5353);
}

static void equal_ports_have_one_server(void **state)
{
    struct datagram_event one = convert(&client, &other), two = convert(&other, &client);

    assert_int_equal(one.event.connection, two.event.connection);
    assert_int_not_equal(one.event.dir, two.event.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_are_one_connection_from_the_servers_side),
        cmocka_unit_test(other_endpoints_are_another_connection),
        cmocka_unit_test(a_group_is_asked_whatever_its_port),
        cmocka_unit_test(equal_ports_have_one_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
