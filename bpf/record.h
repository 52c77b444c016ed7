/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel side and agent/source/bpf.c share: the records of the ring, the verdicts, the
 * counters and the doorbell. Not a file format: both sides are always of one build.
 *
 *   ring record:   [struct ft_facts]  struct ft_record  captured bytes
 *                  ^ only where the connection is new to user space, or to this process
 *
 * Both structs begin with `kind`, which tells them apart.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define FT_CAPTURE_MAX 16384u /* bytes of one operation, at most */
#define FT_IOVEC_BYTES_MAX 8191u /* of them from one element of a vector */
#define FT_IOVECS_MAX 256 /* gRPC libraries send a message in dozens of slices */
#define FT_VERDICTS 65536u /* a power of two */
#define FT_OWN_CONNECTIONS 1024
#define FT_SENDERS 4096
#define FT_STATE_TABLE 65536
#define FT_COMM_LEN 16
#define FT_PATH_LEN 108 /* of a UNIX socket's name */
#define FT_TLS_SESSIONS 16384
#define FT_GO_CALLS 16384
#define FT_GO_PROCESSES 4096
#define FT_IMAGES 1024
#define FT_ORIGINS 8192
#define FT_IMAGE_PATH 256
#define FT_IMAGE_TEXT 4096u /* bytes of arguments and environment */
#define FT_SESSION_ID (1ull << 63) /* in a session's id, never in a stream's */

enum ft_kind {
    FT_KIND_FACTS = 1,
    FT_KIND_DATA = 2,
    FT_KIND_CLOSE = 3,
    FT_KIND_CLEAR = 4, /* as DATA: what a TLS call moved, on its connection or its session */
    FT_KIND_CALL = 5,  /* a TLS call that moved nothing, on a session: no operation */
    FT_KIND_HANDSHAKE = 6, /* the clear part of a TLS handshake, beside the operation */
};

/* What a probe in a TLS library is at: the cookie of the probe. */
enum ft_call {
    FT_CALL_READ = 1, /* (object, buffer, size), returns the length */
    FT_CALL_WRITE,
    FT_CALL_READ_EX, /* (object, buffer, size, size_t *length), returns whether */
    FT_CALL_WRITE_EX,
    FT_CALL_HANDSHAKE, /* (object): moves no clear text, but tells the connection */
    FT_CALL_FREE,      /* (object) */
    FT_CALL_READ_EARLY, /* as _EX: early data, of which only the length is told */
    FT_CALL_WRITE_EARLY,
    /* Go's own convention, and its returns are points in the function. */
    FT_CALL_GO_READ, /* (object, slice), returns the length */
    FT_CALL_GO_WRITE, /* (object, record type, slice), returns the length */
    FT_CALL_GO_HANDSHAKE, /* (object) */
    FT_CALL_GO_RETURN,
    FT_CALL_GO_FREE, /* (object) */
};

enum ft_dir { FT_DIR_IN = 0, FT_DIR_OUT = 1 };

/* The agent's enum transport has the same numbers: IPPROTO_* where there is one. */
enum ft_transport {
    FT_TRANSPORT_NONE = 0,
    FT_TCP = 6,
    FT_UDP = 17,
    FT_UNIX_STREAM = 201,
    FT_UNIX_SEQPACKET = 202,
    FT_UNIX_DATAGRAM = 203,
    FT_MPTCP = 204,
};

/* For whom the doorbell is rung (FT_DOORBELL_* are the values of the shared word). */
enum ft_doorbell {
    FT_DOORBELL_AWAKE = 0,   /* nobody: user space is draining */
    FT_DOORBELL_NAPPING = 1, /* at the fill mark: a timer will wake user space otherwise */
    FT_DOORBELL_ASLEEP = 2,  /* at the next record */
};

struct ft_facts {
    __u32 kind;
    __u32 netns;
    __u64 starts[2]; /* by direction: stream position of the first byte, low 32 bits its sequence */
    __u64 cgroup_id;
    __u16 local_port; /* host byte order */
    __u16 remote_port;
    __u16 family;
    __u8 transport;       /* enum ft_transport */
    __u8 has_starts;      /* the starts are those of the stream, and both ends know the same */
    __u8 local_address[16]; /* IPv4: the first four bytes; UNIX: nothing */
    __u8 remote_address[16];
    char comm[FT_COMM_LEN];
    /* UNIX: the name of the peer, or where it has none, the own one. It may begin with a NUL. */
    __u8 path_is_remote;
    __u8 path_len;
    __u8 secure; /* the bytes are the clear text of a TLS connection */
    __u8 reserved;
    __u32 remote_tgid; /* UNIX streams: who connected, or who listened; else 0 */
    __u8 path[FT_PATH_LEN];
    __u32 exec_id; /* of the process: see ft_image_key */
};

