/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The clear part of a TLS handshake: in each direction the records of type 22 from the first byte
 * on, up to the first of another type. In TLS 1.3 what is encrypted has the type of application
 * data, before it ChangeCipherSpec stands in front: no cipher text is recorded. A record is told by
 * its length wherever it is cut, so that nothing inside it is taken for the next one.
 */
#pragma once

#include "bytes.bpf.h"
#include "connection.bpf.h"
#include "ring.bpf.h"
#include "tls.bpf.h"
#include "verdict.bpf.h"

#define HANDSHAKE_HEAD 4096u   /* bytes of one operation */
#define HANDSHAKE_RECORDS 4 /* that one operation may begin: the certificate is in the second */

struct record_walk {
    const u8 *data;
    u32 len; /* bytes in `data` */
    u32 at;  /* where the next record begins */
    bool ended;
};

/* One record; true ends the walk. */
static __always_inline bool walk_record(struct record_walk *walk)
{
    u32 at = walk->at;

    if (at >= walk->len)
        return true;
    if (at + TLS_HEADER_LEN > walk->len || at > FT_CAPTURE_MAX - TLS_HEADER_LEN ||
        walk->data[at] != TLS_HANDSHAKE || !is_record_header(walk->data + at)) {
        walk->ended = true;
        return true;
    }
    walk->at = at + TLS_HEADER_LEN + ((u32)walk->data[at + 3] << 8 | walk->data[at + 4]);
    return false;
}

/*
 * How many of the captured bytes are records of the handshake. Notes where the last of them ends,
 * or that this direction's handshake is over.
 */
static __always_inline u32 handshake_part(const u8 *data, u32 captured, u32 length,
                                          struct sock_state *state, enum ft_dir dir)
{
    struct record_walk walk = {.data = data, .len = captured, .at = state->record_left[dir & 1]};

    for (u32 i = 0; i < HANDSHAKE_RECORDS; i++)
        if (walk_record(&walk))
            break;
    if (walk.ended || walk.at < length)
        state->handshake &= ~(1u << (dir & 1));
    else
        state->record_left[dir & 1] = walk.at - length;
    return walk.at < captured ? walk.at : captured;
}

/* For user space, beside the operation, which counts as cipher text. */
static __noinline void record_handshake(const struct operation *op, enum ft_dir dir,
                                        struct sock_state *state, struct ft_counters *c)
{
    u32 key = dir, wanted = op->length < HANDSHAKE_HEAD ? op->length : HANDSHAKE_HEAD, n;
    struct scratch *scratch = bpf_map_lookup_elem(&scratches, &key);
    enum ft_counter why = FT_IGNORED;
    struct user_buffer buffer;
    u64 position;

    if (!scratch || !find_position(op->sk, state, dir, op->length, &position) ||
        head_wanted(state, state->clear_id, &why) == 0) {
        state->handshake = 0;
        return;
    }
    find_buffer_apart(op, dir, &buffer, c);
    n = copy_bytes(scratch, &buffer, wanted, c);
    n = handshake_part(scratch->data, n, op->length, state, dir);
    if (n == 0 || n > HANDSHAKE_HEAD)
        return;
    fill_record(op, dir, state->clear_id, position, &scratch->record);
    scratch->record.kind = FT_KIND_HANDSHAKE;
    scratch->record.length = scratch->record.captured = n;
    if (bpf_ringbuf_output(&ring, &scratch->record, sizeof(struct ft_record) + n, wake_flags(c)))
        count(c, FT_HANDSHAKE_LOST);
}
