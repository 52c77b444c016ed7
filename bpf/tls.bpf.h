/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS: the clear text is read where the library takes it or gives it, and the socket operation
 * inside that call says which connection it belongs to.
 *
 *   tls_enter ...... socket operation ...... tls_leave
 *   call {object,    state->tls = 1          n clear bytes: one operation of the connection, at
 *   buffer, stack}   session -> connection   position = where the cipher text began + clear bytes
 *
 * A session is one TLS object (SSL *, gnutls_session_t, *tls.Conn) of one process. Its clear text
 * is the connection's stream from then on; the cipher text is counted and never copied. What a
 * handshake says before it is encrypted is (handshake.bpf.h), and its first record header proves at
 * first sight that it is this connection's.
 *
 * A session whose socket operations happen elsewhere (the program moves the cipher text itself)
 * has no connection here: its records go out under the session's own id, and user space finds out.
 */
#pragma once

#include "bytes.bpf.h"
#include "call.h"
#include "connection.bpf.h"
#include "facts.bpf.h"
#include "ring.bpf.h"
#include "tls_maps.h"
#include "verdict.bpf.h"

#define TLS_STACK_MAX (1u << 20) /* a call this much deeper is on another stack, not inside */
#define TLS_HEADER_LEN 5
#define TLS_HANDSHAKE 22 /* RFC 8446, 5.1 */
#define TLS_APPLICATION_DATA 23
#define TLS_RECORD_MAX (16384 + 2048) /* RFC 5246, 6.2.3; RFC 8446 allows less */

/* A probe's program can be preempted by another one: it counts apart from the hooks, atomically. */
static __always_inline struct ft_counters *call_counters(void)
{
    u32 key = FT_COUNTERS_OF_CALLS;

    return bpf_map_lookup_elem(&counters, &key);
}

static __always_inline void count_call(struct ft_counters *c, enum ft_counter id)
{
    __sync_fetch_and_add(&c->values[id], 1);
}

static __always_inline void count_unseen(void)
{
    struct ft_counters *c = call_counters();

    if (c)
        count_call(c, FT_CALLS_UNSEEN);
}

/* ---- at the library's functions ------------------------------------------------------------- */

static __always_inline struct tls_session *find_session(const struct tls_key *key)
{
    struct tls_session *session = bpf_map_lookup_elem(&tls_sessions, key);

    if (session)
        return session;
    bpf_map_update_elem(&tls_sessions, key, &no_session, BPF_NOEXIST);
    session = bpf_map_lookup_elem(&tls_sessions, key);
    if (session && session->id == 0)
        session->id = FT_SESSION_ID | __sync_fetch_and_add(&tls_sessions_made, 1);
    return session;
}

/* Functions with probes call each other: the outer one counts, the inner is lower on the stack. */
static __always_inline bool is_inside(const struct tls_call *call, u64 stack)
{
    return call->active && stack < call->stack && call->stack - stack < TLS_STACK_MAX;
}

/* For user space, which looks for the session's connection: no operation. */
static __always_inline void record_call(const struct tls_session *session, enum ft_kind kind,
                                        u32 dir, const struct task_struct *task)
{
    struct ft_record record = {
        .kind = kind,
        .dir = dir,
        .time_ns = bpf_ktime_get_boot_ns(),
        .connection = session->id,
        .process_start_ns = task->group_leader->start_boottime,
        .tgid = task->tgid,
        .tid = task->pid,
    };
    struct ft_counters *c = call_counters();

    if (c && bpf_ringbuf_output(&ring, &record, sizeof(record), wake_flags(c)))
        count_unseen();
}

static __always_inline bool is_judged(const struct tls_session *session)
{
    u32 slot = ft_verdict_slot(session->id);
    struct ft_verdict *verdict = bpf_map_lookup_elem(&verdicts, &slot);

    return verdict && verdict->id == session->id;
}

static __always_inline int tls_forget(const struct task_struct *task, u64 object)
{
    struct tls_key key = {.object = object, .tgid = task->tgid};
    struct tls_session *session = bpf_map_lookup_elem(&tls_sessions, &key);

    if (session && !session->connection)
        record_call(session, FT_KIND_CLOSE, 0, task);
    if (session)
        bpf_map_delete_elem(&tls_sessions, &key);
    return 0;
}

