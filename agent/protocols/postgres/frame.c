/* SPDX-License-Identifier: Apache-2.0 */
/* Frames; the contract stands in frame.h. */
#include "protocols/postgres/frame.h"

#include "base/macro.h"

#define STARTUP_LEN_MAX 10000 /* the server's own limit */

/* The lengths that a message of a type may have; 0 at most: there is no such type. */
struct bounds {
    uint32_t min, max;
};

#define EMPTY {4, 4}
#define ANY {4, FRAME_LEN_MAX}

/* By enum sender. */
static const struct bounds all_bounds[2][128] = {
    [SENDER_CLIENT] =
        {
            ['Q'] = {5, FRAME_LEN_MAX}, /* Query */
            ['P'] = {8, FRAME_LEN_MAX}, /* Parse */
            ['B'] = {12, FRAME_LEN_MAX}, /* Bind */
            ['E'] = {9, 1 << 16},       /* Execute */
            ['D'] = {6, 1 << 16},       /* Describe */
            ['C'] = {6, 1 << 16},       /* Close */
            ['F'] = {14, FRAME_LEN_MAX}, /* FunctionCall */
            ['p'] = {4, 1 << 20},       /* passwords, SASL and GSS data */
            ['f'] = {5, 1 << 20},       /* CopyFail */
            ['S'] = EMPTY,              /* Sync */
            ['H'] = EMPTY,              /* Flush */
            ['X'] = EMPTY,              /* Terminate */
            ['c'] = EMPTY,              /* CopyDone */
            ['d'] = ANY,                /* CopyData */
        },
    [SENDER_SERVER] =
        {
            ['R'] = {8, 1 << 20},       /* Authentication... */
            ['K'] = {12, 268},          /* BackendKeyData */
            ['S'] = {6, 1 << 20},       /* ParameterStatus */
            ['v'] = {12, 1 << 16},      /* NegotiateProtocolVersion */
            ['Z'] = {5, 5},             /* ReadyForQuery */
            ['C'] = {6, 1 << 10},       /* CommandComplete */
            ['E'] = {5, 1 << 24},       /* ErrorResponse */
            ['N'] = {5, 1 << 24},       /* NoticeResponse */
            ['A'] = {10, 1 << 16},      /* NotificationResponse */
            ['T'] = {6, 1 << 24},       /* RowDescription */
            ['t'] = {6, 1 << 24},       /* ParameterDescription */
            ['D'] = {6, FRAME_LEN_MAX}, /* DataRow */
            ['V'] = {8, FRAME_LEN_MAX}, /* FunctionCallResponse */
            ['G'] = {7, 1 << 16},       /* CopyInResponse, */
            ['H'] = {7, 1 << 16},       /* CopyOut, */
            ['W'] = {7, 1 << 16},       /* CopyBoth */
            ['d'] = ANY,                /* CopyData */
            ['c'] = EMPTY,              /* CopyDone */
            ['1'] = EMPTY,              /* ParseComplete, */
            ['2'] = EMPTY,              /* Bind..., */
            ['3'] = EMPTY,              /* Close... */
            ['I'] = EMPTY,              /* EmptyQueryResponse */
            ['n'] = EMPTY,              /* NoData */
            ['s'] = EMPTY,              /* PortalSuspended */
        },
};

/* Is this a beginning of a code that a start-up packet may have? */
static bool fits_code(uint32_t len, struct bytes code)
{
    static const uint8_t codes[][4] = {
        {0, 3, 0, 0}, {0, 3, 0, 2}, {4, 210, 22, 46}, {4, 210, 22, 47}, {4, 210, 22, 48}};
    static const struct bounds bounds[] = {
        {9, STARTUP_LEN_MAX}, {9, STARTUP_LEN_MAX}, {16, 268}, {8, 8}, {8, 8}};

    for (size_t i = 0; i < ELEMENTSOF(codes); i++)
        if (memcmp(codes[i], code.ptr, MIN(code.len, (size_t)4)) == 0 && len >= bounds[i].min &&
            len <= bounds[i].max)
            return true;
    return false;
}

/* The first byte of a body or a type is never 0. */
static enum frame_match read_startup(struct bytes data, struct frame *ret_frame)
{
    struct reader reader = reader_make(data);
    uint32_t len = reader_be32(&reader);

    if (data.len > 1 && data.ptr[1] != 0)
        return FRAME_NO;
    if (reader.failed)
        return FRAME_MORE;
    if (!fits_code(len, bytes_skip(data, 4)))
        return FRAME_NO;
    ret_frame->code = reader_be32(&reader);
    if (reader.failed)
        return FRAME_MORE;
    if (ret_frame->code == STARTUP_VERSION_3 + 2)
        ret_frame->code = STARTUP_VERSION_3;
    ret_frame->total = len;
    ret_frame->used = 8;
    return FRAME_FITS;
}

/* Also of a header that is cut off: the first bytes of its length tell already whether it fits. */
static enum frame_match read_typed(enum sender sender, struct bytes data, struct frame *ret_frame)
{
    const struct bounds *bounds = data.ptr[0] < 128 ? &all_bounds[sender][data.ptr[0]] : NULL;
    struct reader reader = reader_make(bytes_skip(data, 1));
    uint32_t len = 0;

    if (!bounds || !bounds->max)
        return FRAME_NO;
    for (size_t i = 1; i < 5 && i < data.len; i++)
        len |= (uint32_t)data.ptr[i] << (8 * (4 - i));
    if (len > bounds->max)
        return FRAME_NO;
    len = reader_be32(&reader);
    if (reader.failed)
        return FRAME_MORE;
    if (len < bounds->min)
        return FRAME_NO;
    ret_frame->type = data.ptr[0];
    ret_frame->total = UINT64_C(1) + len;
    ret_frame->used = 5;
    return FRAME_FITS;
}

enum frame_match postgres_frame_read(enum sender sender, struct bytes data, size_t wish, bool cut,
                            struct frame *ret_frame)
{
    enum frame_match match;
    size_t wished;

    *ret_frame = (struct frame){0};
    if (data.len == 0)
        return FRAME_MORE;
    match = data.ptr[0] == 0 && sender == SENDER_CLIENT ? read_startup(data, ret_frame)
                                                        : read_typed(sender, data, ret_frame);
    if (match != FRAME_FITS)
        return match;
    wished = (size_t)MIN(ret_frame->total - ret_frame->used, (uint64_t)wish);
    ret_frame->body = bytes_slice(data, ret_frame->used, wished);
    if (ret_frame->body.len < wished && !cut)
        return FRAME_MORE;
    ret_frame->used += ret_frame->body.len;
    ret_frame->whole = ret_frame->used == ret_frame->total;
    return FRAME_FITS;
}

struct bytes frame_string(struct reader *reader)
{
    struct bytes string = reader_until(reader, '\0');

    return reader->failed ? BYTES_NULL : string;
}
