/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every map of the kernel side, and the parameters that user space sets before loading. */
#pragma once

#include "kernel.h"

#include <bpf/bpf_helpers.h>

#include "record.h"

/* What is remembered of a socket, for as long as it lives. */
struct sock_state {
    u64 id;
    u64 positions[2]; /* by direction: the end of the last operation */
    u64 starts[2];
    u32 tgid;     /* whose facts user space has */
    u8 own;       /* one end of a connection that the agent exports on */
    u8 midway;    /* a UNIX stream that is older than the hooks: nobody knows how far it was */
    u8 transport; /* enum ft_transport */
    u64 inode;    /* by_address: the socket's file, since an address is used again */
    u64 clear_id; /* its clear text is seen at the TLS calls, as this connection (or 0): */
    u8 tls;       /* the same one where it began with TLS */
    u8 handshake; /* bit per direction: the clear part of its handshake goes on */
    u16 record_left[2]; /* by direction: bytes of the handshake's record that are still to come */
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct sock_state);
} sock_states SEC(".maps");

/* The task's sendmmsg or recvmmsg in progress, or its last one. */
struct batch {
    u64 array; /* the user's struct user_mmsghdr[] */
    u64 sk;
    u32 next; /* index of the next message */
    u8 known; /* looked at before */
    u8 sure;  /* `next` is certain */
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct batch);
} batches SEC(".maps");

/* From whom a datagram came: noted inside the system call, taken at its end by the same task. */
struct sender {
    u64 cookie;
    u16 family;
    u16 port; /* host byte order */
    u8 address[16];
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, FT_SENDERS);
    __type(key, u64); /* the task */
    __type(value, struct sender);
} senders SEC(".maps");

/* The same where a socket is only known by its address; otherwise of one entry. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, FT_STATE_TABLE);
    __type(key, u64);
    __type(value, struct sock_state);
} state_table SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4 << 20); /* set by user space before loading */
} ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, FT_VERDICTS);
    __type(key, u32);
    __type(value, struct ft_verdict);
} verdicts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, FT_COUNTER_SETS);
    __type(key, u32);
    __type(value, struct ft_counters);
} counters SEC(".maps");

/*
 * Where a record is put together before it goes to the ring with its exact length. One per hook:
 * the two can meet on one CPU, each with itself cannot (the kernel skips the inner run). Probes in
 * user functions can: they take one that is not busy.
 */
struct scratch {
    struct user_address address __attribute__((aligned(8)));
    struct ft_facts facts;
    struct ft_record record;
    u8 data[FT_CAPTURE_MAX];
    u8 slack[FT_IOVEC_BYTES_MAX + 1]; /* for the verifier, who knows offset and length only apart */
    u32 busy; /* for those of probes */
};

enum {
    FT_SCRATCHES_OF_HOOKS = 2, /* by direction */
    FT_SCRATCHES = FT_SCRATCHES_OF_HOOKS + 3,
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, FT_SCRATCHES);
    __type(key, u32);
    __type(value, struct scratch);
} scratches SEC(".maps");

/* Both ends of a connection know these two numbers, also behind NAT. */
struct own_key {
    u32 opener_start; /* sequence number of the first byte that the opener sends */
    u32 peer_start;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, FT_OWN_CONNECTIONS);
    __type(key, struct own_key);
    __type(value, u8);
} own_connections SEC(".maps");

/* What processes run: process.bpf.h. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, FT_IMAGES);
    __type(key, struct ft_image_key);
    __type(value, struct ft_image);
} images SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, FT_ORIGINS);
    __type(key, u32);
    __type(value, struct ft_origin);
} origins SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct ft_image);
} image_scratch SEC(".maps");

const volatile __u32 capture_head = 1024;       /* bytes per operation, unless a verdict says so */
const volatile __u64 ring_fill_mark = 1u << 20; /* bytes in the ring at which a nap is cut short */
const volatile __u64 unix_salt = 1;       /* random: no two hosts have the same positions */
const volatile bool by_address = false;   /* bpf/socket.bpf.h */
const volatile bool want_udp = true;
const volatile bool want_unix = true;

/* Shared words (mapped into user space). */
__u32 doorbell; /* enum ft_doorbell */
__u32 own_tgid; /* the agent, as the initial pid namespace numbers it */
__u64 attached_ns; /* CLOCK_MONOTONIC just before the hooks were attached */
__u32 settled;  /* all sockets that are older than the hooks are marked */