static __always_inline void begin_call(struct tls_call *call, u64 stack, enum ft_dir dir,
                                       u64 buffer, u64 length_at)
{
    struct tls_session *session = find_session(&call->key);

    call->socket = session ? session->socket : 0;
    call->buffer = buffer;
    call->length_at = length_at;
    call->stack = stack;
    call->time_ns = bpf_ktime_get_boot_ns();
    call->dir = dir;
    call->active = 1;
    call->early = 0;
}

static __always_inline void begin_c_call(struct pt_regs___call *regs, enum ft_call what,
                                         struct tls_call *call)
{
    bool early = what == FT_CALL_READ_EARLY || what == FT_CALL_WRITE_EARLY;
    bool reads = what == FT_CALL_READ || what == FT_CALL_READ_EX || what == FT_CALL_READ_EARLY;
    u64 length_at = TLS_LENGTH_IS_RESULT;

    if (what == FT_CALL_HANDSHAKE)
        length_at = 0;
    else if (early || what == FT_CALL_READ_EX || what == FT_CALL_WRITE_EX)
        length_at = CALL_ARG4(regs);
    begin_call(call, CALL_STACK(regs), reads ? FT_DIR_IN : FT_DIR_OUT, CALL_ARG2(regs), length_at);
    call->early = early;
}

static __always_inline int tls_enter(struct pt_regs___call *regs, enum ft_call what)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct tls_call *call;

    if (task->tgid == own_tgid)
        return 0;
    if (what == FT_CALL_FREE)
        return tls_forget(task, CALL_ARG1(regs));
    call = bpf_task_storage_get(&tls_calls, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!call) {
        count_unseen();
        return 0;
    }
    if (is_inside(call, CALL_STACK(regs)))
        return 0;
    call->key.object = CALL_ARG1(regs);
    call->key.tgid = task->tgid;
    begin_c_call(regs, what, call);
    return 0;
}

/* The clear bytes that the call moved; 0: none, it failed or has to be tried again. */
static __always_inline u32 clear_length(const struct tls_call *call, s32 result)
{
    u64 length = 0;

    if (result <= 0 || !call->length_at || call->length_at == TLS_LENGTH_IS_RESULT)
        return result > 0 && call->length_at ? result : 0;
    if (bpf_probe_read_user(&length, sizeof(length), (const void *)call->length_at))
        return 0;
    return (u32)length;
}

/* One of this CPU's scratch areas; the program that holds another one may have been preempted. */
static __always_inline struct scratch *take_scratch(void)
{
#pragma unroll
    for (u32 i = FT_SCRATCHES_OF_HOOKS; i < FT_SCRATCHES; i++) {
        u32 key = i;
        struct scratch *scratch = bpf_map_lookup_elem(&scratches, &key);

        if (scratch && __sync_val_compare_and_swap(&scratch->busy, 0, 1) == 0)
            return scratch;
    }
    return NULL;
}

static __always_inline void give_scratch(struct scratch *scratch)
{
    __sync_lock_test_and_set(&scratch->busy, 0);
}

static __always_inline void tls_output(struct scratch *scratch, struct tls_session *session,
                                       u32 captured, struct ft_counters *c)
{
    u64 flags = wake_flags(c);
    long r;

    if (captured > FT_CAPTURE_MAX)
        return;
    if (session->connection && !session->told) {
        __builtin_memcpy(&scratch->facts, &session->facts, sizeof(scratch->facts));
        session->told = 1;
        r = bpf_ringbuf_output(&ring, &scratch->facts,
                               sizeof(struct ft_facts) + sizeof(struct ft_record) + captured,
                               flags);
    } else {
        r = bpf_ringbuf_output(&ring, &scratch->record, sizeof(struct ft_record) + captured,
                               flags);
    }
    count_call(c, r ? FT_RING_FULL : FT_RECORDS);
}

static __always_inline void record_clear_text(const struct tls_call *call,
                                              struct tls_session *session, u64 offset, u32 length,
                                              u32 head, const struct task_struct *task,
                                              struct ft_counters *c)
{
    struct scratch *scratch = take_scratch();
    u32 wanted = length < head ? length : head;

