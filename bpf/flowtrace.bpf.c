/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel side: what TCP sockets carry, seen where the kernel has just sent or received it.
 *
 *   sock_send_length  \                                    counted at entry, always
 *                      > operation -> whose? -> wanted? -> record -> ring -> doorbell
 *   sock_recv_length  /
 *   inet_sock_set_state  -> close records; the agent's own export connections
 *
 * Why these hooks: the two BTF tracepoints (Linux 6.3) run after the operation, in the task that
 * did it, with the socket and the number of bytes, and cost nothing to any other system call.
 *
 * The rules that everything here follows: bytes are copied only where the buffer is certainly this
 * socket's; a record always tells the true length and position; no path ends uncounted.
 */
#include "kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "arch.h"
#include "maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define FILL_LOOK 16         /* records between two looks at how full the ring is */
#define ENTRIES_READ_TWICE 3 /* tries to see two counters of a socket in one state */

static __always_inline struct ft_counters *this_cpu_counters(void)
{
    u32 zero = 0;

    return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline void count(struct ft_counters *c, enum ft_counter id)
{
    c->values[id]++;
}

/* ---- the connection ------------------------------------------------------------------------- */

/*
 * Absolute positions: the sequence number of the stream's first byte plus the bytes since then, as
 * 64 bits. The kernel's totals give both for connections of any age. An ACK may be processed on
 * another CPU between two loads, hence the second look.
 */
static __always_inline void find_positions(const struct tcp_sock *tp, struct sock_state *state)
{
    for (int i = 0; i < ENTRIES_READ_TWICE; i++) {
        u32 acked_to = tp->snd_una, received_to = tp->rcv_nxt;
        u64 acked = tp->bytes_acked, received = tp->bytes_received;

        state->starts[FT_DIR_OUT] = acked_to - (u32)acked;
        state->starts[FT_DIR_IN] = received_to - (u32)received;
        state->positions[FT_DIR_OUT] =
            state->starts[FT_DIR_OUT] + acked + (s32)(tp->write_seq - acked_to);
        state->positions[FT_DIR_IN] =
            state->starts[FT_DIR_IN] + received - (s32)(received_to - tp->copied_seq);
        if (acked_to == tp->snd_una && acked == tp->bytes_acked && received_to == tp->rcv_nxt &&
            received == tp->bytes_received)
            return;
    }
}

static __always_inline bool is_own_connection(const struct sock_state *state)
{
    /* Seen from the accepting end: what comes in was sent by the opener. */
    struct own_key key = {.opener_start = (u32)state->starts[FT_DIR_IN],
                          .peer_start = (u32)state->starts[FT_DIR_OUT]};

    return bpf_map_lookup_elem(&own_connections, &key) != NULL;
}

static __always_inline u64 new_connection_id(struct ft_counters *c)
{
    return (u64)(bpf_get_smp_processor_id() + 1) << 45 | ++c->connections;
}

static __always_inline struct sock_state *find_connection(struct sock *sk, struct ft_counters *c)
{
    struct sock_state *state = bpf_sk_storage_get(&sock_states, sk, NULL, 0);
    struct tcp_sock *tp;

    if (state && state->id)
        return state;
    state = bpf_sk_storage_get(&sock_states, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    tp = bpf_skc_to_tcp_sock(sk);
    if (!state || !tp)
        return NULL;
    find_positions(tp, state);
    state->own |= is_own_connection(state);
    state->id = new_connection_id(c);
    return state;
}

/* The 64-bit position that ends in `sequence` and is nearest to the last one. Returns the start. */
static __always_inline u64 advance(struct sock_state *state, enum ft_dir dir, u32 sequence,
                                   u32 length)
{
    u64 last = state->positions[dir];
    u64 end = last + (s64)(s32)(sequence - (u32)last);

    state->positions[dir] = end;
    return end - length;
}

/* Where the operation ended. The read of the last byte may take the FIN too, which is no byte. */
static __always_inline u32 end_sequence(const struct sock *sk, const struct tcp_sock *tp,
                                        enum ft_dir dir)
{
    bool finished = sk->__sk_common.skc_flags & (1ul << SOCK_DONE);
    u32 copied;

    if (dir == FT_DIR_OUT)
        return tp->write_seq;
    copied = tp->copied_seq;
    return finished && copied == tp->rcv_nxt ? copied - 1 : copied;
}

/* ---- facts ---------------------------------------------------------------------------------- */

static __always_inline void fill_addresses(const struct sock *sk, struct ft_facts *facts)
{
    const struct sock_common *common = &sk->__sk_common;

    facts->family = common->skc_family;
    facts->local_port = common->skc_num;
    facts->remote_port = __builtin_bswap16(common->skc_dport);
    if (facts->family == AF_INET) {
        *(u32 *)facts->local_address = common->skc_rcv_saddr;
        *(u32 *)facts->remote_address = common->skc_daddr;
    } else {
        BPF_CORE_READ_INTO(&facts->local_address, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
        BPF_CORE_READ_INTO(&facts->remote_address, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
    }
}

static __always_inline void fill_facts(const struct sock *sk, const struct sock_state *state,
                                       const struct task_struct *leader, struct ft_facts *facts)
{
    facts->kind = FT_KIND_FACTS;
    facts->netns = sk->__sk_common.skc_net.net->ns.inum;
    facts->starts[FT_DIR_IN] = state->starts[FT_DIR_IN];
    facts->starts[FT_DIR_OUT] = state->starts[FT_DIR_OUT];
    facts->cgroup_id = bpf_get_current_cgroup_id();
    facts->transport = IPPROTO_TCP;
    fill_addresses(sk, facts);
    bpf_probe_read_kernel_str(facts->comm, sizeof(facts->comm), leader->comm);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* Is the descriptor that the system call was given this socket's? */
static __always_inline bool is_descriptor_of(const struct task_struct *task, unsigned long fd,
                                             const struct sock *sk)
{
    const struct fdtable *table = task->files->fdt;
    struct file *file = NULL;

    if ((u32)fd >= table->max_fds)
        return false;
    bpf_probe_read_kernel(&file, sizeof(file), &table->fd[(u32)fd]);
    return file && file == sk->sk_socket->file;
}

struct vector_copy {
    struct scratch *scratch;
    const struct iovec *vector;
    u32 n;
    u32 wanted;
    u32 copied;
    bool failed;
};

/* One element of the vector; returns 1 to end the loop. */
static long copy_element(u32 i, void *arg)
{
    struct vector_copy *copy = arg;
    struct iovec element;
    u32 offset = copy->copied, n;

    if (i >= copy->n || offset >= copy->wanted || offset >= FT_CAPTURE_MAX)
        return 1;
    if (bpf_probe_read_user(&element, sizeof(element), &copy->vector[i])) {
        copy->failed = true;
        return 1;
    }
    n = copy->wanted - offset;
    if (element.iov_len < n)
        n = (u32)element.iov_len;
    if (n > FT_IOVEC_BYTES_MAX) {
        n = FT_IOVEC_BYTES_MAX;
        copy->n = 0; /* what follows would leave a hole */
    }
    n &= FT_IOVEC_BYTES_MAX;
    if (n == 0)
        return 0;
    if (bpf_probe_read_user(copy->scratch->data + (offset & (FT_CAPTURE_MAX - 1)), n,
                            element.iov_base)) {
        copy->failed = true;
        return 1;
    }
    copy->copied = offset + n;
    return 0;
}

static __always_inline u32 copy_vector(struct scratch *scratch, const struct iovec *vector,
                                       unsigned long n, u32 wanted, struct ft_counters *c)
{
    struct vector_copy copy = {
        .scratch = scratch, .vector = vector, .n = (u32)n, .wanted = wanted};

    bpf_loop(FT_IOVECS_MAX, copy_element, &copy, 0);
    if (copy.failed)
        count(c, FT_COPY_FAILED);
    return copy.copied;
}

static __always_inline u32 copy_message(struct scratch *scratch, const void *message, u32 wanted,
                                        struct ft_counters *c)
{
    struct user_msghdr header;

    if (bpf_probe_read_user(&header, sizeof(header), message)) {
        count(c, FT_COPY_FAILED);
        return 0;
    }
    return copy_vector(scratch, header.msg_iov, header.msg_iovlen, wanted, c);
}

static __always_inline u32 copy_flat(struct scratch *scratch, const void *buffer, u32 wanted,
                                     struct ft_counters *c)
{
    /* The barrier keeps the compiler from moving the check to where the verifier forgets it. */
    asm volatile("" : "+r"(wanted));
    if (wanted == 0 || wanted > FT_CAPTURE_MAX)
        return 0;
    if (bpf_probe_read_user(scratch->data, wanted, buffer)) {
        count(c, FT_COPY_FAILED);
        return 0;
    }
    return wanted;
}

/* Copies up to `wanted` (1 .. FT_CAPTURE_MAX) bytes of the operation; returns how many. */
static __always_inline u32 copy_bytes(struct scratch *scratch, const struct sock *sk,
                                      struct task_struct *task, enum ft_dir dir, u32 wanted,
                                      struct ft_counters *c)
{
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    enum buffer_shape shape;

    if (task->flags & PF_KTHREAD) {
        count(c, FT_NOT_CAPTURED);
        return 0;
    }
    if (ARCH_TASK_IS_32BIT(task)) {
        count(c, FT_COMPAT_TASK);
        return 0;
    }
    shape = dir == FT_DIR_OUT ? arch_send_shape(ARCH_SYSCALL(regs))
                              : arch_receive_shape(ARCH_SYSCALL(regs));
    if (shape == BUFFER_NONE) {
        count(c, FT_NOT_CAPTURED);
        return 0;
    }
    if (!is_descriptor_of(task, ARCH_ARG1(regs), sk)) {
        count(c, FT_FOREIGN_BUFFER);
        return 0;
    }
    if (shape == BUFFER_FLAT)
        return copy_flat(scratch, (const void *)ARCH_ARG2(regs), wanted, c);
    if (shape == BUFFER_VECTOR)
        return copy_vector(scratch, (const struct iovec *)ARCH_ARG2(regs), ARCH_ARG3(regs), wanted,
                           c);
    return copy_message(scratch, (const void *)ARCH_ARG2(regs), wanted, c);
}

/* ---- the ring ------------------------------------------------------------------------------- */

/*
 * Waking costs the traced program microseconds: only who asked for it is woken, and once. How full
 * the ring is need not be known to the record: every FILL_LOOK-th asks.
 */
static __always_inline u64 wake_flags(const struct ft_counters *c)
{
    u32 asked = doorbell;

    if (asked == FT_DOORBELL_AWAKE)
        return BPF_RB_NO_WAKEUP;
    if (asked == FT_DOORBELL_NAPPING &&
        (c->values[FT_OPERATIONS] % FILL_LOOK ||
         bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < ring_fill_mark))
        return BPF_RB_NO_WAKEUP;
    if (__sync_val_compare_and_swap(&doorbell, asked, FT_DOORBELL_AWAKE) != asked)
        return BPF_RB_NO_WAKEUP;
    return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void output(struct scratch *scratch, bool with_facts,
                                   struct ft_counters *c)
{
    u32 captured = scratch->record.captured;
    u64 flags = wake_flags(c);
    long r;

    if (captured > FT_CAPTURE_MAX) {
        count(c, FT_NO_RECORD);
        return;
    }
    if (with_facts)
        r = bpf_ringbuf_output(&ring, scratch,
                               sizeof(struct ft_facts) + sizeof(struct ft_record) + captured,
                               flags);
    else
        r = bpf_ringbuf_output(&ring, &scratch->record, sizeof(struct ft_record) + captured,
                               flags);
    count(c, r ? FT_RING_FULL : FT_RECORDS);
}

/*
 * Bytes wanted of an operation on this connection. 0: no record at all, for the reason that is
 * counted under *ret_why.
 */
static __always_inline u32 head_wanted(struct sock_state *state, enum ft_counter *ret_why)
{
    u32 slot = ft_verdict_slot(state->id);
    struct ft_verdict *verdict = bpf_map_lookup_elem(&verdicts, &slot);
    u64 what;

    if (state->own) {
        *ret_why = FT_OWN;
        return 0;
    }
    if (!verdict || verdict->id != state->id)
        return capture_head;
    what = verdict->what;
    switch (what >> 32) {
    case FT_VERDICT_IGNORE:
        *ret_why = FT_IGNORED;
        return 0;
    case FT_VERDICT_GIVE_UP:
        *ret_why = FT_GIVEN_UP;
        return 0;
    case FT_VERDICT_HEAD:
        return (u32)what;
    case FT_VERDICT_DESCRIBE:
        verdict->what = 0;
        state->tgid = 0;
        return capture_head;
    default:
        return capture_head;
    }
}

/* ---- one operation -------------------------------------------------------------------------- */

static __always_inline void fill_record(struct ft_record *record, const struct sock_state *state,
                                        enum ft_dir dir, u64 position, u32 length,
                                        const struct task_struct *task)
{
    record->kind = FT_KIND_DATA;
    record->dir = dir;
    record->reserved = 0;
    record->time_ns = bpf_ktime_get_boot_ns();
    record->connection = state->id;
    record->process_start_ns = task->group_leader->start_boottime;
    record->position = position;
    record->tgid = task->tgid;
    record->tid = task->pid;
    record->length = length;
    record->captured = 0;
}

static __always_inline void record_operation(struct sock *sk, struct sock_state *state,
                                             enum ft_dir dir, u64 position, u32 length, int flags,
                                             u32 head, struct task_struct *task,
                                             struct ft_counters *c)
{
    u32 key = dir, wanted = length < head ? length : head;
    struct scratch *scratch = bpf_map_lookup_elem(&scratches, &key);
    bool with_facts = state->tgid != task->tgid;

    if (!scratch) {
        count(c, FT_NO_RECORD);
        return;
    }
    fill_record(&scratch->record, state, dir, position, length, task);
    if (with_facts) {
        fill_facts(sk, state, task->group_leader, &scratch->facts);
        state->tgid = task->tgid;
    }
    if (flags & (MSG_TRUNC | MSG_OOB | MSG_ERRQUEUE))
        count(c, FT_BAD_FLAGS);
    else
        scratch->record.captured = copy_bytes(scratch, sk, task, dir, wanted, c);
    output(scratch, with_facts, c);
}

/*
 * The short ways out come first, the cheapest question before the dearer one: an operation that
 * nobody wants costs one look-up of the socket's storage and one of its verdict.
 */
static __always_inline int handle_operation(struct sock *sk, int moved, int flags, enum ft_dir dir)
{
    struct ft_counters *c = this_cpu_counters();
    struct task_struct *task = bpf_get_current_task_btf();
    enum ft_counter why = FT_IGNORED;
    struct sock_state *state;
    struct tcp_sock *tp;
    u64 position;
    u32 head;

    if (!c)
        return 0;
    count(c, FT_OPERATIONS);
    if (task->tgid == own_tgid)
        why = FT_OWN;
    else if (moved <= 0)
        why = FT_NO_BYTES;
    else if (sk->sk_protocol != IPPROTO_TCP)
        why = FT_NOT_TCP;
    else if (flags & MSG_PEEK)
        why = FT_PEEKED;
    if (why != FT_IGNORED) {
        count(c, why);
        return 0;
    }
    state = find_connection(sk, c);
    if (!state) {
        count(c, FT_NO_STORAGE);
        return 0;
    }
    head = head_wanted(state, &why);
    if (head == 0) {
        count(c, why);
        return 0;
    }
    tp = bpf_skc_to_tcp_sock(sk);
    if (!tp) {
        count(c, FT_NO_STORAGE);
        return 0;
    }
    position = advance(state, dir, end_sequence(sk, tp, dir), moved);
    record_operation(sk, state, dir, position, moved, flags, head, task, c);
    return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int moved, int flags)
{
    return handle_operation(sk, moved, flags, FT_DIR_OUT);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock *sk, int moved, int flags)
{
    return handle_operation(sk, moved, flags, FT_DIR_IN);
}

/* ---- state changes -------------------------------------------------------------------------- */

/*
 * The agent's own connection gets its mark while the agent is in connect(). The opener's end is
 * established before the other one is, so the key is there before the peer's first operation.
 */
static __always_inline void note_own_connection(struct sock *sk, int new_state)
{
    struct sock_state *state;
    struct tcp_sock *tp;

    if (new_state == TCP_SYN_SENT) {
        if (bpf_get_current_pid_tgid() >> 32 != own_tgid)
            return;
        state = bpf_sk_storage_get(&sock_states, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
        if (state)
            state->own = 1;
        return;
    }
    state = bpf_sk_storage_get(&sock_states, sk, NULL, 0);
    tp = bpf_skc_to_tcp_sock(sk);
    if (state && state->own && tp) {
        struct own_key key = {.opener_start = tp->write_seq, .peer_start = tp->rcv_nxt};
        u8 one = 1;

        bpf_map_update_elem(&own_connections, &key, &one, BPF_ANY);
    }
}

static __always_inline void record_close(struct sock *sk)
{
    struct sock_state *state = bpf_sk_storage_get(&sock_states, sk, NULL, 0);
    struct ft_counters *c = this_cpu_counters();
    struct ft_record record = {.kind = FT_KIND_CLOSE};
    enum ft_counter why;

    if (!c || !state || state->id == 0 || head_wanted(state, &why) == 0)
        return;
    record.time_ns = bpf_ktime_get_boot_ns();
    record.connection = state->id;
    if (bpf_ringbuf_output(&ring, &record, sizeof(record), wake_flags(c)))
        count(c, FT_CLOSE_LOST);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state)
{
    if (sk->sk_protocol != IPPROTO_TCP)
        return 0;
    if (new_state == TCP_SYN_SENT || (new_state == TCP_ESTABLISHED && old_state == TCP_SYN_SENT))
        note_own_connection(sk, new_state);
    else if (new_state == TCP_CLOSE)
        record_close(sk);
    return 0;
}

/* Run once by the agent itself: whatever pid namespace it lives in, this is its number here. */
SEC("syscall")
int learn_own_tgid(void *context)
{
    own_tgid = bpf_get_current_pid_tgid() >> 32;
    return 0;
}
