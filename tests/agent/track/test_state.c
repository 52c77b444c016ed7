/* SPDX-License-Identifier: Apache-2.0 */
/* Parser states: taken when the protocol is known, zeroed, and given back. */
#include "track/internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CONNECTIONS 4

static int setup(void **state)
{
    static struct track track;

    track = (struct track){.options = {.max_connections = CONNECTIONS}};
    *state = &track;
    return states_init(&track);
}

static int teardown(void **state)
{
    states_done(*state);
    return 0;
}

static size_t in_use(const struct track *track, size_t protocol)
{
    return track->states[protocol].in_use;
}

static void a_connection_takes_memory_of_its_own_protocol_only(void **state)
{
    struct track *track = *state;
    struct connection connection = {0};

    for (size_t i = 0; protocols[i]; i++) {
        connection_set_protocol(track, &connection, protocols[i]);
        assert_ptr_equal(connection.protocol, protocols[i]);
        for (size_t j = 0; protocols[j]; j++)
            assert_int_equal(in_use(track, j), i == j && protocols[i]->traits.state_size > 0);
    }
    connection_set_protocol(track, &connection, NULL);
    assert_null(connection.parser_state);
    for (size_t i = 0; protocols[i]; i++)
        assert_int_equal(in_use(track, i), 0);
}

static void a_state_begins_zeroed_whatever_it_was_before(void **state)
{
    struct track *track = *state;
    struct connection connection = {0};

    for (size_t i = 0; protocols[i]; i++)
        for (int again = 0; again < 2; again++) {
            size_t size = protocols[i]->traits.state_size;

            connection_set_protocol(track, &connection, protocols[i]);
            for (size_t j = 0; j < size; j++)
                assert_int_equal(((uint8_t *)connection.parser_state)[j], 0);
            if (size)
                memset(connection.parser_state, 0xff, size);
        }
    connection_set_protocol(track, &connection, NULL);
}

static void every_connection_may_speak_the_same_protocol(void **state)
{
    struct connection connections[CONNECTIONS] = {0};

    for (size_t i = 0; i < CONNECTIONS; i++) {
        connection_set_protocol(*state, &connections[i], protocols[0]);
        assert_non_null(connections[i].parser_state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_takes_memory_of_its_own_protocol_only),
        TEST(a_state_begins_zeroed_whatever_it_was_before),
        TEST(every_connection_may_speak_the_same_protocol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
