/* SPDX-License-Identifier: Apache-2.0 */
/* Frame headers: what the RFC forbids, what only garbage looks like, and what may become one. */
#include "protocols/http2/frame.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    struct frame frame;
    bool valid, plausible;
} cases[] = {
    {{.type = FRAME_DATA, .stream = 1, .length = 16384}, true, true},
    {{.type = FRAME_DATA, .stream = 1, .length = 16385}, true, false},
    {{.type = FRAME_DATA, .stream = 2, .length = 1}, true, false},
    {{.type = FRAME_DATA, .stream = 0, .length = 1}, false, false},
    {{.type = FRAME_DATA, .stream = 1, .flags = 0x4}, true, false},
    {{.type = FRAME_HEADERS, .stream = 7, .flags = 0x2d, .length = 20}, true, true},
    {{.type = FRAME_HEADERS, .stream = 7, .length = 20, .reserved = true}, true, false},
    {{.type = FRAME_SETTINGS, .length = 12}, true, true},
    {{.type = FRAME_SETTINGS, .flags = FRAME_ACK}, true, true},
    {{.type = FRAME_SETTINGS, .flags = FRAME_ACK, .length = 6}, true, false},
    {{.type = FRAME_SETTINGS, .length = 7}, false, false},
    {{.type = FRAME_PING, .length = 8}, true, true},
    {{.type = FRAME_PING, .length = 9}, false, false},
    {{.type = FRAME_WINDOW_UPDATE, .length = 4, .stream = 0}, true, true},
    {{.type = FRAME_WINDOW_UPDATE, .length = 4, .stream = 4}, true, true},
    {{.type = FRAME_GOAWAY, .length = 7}, false, false},
    {{.type = 0x42, .length = 100000, .flags = 0xff, .stream = 9}, true, false},
};

static void write_header(const struct frame *frame, uint8_t out[FRAME_HEADER_LEN])
{
    const uint8_t bytes[FRAME_HEADER_LEN] = {
        (uint8_t)(frame->length >> 16), (uint8_t)(frame->length >> 8), (uint8_t)frame->length,
        frame->type, frame->flags, frame->reserved ? 0x80 : 0, 0, 0, (uint8_t)frame->stream,
    };

    memcpy(out, bytes, sizeof(bytes));
}

static void frames_are_judged_by_the_rules_of_their_type(void **state)
{
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        uint8_t bytes[FRAME_HEADER_LEN];
        struct frame frame;

        write_header(&cases[i].frame, bytes);
        assert_true(frame_read(bytes_make(bytes, sizeof(bytes)), &frame));
        assert_int_equal(frame.length, cases[i].frame.length);
        assert_int_equal(frame.stream, cases[i].frame.stream);
        assert_int_equal(frame.reserved, cases[i].frame.reserved);
        assert_int_equal(frame_is_valid(&frame), cases[i].valid);
        assert_int_equal(frame_is_plausible(&frame), cases[i].plausible);
    }
}

static void each_beginning_of_a_plausible_frame_may_become_one(void **state)
{
    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        for (size_t len = 0; cases[i].plausible && len < FRAME_HEADER_LEN; len++) {
            uint8_t bytes[FRAME_HEADER_LEN];
            struct frame frame;

            write_header(&cases[i].frame, bytes);
            assert_false(frame_read(bytes_make(bytes, len), &frame));
            assert_true(frame_may_begin(bytes_make(bytes, len)));
        }
    assert_false(frame_may_begin(BYTES_LITERAL("GET ")));
    assert_false(frame_may_begin(BYTES_LITERAL("\0\0\5\x0a")));
}

static void the_content_is_what_padding_and_priority_leave(void **state)
{
    struct frame frame = {.type = FRAME_HEADERS, .flags = FRAME_PADDED | FRAME_HAS_PRIORITY};
    struct bytes content;

    assert_true(frame_content(&frame, BYTES_LITERAL("\2PRIO!block\0\0"), &content));
    assert_true(bytes_equal(content, BYTES_LITERAL("block")));
    assert_true(frame_content(&frame, BYTES_LITERAL("\0PRIO!"), &content));
    assert_int_equal(content.len, 0);
    assert_false(frame_content(&frame, BYTES_LITERAL("\1PRIO!"), &content));
    frame = (struct frame){.type = FRAME_PUSH_PROMISE};
    assert_true(frame_content(&frame, BYTES_LITERAL("\0\0\0\2block"), &content));
    assert_true(bytes_equal(content, BYTES_LITERAL("block")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_judged_by_the_rules_of_their_type),
        cmocka_unit_test(each_beginning_of_a_plausible_frame_may_become_one),
        cmocka_unit_test(the_content_is_what_padding_and_priority_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