    if (!scratch) {
        count_call(c, FT_NO_RECORD);
        return;
    }
    scratch->record = (struct ft_record){
        .kind = FT_KIND_CLEAR,
        .dir = call->dir,
        /* The peer may have what was written long before the call returns. */
        .time_ns = call->dir == FT_DIR_OUT ? call->time_ns : bpf_ktime_get_boot_ns(),
        .connection = session->connection ? session->connection : session->id,
        .process_start_ns = task->group_leader->start_boottime,
        .position = session->bases[call->dir & 1] + offset,
        .tgid = task->tgid,
        .tid = task->pid,
        .length = length,
    };
    asm volatile("" : "+r"(wanted));
    if (wanted == 0 || wanted > FT_CAPTURE_MAX)
        wanted = 0;
    else if (bpf_probe_read_user(scratch->data, wanted, (const void *)call->buffer))
        wanted = 0;
    if (!wanted)
        count_call(c, FT_COPY_FAILED);
    scratch->record.captured = wanted;
    tls_output(scratch, session, wanted, c);
    give_scratch(scratch);
}

/*
 * A server may refuse early data (RFC 8446, 4.2.10), and then it goes again as data: what it was is
 * not told, nor from where on both ends count alike.
 */
static __always_inline void pass_early_data(struct tls_session *session, struct ft_counters *c)
{
    session->facts.has_starts = 0;
    session->told = 0;
    count_call(c, FT_EARLY_DATA);
}

static __always_inline void finish_call(const struct tls_call *call, struct tls_session *session,
                                        u32 length, const struct task_struct *task)
{
    enum ft_counter why = FT_IGNORED;
    struct ft_counters *c = call_counters();
    u64 offset;
    u32 head;

    if (!c)
        return;
    count_call(c, FT_OPERATIONS);
    if (length == 0) {
        count_call(c, FT_NO_BYTES);
        return;
    }
    if (!session) {
        count_call(c, FT_NO_STORAGE);
        return;
    }
    offset = session->clear[call->dir & 1];
    session->clear[call->dir & 1] = offset + length;
    if (session->own) {
        count_call(c, FT_OWN);
        return;
    }
    if (call->early) {
        pass_early_data(session, c);
        return;
    }
    head = verdict_of(session->connection ? session->connection : session->id, &session->told,
                      &why);
    if (head == 0) {
        count_call(c, why);
        return;
    }
    record_clear_text(call, session, offset, length, head, task, c);
}

static __always_inline void end_call(struct tls_call *call, s32 result,
                                     const struct task_struct *task)
{
    struct tls_session *session = bpf_map_lookup_elem(&tls_sessions, &call->key);
    u32 length = clear_length(call, result);

    call->active = 0;
    if (length == 0 && session && !session->connection && !is_judged(session))
        record_call(session, FT_KIND_CALL, call->dir, task);
    if (call->length_at)
        finish_call(call, session, length, task);
}

static __always_inline int tls_leave(struct pt_regs___call *regs)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct tls_call *call = bpf_task_storage_get(&tls_calls, task, NULL, 0);

    if (call && call->active && CALL_STACK(regs) == call->stack + CALL_RETURN_POPS)
        end_call(call, (s32)CALL_RESULT(regs), task);
    return 0;
}

/* ---- Go: no return probes on stacks that move ------------------------------------------------ */

/* Distance to the top of the goroutine's stack, negative: it stays when the stack is moved. */
static __always_inline u64 go_stack(const struct pt_regs___call *regs)
{
    struct go_stack { /* of runtime.g: its first member */
        u64 low, high;
    } bounds;

    if (bpf_probe_read_user(&bounds, sizeof(bounds), (const void *)GO_GOROUTINE(regs)))
        return 0;
    return CALL_STACK(regs) - bounds.high;
}

static __always_inline struct tls_call *find_go_call(const struct go_key *key)
{
    struct tls_call *call = bpf_map_lookup_elem(&go_calls, key);

    if (call)
        return call;
    bpf_map_update_elem(&go_calls, key, &no_call, BPF_NOEXIST);
    return bpf_map_lookup_elem(&go_calls, key);
}