struct ft_record {
    __u32 kind;
    __u16 dir;
    __u16 reserved;
    __u64 time_ns; /* CLOCK_BOOTTIME */
    __u64 connection;
    __u64 process_start_ns; /* CLOCK_BOOTTIME */
    __u64 position;
    __u32 tgid;
    __u32 tid;
    __u32 length;   /* bytes that the operation moved */
    __u32 captured; /* bytes that follow */
};

/* A process, and which of the programs that it has executed. */
struct ft_image_key {
    __u32 tgid;
    __u32 exec_id; /* counted by the kernel, and inherited */
};

/* What the process was given to run. */
struct ft_image {
    __u64 process_start_ns; /* CLOCK_BOOTTIME */
    __u64 inode; /* of the file that is executed */
    __u32 used;  /* by a process that has used a socket */
    __u32 args_len; /* of text: NUL-terminated arguments, then the environment, */
    __u32 text_len; /* which may be cut */
    __u32 reserved;
    char path[FT_IMAGE_PATH];
    __u8 text[FT_IMAGE_TEXT];
};

/* By process: whose image it has gone on with since it was forked. */
struct ft_origin {
    __u64 process_start_ns;
    __u64 origin_start_ns; /* of the process image.tgid */
    struct ft_image_key image;
    __u32 used;
    __u32 reserved;
};

/* id 0: free. `what` is kind << 32 | head, so that it changes in one store. */
struct ft_verdict {
    __u64 id;
    __u64 what;
};

/* The numbers are enum verdict_kind's. After one record with facts DESCRIBE becomes DEFAULT. */
enum ft_verdict_kind {
    FT_VERDICT_DEFAULT = 0,
    FT_VERDICT_HEAD = 1,
    FT_VERDICT_IGNORE = 2,
    FT_VERDICT_DESCRIBE = 3,
    FT_VERDICT_GIVE_UP = 4,
    FT_VERDICT_CIPHER_TEXT = 5, /* nothing: the clear text comes from a session */
};

static inline __u32 ft_verdict_slot(__u64 connection)
{
    return (__u32)(connection ^ connection >> 45) & (FT_VERDICTS - 1);
}

/* Each operation adds one to OPERATIONS and one to exactly one of the counters up to NO_RECORD. */
enum ft_counter {
    FT_OPERATIONS,
    FT_RECORDS, /* reached the ring */
    FT_OTHER_SOCKET, /* neither TCP nor UDP nor UNIX */
    FT_TURNED_OFF,   /* of a kind that the settings leave out */
    FT_NO_BYTES,
    FT_PEEKED,
    FT_OWN,
    FT_IGNORED,
    FT_GIVEN_UP,
    FT_CIPHER_TEXT, /* the clear text is seen at the TLS call */
    FT_CIPHER_OUTSIDE, /* as that, but in no TLS call that is seen */
    FT_EARLY_DATA,
    FT_RING_FULL,
    FT_NO_STORAGE,
    FT_NO_RECORD,
    /* Why a record has no bytes. */
    FT_NOT_CAPTURED,
    FT_FOREIGN_BUFFER,
    FT_COMPAT_TASK,
    FT_BAD_FLAGS,
    FT_COPY_FAILED,
    FT_UNKNOWN_MESSAGE, /* of sendmmsg or recvmmsg: which of them is not certain */
    FT_CALLS_UNSEEN, /* a TLS call for which there was no memory */
    FT_CLOSE_LOST, /* a close record found the ring full */
    FT_HANDSHAKE_LOST, /* so did a part of a TLS handshake */
    FT_COUNTERS,
};

/* Keys of the counters' map: socket hooks and probes count apart (tls.bpf.h). */
enum { FT_COUNTERS_OF_HOOKS, FT_COUNTERS_OF_CALLS, FT_COUNTER_SETS };

struct ft_counters {
    __u64 values[FT_COUNTERS];
    __u64 connections; /* made on this CPU: the low part of the next id */
};
