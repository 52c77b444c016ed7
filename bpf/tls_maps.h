/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is remembered of TLS: sessions, and the calls in progress; tls.bpf.h says how it is used. */
#pragma once

#include "maps.h"

/* One TLS object of one process. */
struct tls_key {
    u64 object;
    u32 tgid;
    u32 zero;
};

struct tls_session {
    u64 id;         /* FT_SESSION_ID and a number */
    u64 socket;     /* the id of the connection that moves the cipher text; 0: not known here */
    u64 connection; /* the clear text's */
    u64 bases[2];   /* by direction: position of the first clear byte */
    u64 clear[2];   /* clear bytes since then */
    u32 told;       /* user space has the facts */
    u32 own;
    struct ft_facts facts;
};

static const struct tls_session no_session = {};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, FT_TLS_SESSIONS);
    __type(key, struct tls_key);
    __type(value, struct tls_session);
} tls_sessions SEC(".maps");

#define TLS_LENGTH_IS_RESULT 1 /* for tls_call.length_at */

/* The thread's TLS call in progress, or its last one. */
struct tls_call {
    struct tls_key key;
    u64 socket; /* the session's, 0: not known */
    u64 buffer;
    u64 length_at; /* where the length is written; 0: the call moves no clear text */
    u64 stack;     /* the stack pointer at entry */
    u64 time_ns;   /* CLOCK_BOOTTIME at entry */
    u32 dir;
    u16 active;
    u16 early; /* it moves early data */
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct tls_call);
} tls_calls SEC(".maps");

/* Go: a goroutine's calls, since it may go on in another thread. */
struct go_key {
    u64 goroutine;
    u32 tgid;
    u32 zero;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, FT_GO_CALLS);
    __type(key, struct go_key);
    __type(value, struct tls_call);
} go_calls SEC(".maps");

/* Only in these processes is it worth asking which goroutine it is. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, FT_GO_PROCESSES);
    __type(key, u32);
    __type(value, u8);
} go_processes SEC(".maps");

static const struct tls_call no_call = {};

/* Shared words (mapped into user space). */
__u32 tls_probes; /* files with probes: 0 keeps the socket hooks from asking */
__u64 tls_sessions_made;
__u32 go_probes; /* was any Go program seen to use TLS? */
