/* SPDX-License-Identifier: Apache-2.0 */
/* The properties that every protocol shares, proven for every word in the list of protocols. */
#include "harness.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Generated: the fixtures of the protocols in the list, and the template's; NULL-terminated. */
extern const struct fixture *const fixtures[];

static void every_protocol_of_the_list_has_a_fixture(void **state)
{
    for (const struct protocol *const *protocol = protocols; *protocol; protocol++) {
        bool found = false;

        for (size_t i = 0; fixtures[i]; i++)
            found |= fixtures[i]->protocol == *protocol && fixtures[i]->n_conversations > 0;
        assert_true(found);
    }
}

#define PROPERTY(sentence, property)                                                               \
    static void sentence(void **state)                                                             \
    {                                                                                              \
        for (size_t i = 0; fixtures[i]; i++)                                                       \
            property(fixtures[i]);                                                                 \
    }

PROPERTY(every_message_of_a_conversation_is_found, harness_finds_the_messages)
PROPERTY(probe_names_the_sender_and_never_the_other, harness_probe_knows_the_sender)
PROPERTY(the_same_input_gives_the_same_output_and_state, harness_is_deterministic)
PROPERTY(the_same_bytes_cut_anywhere_give_the_same_messages, harness_is_split_invariant)
PROPERTY(every_truncation_is_survived, harness_survives_every_truncation)
PROPERTY(a_message_behind_garbage_is_found_again, harness_finds_messages_behind_garbage)
PROPERTY(a_datagram_stands_alone, harness_datagrams_stand_alone)
PROPERTY(behind_damaged_bytes_it_resynchronizes_within_one_message, harness_survives_damage)

/* If the linker did not wrap malloc, no other test would notice an allocation. */
static void allocations_are_noticed(void **state)
{
    unsigned long before = driver_allocations;

    driver_free(driver_new(protocols[0], false));
    assert_true(driver_allocations > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_protocol_of_the_list_has_a_fixture),
        cmocka_unit_test(allocations_are_noticed),
        cmocka_unit_test(every_message_of_a_conversation_is_found),
        cmocka_unit_test(probe_names_the_sender_and_never_the_other),
        cmocka_unit_test(the_same_input_gives_the_same_output_and_state),
        cmocka_unit_test(the_same_bytes_cut_anywhere_give_the_same_messages),
        cmocka_unit_test(every_truncation_is_survived),
        cmocka_unit_test(a_message_behind_garbage_is_found_again),
        cmocka_unit_test(a_datagram_stands_alone),
        cmocka_unit_test(behind_damaged_bytes_it_resynchronizes_within_one_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
