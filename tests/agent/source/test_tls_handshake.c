/* SPDX-License-Identifier: Apache-2.0 */
#include "source/tls_handshake.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CONNECTIONS 2000
#define AT_ONCE 512

/* A ServerHello of TLS 1.2 without extensions: record, message, version, random, the rest. */
static const uint8_t hello[5 + 4 + 2 + 32 + 4] = {22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3,
                                                  [5 + 4 + 34] = 0, 0x00, 0x9c, 0};

static struct tls_handshakes *make(struct counters *counters)
{
    struct tls_handshakes *handshakes;

    assert_int_equal(tls_handshakes_new(CONNECTIONS, counters, &handshakes), 0);
    return handshakes;
}

static void take(struct tls_handshakes *handshakes, uint64_t connection, size_t from, size_t to)
{
    const struct event event = {.connection = connection, .position = 7 + from,
                                .data = bytes_make(hello + from, to - from)};

    tls_handshakes_take(handshakes, &event);
}

static unsigned version_of(struct tls_handshakes *handshakes, uint64_t connection)
{
    struct connection_facts facts = {0};

    tls_handshakes_tell(handshakes, connection, &facts);
    return facts.tls.version;
}

static void what_a_handshake_said_is_kept_until_its_connection_is_forgotten(void **state)
{
    static struct counters counters;
    struct tls_handshakes *handshakes = make(&counters);

    take(handshakes, 1, 0, sizeof(hello));
    take(handshakes, 2, 0, 20);
    assert_int_equal(version_of(handshakes, 1), 0x0303);
    assert_int_equal(version_of(handshakes, 2), 0);
    take(handshakes, 2, 20, sizeof(hello));
    assert_int_equal(version_of(handshakes, 2), 0x0303);
    tls_handshakes_forget(handshakes, 1);
    assert_int_equal(version_of(handshakes, 1), 0);
    tls_handshakes_free(handshakes);
}

static void what_begins_in_the_middle_is_passed_over(void **state)
{
    static struct counters counters;
    struct tls_handshakes *handshakes = make(&counters);

    take(handshakes, 1, 5, sizeof(hello));
    take(handshakes, 1, 0, sizeof(hello));
    assert_int_equal(version_of(handshakes, 1), 0x0303);
    tls_handshakes_free(handshakes);
}

static void of_too_many_at_once_the_oldest_is_given_up_and_counted(void **state)
{
    static struct counters counters;
    struct tls_handshakes *handshakes = make(&counters);

    for (uint64_t id = 1; id <= AT_ONCE + 1; id++)
        take(handshakes, id, 0, 20);
    assert_int_equal(counters.values[COUNTER_tls_handshakes_evicted], 1);
    take(handshakes, 1, 20, sizeof(hello));
    take(handshakes, 2, 20, sizeof(hello));
    assert_int_equal(version_of(handshakes, 1), 0);
    assert_int_equal(version_of(handshakes, 2), 0x0303);
    tls_handshakes_free(handshakes);
}

static void memory_is_bounded_by_the_oldest_connections(void **state)
{
    static struct counters counters;
    struct tls_handshakes *handshakes = make(&counters);

    for (uint64_t id = 1; id <= CONNECTIONS + 1; id++)
        take(handshakes, id, 0, sizeof(hello));
    assert_int_equal(version_of(handshakes, 1), 0);
    assert_int_equal(version_of(handshakes, 2), 0x0303);
    assert_int_equal(version_of(handshakes, CONNECTIONS + 1), 0x0303);
    tls_handshakes_free(handshakes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_handshake_said_is_kept_until_its_connection_is_forgotten),
        cmocka_unit_test(what_begins_in_the_middle_is_passed_over),
        cmocka_unit_test(of_too_many_at_once_the_oldest_is_given_up_and_counted),
        cmocka_unit_test(memory_is_bounded_by_the_oldest_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