static __always_inline void note_go_process(u32 tgid)
{
    u8 one = 1;

    if (bpf_map_lookup_elem(&go_processes, &tgid))
        return;
    bpf_map_update_elem(&go_processes, &tgid, &one, BPF_ANY);
    go_probes = 1;
}

/*
 * Another goroutine may read the answer before this call returns, so its clear text is told at its
 * beginning; where the connection is not known yet, at its end. A file that is probed under two
 * names (overlay file systems) is seen twice at one point: once is enough.
 */
static __always_inline void begin_go_write(struct tls_call *call, u64 stack,
                                           const struct pt_regs___call *regs,
                                           const struct task_struct *task)
{
    bool data = (u8)GO_ARG2(regs) == TLS_APPLICATION_DATA;

    if (call->active && call->stack == stack && call->buffer == GO_ARG3(regs))
        return;
    begin_call(call, stack, FT_DIR_OUT, GO_ARG3(regs), data ? TLS_LENGTH_IS_RESULT : 0);
    if (data && call->socket) {
        call->length_at = 0;
        finish_call(call, bpf_map_lookup_elem(&tls_sessions, &call->key), GO_ARG4(regs), task);
    }
}

static __always_inline int go_call(struct pt_regs___call *regs, enum ft_call what)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct go_key key = {.goroutine = GO_GOROUTINE(regs), .tgid = task->tgid};
    u64 stack = go_stack(regs);
    struct tls_call *call;

    if (what == FT_CALL_GO_FREE)
        return tls_forget(task, GO_ARG1(regs));
    if (what == FT_CALL_GO_RETURN) {
        call = bpf_map_lookup_elem(&go_calls, &key);
        if (call && call->active && stack == call->stack)
            end_call(call, (s32)GO_RESULT(regs), task);
        return 0;
    }
    note_go_process(key.tgid);
    call = find_go_call(&key);
    if (!call) {
        count_unseen();
        return 0;
    }
    if (is_inside(call, stack))
        return 0;
    call->key.object = GO_ARG1(regs);
    call->key.tgid = key.tgid;
    if (what == FT_CALL_GO_READ)
        begin_call(call, stack, FT_DIR_IN, GO_ARG2(regs), TLS_LENGTH_IS_RESULT);
    else if (what == FT_CALL_GO_WRITE)
        begin_go_write(call, stack, regs, task);
    else
        begin_call(call, stack, FT_DIR_OUT, 0, 0);
    return 0;
}

/* The call of the goroutine whose system call this is: the kernel entry kept its register. */
static __always_inline struct tls_call *current_go_call(struct task_struct *task)
{
    struct pt_regs___call *regs = (struct pt_regs___call *)bpf_task_pt_regs(task);
    struct go_key key = {.tgid = task->tgid};

    if (!go_probes || !bpf_map_lookup_elem(&go_processes, &key.tgid))
        return NULL;
    key.goroutine = GO_GOROUTINE(regs);
    return bpf_map_lookup_elem(&go_calls, &key);
}

/* ---- at the socket hooks -------------------------------------------------------------------- */

/* RFC 8446, 5.1: type, two bytes of version, length. */
static __always_inline bool is_record_header(const u8 *bytes)
{
    u32 length = (u32)bytes[3] << 8 | bytes[4];

    return bytes[0] >= 20 && bytes[0] <= 24 && bytes[1] == 3 && bytes[2] <= 4 && length > 0 &&
           length <= TLS_RECORD_MAX;
}

/* Where the system call's bytes begin, if they are certainly this socket's; else NULL. */
static __always_inline const void *first_bytes(const struct operation *op, enum ft_dir dir)
{
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(op->task);
    const void *place = (const void *)ARCH_ARG2(regs);
    struct user_msghdr message;
    struct iovec element;
    enum buffer_shape shape = dir == FT_DIR_OUT ? arch_send_shape(ARCH_SYSCALL(regs))
                                                : arch_receive_shape(ARCH_SYSCALL(regs));

    if (op->task->flags & PF_KTHREAD || ARCH_TASK_IS_32BIT(op->task) ||
        !is_descriptor_of(op->task, ARCH_ARG1(regs), op->sk))
        return NULL;
    if (shape == BUFFER_FLAT || shape == BUFFER_ADDRESS)
        return place;
    if (shape == BUFFER_MESSAGE) {
        if (bpf_probe_read_user(&message, sizeof(message), place))
            return NULL;
        place = message.msg_iov;
    } else if (shape != BUFFER_VECTOR) {
        return NULL;
    }
    return bpf_probe_read_user(&element, sizeof(element), place) ||
                   element.iov_len < TLS_HEADER_LEN ? NULL : element.iov_base;
}

