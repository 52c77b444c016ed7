/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One send or receive that has just ended: counted, judged, recorded. The short ways out come
 * first, the cheapest question before the dearer one: an operation that nobody wants costs one
 * look-up of the socket's storage and one of its verdict.
 */
#pragma once

#include "bytes.bpf.h"
#include "connection.bpf.h"
#include "facts.bpf.h"
#include "handshake.bpf.h"
#include "peer.bpf.h"
#include "ring.bpf.h"
#include "state.bpf.h"
#include "tls.bpf.h"
#include "verdict.bpf.h"

static __always_inline bool has_bytes(const struct operation *op, struct ft_counters *c)
{
    if (!(op->flags & (MSG_TRUNC | MSG_OOB | MSG_ERRQUEUE)))
        return true;
    count(c, FT_BAD_FLAGS);
    return false;
}

static __always_inline void record_stream(const struct operation *op, enum ft_dir dir,
                                          struct sock_state *state, u64 position, u32 head,
                                          struct scratch *scratch, struct ft_counters *c)
{
    u32 wanted = op->length < head ? op->length : head;
    bool with_facts = state->tgid != op->task->tgid;
    struct user_buffer buffer;

    fill_record(op, dir, state->id, position, &scratch->record);
    if (with_facts) {
        fill_ends(op->sk, state, &scratch->facts);
        fill_facts(op->sk, state, op->task->group_leader, &scratch->facts);
        state->tgid = op->task->tgid;
    }
    if (has_bytes(op, c)) {
        find_buffer(op, dir, &buffer, c);
        scratch->record.captured = copy_bytes(scratch, &buffer, wanted, c);
    }
    output(scratch, with_facts, c);
}

static __always_inline void handle_stream(const struct operation *op, enum ft_dir dir,
                                          struct sock_state *state, struct ft_counters *c)
{
    enum ft_counter why = FT_IGNORED;
    u32 key = dir, head = head_wanted(state, state->id, &why);
    struct scratch *scratch;
    u64 position;

    if (head == 0) {
        count(c, why);
        return;
    }
    scratch = bpf_map_lookup_elem(&scratches, &key);
    if (!scratch || !find_position(op->sk, state, dir, op->length, &position)) {
        count(c, FT_NO_RECORD);
        return;
    }
    record_stream(op, dir, state, position, head, scratch, c);
}

/* Does nobody want it, as far as the socket alone tells? Apart, so that its states end here. */
static __noinline bool is_unwanted_datagram(const struct operation *op, enum ft_dir dir,
                                            struct sock_state *state, struct ft_counters *c)
{
    enum ft_counter why = FT_IGNORED;

    if (may_name_peer(op, dir) || head_wanted(state, socket_connection(op->sk, state), &why))
        return false;
    count(c, why);
    return true;
}

/*
 * Each datagram brings its facts: its peer may be another than the last one's, and the kernel side
 * keeps no list of peers.
 */
static __noinline void handle_datagram(const struct operation *op, enum ft_dir dir,
                                       struct sock_state *state, struct ft_counters *c)
{
    u32 key = dir, head, wanted;
    struct scratch *scratch;
    enum ft_counter why = FT_IGNORED;
    struct user_buffer buffer;
    u64 id, position;
    bool named;

    if (is_unwanted_datagram(op, dir, state, c))
        return;
    scratch = bpf_map_lookup_elem(&scratches, &key);
    if (!scratch || !find_position(op->sk, state, dir, op->length, &position)) {
        count(c, FT_NO_RECORD);
        return;
    }
    fill_ends(op->sk, state, &scratch->facts);
    find_buffer_apart(op, dir, &buffer, c);
    named = find_message_peer(op, dir, &buffer, scratch);
    id = datagram_connection(state, &scratch->facts, named);
    head = head_wanted(state, id, &why);
    if (head == 0) {
        count(c, why);
        return;
    }
    wanted = op->length < head ? op->length : head;
    fill_facts(op->sk, state, op->task->group_leader, &scratch->facts);
    fill_record(op, dir, id, position, &scratch->record);
    if (has_bytes(op, c))
        scratch->record.captured = copy_bytes(scratch, &buffer, wanted, c);
    output(scratch, true, c);
}

static __always_inline bool is_turned_off(enum ft_transport transport)
{
    return (transport == FT_UDP && !want_udp) || (transport >= FT_UNIX_STREAM &&
                                                  transport <= FT_UNIX_DATAGRAM && !want_unix);
}

static __always_inline void handle_cipher_text(const struct operation *op, enum ft_dir dir,
                                               struct sock_state *state, enum ft_counter why,
                                               struct ft_counters *c)
{
    count(c, state->own ? FT_OWN : why);
    if (state->handshake >> (dir & 1) & 1)
        record_handshake(op, dir, state, c);
}

/* Is this operation none of our business? The counter that says why; FT_RECORDS: it is. */
static __always_inline enum ft_counter reason_to_pass(const struct operation *op, int moved)
{
    if (op->task->tgid == own_tgid)
        return FT_OWN;
    if (moved <= 0)
        return FT_NO_BYTES;
    if (op->transport == FT_TRANSPORT_NONE)
        return FT_OTHER_SOCKET;
    if (is_turned_off(op->transport))
        return FT_TURNED_OFF;
    if (op->flags & MSG_PEEK)
        return FT_PEEKED;
    return FT_RECORDS;
}

/* What an operation that is passed over ends all the same. */
static __always_inline void pass(const struct operation *op, int moved, enum ft_dir dir,
                                 struct ft_counters *c)
{
    if (moved <= 0 && !by_address)
        batch_pass(op, moved, dir);
    if (op->transport == FT_UDP && dir == FT_DIR_IN && !by_address)
        forget_sender(op);
    if (moved == 0 && op->transport == FT_UNIX_STREAM && dir == FT_DIR_IN &&
        op->task->tgid != own_tgid)
        record_unix_close(op->sk, c);
}

static __noinline void handle_stream_apart(const struct operation *op, enum ft_dir dir,
                                           struct sock_state *state, struct ft_counters *c)
{
    handle_stream(op, dir, state, c);
}

static __always_inline void handle(const struct operation *op, int moved, enum ft_dir dir,
                                   bool apart, struct ft_counters *c)
{
    struct sock_state *state;
    enum ft_counter why;

    count(c, FT_OPERATIONS);
    why = reason_to_pass(op, moved);
    if (why != FT_RECORDS) {
        count(c, why);
        pass(op, moved, dir, c);
        return;
    }
    state = find_connection(op->sk, op->inode, op->transport, c);
    if (!state)
        count(c, FT_NO_STORAGE);
    else if (op->transport == FT_TCP && is_cipher_text(op, dir, state, &why))
        handle_cipher_text(op, dir, state, why, c);
    else if (!is_stream(op->transport))
        handle_datagram(op, dir, state, c);
    else if (apart)
        handle_stream_apart(op, dir, state, c);
    else
        handle_stream(op, dir, state, c);
}

/* For the hooks that are given the socket. */
static __always_inline int handle_operation(struct sock *sk, const struct msghdr *message,
                                            int moved, int flags, enum ft_dir dir)
{
    struct ft_counters *c = this_cpu_counters();
    struct operation op = {.sk = sk, .task = bpf_get_current_task_btf(), .message = message,
                           .transport = transport_of(sk), .length = moved, .flags = flags};

    if (c)
        handle(&op, moved, dir, false, c);
    return 0;
}