/* The type of the record that the operation begins with, or 0. */
static __noinline int record_type(const struct operation *op, enum ft_dir dir)
{
    const void *place = op->length < TLS_HEADER_LEN ? NULL : first_bytes(op, dir);
    u8 header[TLS_HEADER_LEN];

    if (!place || bpf_probe_read_user(header, sizeof(header), place) || !is_record_header(header))
        return 0;
    return header[0];
}

/*
 * What began as something else (a tunnel, STARTTLS), is older than the probes, or has TLS in TLS is
 * another connection to user space: its streams have nothing to do with what was before.
 */
static __always_inline u64 clear_connection(const struct sock_state *state, bool whole)
{
    struct ft_counters *c = this_cpu_counters();

    return (whole && !state->tls) || !c ? state->id : new_connection_id(c);
}

/* From here on the session's clear text is the connection's stream. */
static __noinline void bind_session(const struct operation *op, enum ft_dir dir,
                                    bool handshake, struct sock_state *state,
                                    struct tls_session *session)
{
    struct tcp_sock *tp = socket_tcp(op->sk);
    bool whole;
    u64 out, in;

    if (!tp)
        return;
    find_positions(tp, state);
    out = state->positions[FT_DIR_OUT] - (dir == FT_DIR_OUT ? op->length : 0);
    in = state->positions[FT_DIR_IN] - (dir == FT_DIR_IN ? op->length : 0);
    fill_ends(op->sk, state, &session->facts);
    fill_facts(op->sk, state, op->task->group_leader, &session->facts);
    session->facts.secure = 1;
    /* The opener's own start counts its SYN. */
    whole = in == state->starts[FT_DIR_IN] && (out == state->starts[FT_DIR_OUT] ||
                                               out == state->starts[FT_DIR_OUT] + 1);
    /* From a handshake on, wherever that is, the clear text is known from its first byte. */
    session->facts.starts[FT_DIR_OUT] = out;
    session->facts.starts[FT_DIR_IN] = in;
    session->facts.has_starts = handshake;
    session->bases[FT_DIR_OUT] = out;
    session->bases[FT_DIR_IN] = in;
    session->clear[FT_DIR_OUT] = session->clear[FT_DIR_IN] = 0;
    session->told = 0;
    session->own = state->own;
    session->socket = state->id;
    session->connection = clear_connection(state, whole);
    state->clear_id = session->connection;
    state->tls = 1;
    state->handshake = handshake ? 1u << FT_DIR_IN | 1u << FT_DIR_OUT : 0;
    state->record_left[FT_DIR_IN] = state->record_left[FT_DIR_OUT] = 0;
}

/* Is what this operation moved the cipher text of a TLS connection? *ret_why is how it counts. */
static __always_inline bool is_cipher_text(const struct operation *op, enum ft_dir dir,
                                           struct sock_state *state, enum ft_counter *ret_why)
{
    struct tls_session *session;
    struct tls_call *call;
    int type;

    if (!tls_probes)
        return false;
    *ret_why = FT_CIPHER_TEXT;
    call = bpf_task_storage_get(&tls_calls, op->task, NULL, 0);
    if (!call || !call->active)
        call = current_go_call(op->task);
    if (!call || !call->active) {
        *ret_why = FT_CIPHER_OUTSIDE;
        return state->tls;
    }
    if (call->socket == state->id)
        return state->tls;
    session = bpf_map_lookup_elem(&tls_sessions, &call->key);
    type = session ? record_type(op, dir) : 0;
    if (session && type) {
        bind_session(op, dir, type == TLS_HANDSHAKE, state, session);
        call->socket = state->id;
    }
    return state->tls;
}
