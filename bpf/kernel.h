/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types, as far as they are read here, by hand: names and types of just those members,
 * which libbpf relocates to the running kernel (CO-RE). Order and padding mean nothing.
 */
#pragma once

/* Before Linux 6.4 some forms of a loop are refused, whatever its bound. */
#define UNROLL _Pragma("clang loop unroll(full)")

#define __VMLINUX_H__ /* keeps <linux/types.h> out of bpf_helpers.h's way */

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed int __s32;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0

enum bpf_map_type {
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PERCPU_ARRAY = 6,
    BPF_MAP_TYPE_LRU_HASH = 9,
    BPF_MAP_TYPE_SK_STORAGE = 24,
    BPF_MAP_TYPE_RINGBUF = 27,
    BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
    BPF_ANY = 0,
    BPF_NOEXIST = 1,
    BPF_F_NO_PREALLOC = 1 << 0,
    BPF_F_MMAPABLE = 1 << 10,
    BPF_SK_STORAGE_GET_F_CREATE = 1 << 0,
    BPF_LOCAL_STORAGE_GET_F_CREATE = 1 << 0,
    BPF_RB_NO_WAKEUP = 1 << 0,
    BPF_RB_FORCE_WAKEUP = 1 << 1,
    BPF_RB_AVAIL_DATA = 0,
};

/* Numbers of the kernel's interface: they do not change. */
enum {
    AF_UNIX = 1,
    AF_INET = 2,
    AF_INET6 = 10,
    IPPROTO_TCP = 6,
    IPPROTO_UDP = 17,
    IPPROTO_MPTCP = 262,
    S_IFMT = 0170000,
    S_IFSOCK = 0140000,
    SOCK_STREAM = 1,
    SOCK_DGRAM = 2,
    SOCK_SEQPACKET = 5,
    SHUTDOWN_MASK = 3,   /* of sk_shutdown: closed, not only half */
    UIO_MAXIOV = 1024,   /* messages of one sendmmsg or recvmmsg, at most */
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT = 2,
    TCP_CLOSE = 7,
    MSG_OOB = 0x1,
    MSG_PEEK = 0x2,
    MSG_TRUNC = 0x20,
    MSG_ERRQUEUE = 0x2000,
    PF_KTHREAD = 0x00200000,
    SOCK_DONE = 1, /* bit of sk_flags: the peer's FIN was received */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
    unsigned int inum;
};

struct net {
    struct ns_common ns;
};

typedef struct {
    struct net *net;
} possible_net_t;

struct in6_addr {
    union {
        __u8 u6_addr8[16];
    } in6_u;
};

struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    unsigned long skc_flags; /* sk_flags */
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
};

struct sock;
struct file;

struct inode {
    unsigned short i_mode;
    unsigned long i_ino;
};

struct file {
    struct inode *f_inode;
    void *private_data;
};

struct socket {
    struct file *file;
    struct sock *sk;
};

struct sk_buff_head {
    u32 qlen;
};

struct upid {
    int nr;
};

struct pid {
    struct upid numbers[1];
};

struct sock {
    struct sock_common __sk_common;
    struct socket *sk_socket;
    struct sk_buff_head sk_receive_queue;
    struct pid *sk_peer_pid;
    u16 sk_protocol;
    u16 sk_type;
    u8 sk_shutdown;
};

struct sockaddr_un {
    char sun_path[108];
};

struct unix_address {
    int len; /* of the name, its family included */
    struct sockaddr_un name[];
};

struct unix_sock {
    struct sock sk;
    struct unix_address *addr;
    struct sock *peer;
};

struct msghdr {
    void *msg_name;
    int msg_namelen;
};

struct tcp_sock {
    u32 copied_seq;
    u32 write_seq;
    u32 rcv_nxt;
    u32 snd_una;
    u64 bytes_received;
    u64 bytes_acked;
} __attribute__((aligned(8)));

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

struct thread_info {
    unsigned long flags;
    u32 status;
};

typedef struct {
    int counter;
} atomic_t;

struct signal_struct {
    atomic_t live; /* threads that have not ended */
};

struct mm_struct {
    unsigned long arg_start, arg_end, env_end;
};

struct task_struct {
    struct thread_info thread_info;
    unsigned int flags;
    int pid;  /* the thread's number */
    int tgid; /* the process's */
    u64 start_time; /* the thread's, monotonic */
    struct files_struct *files;
    struct task_struct *group_leader;
    struct signal_struct *signal;
    struct mm_struct *mm;
    u64 start_boottime;
    u64 self_exec_id; /* programs that it and its ancestors have executed */
    char comm[16];
};

struct linux_binprm {
    struct file *file;  /* the program, or of a script its interpreter, */
    const char *interp; /* and its path as it was given */
};

struct iovec {
    void *iov_base;
    unsigned long iov_len;
};

struct bpf_iter__task_file {
    struct task_struct *task;
    struct file *file;
};

#pragma clang attribute pop

/* ---- what user space hands to the kernel: never relocated ------------------------------------ */

struct user_msghdr { /* as much as is read */
    void *msg_name;
    int msg_namelen;
    struct iovec *msg_iov;
    unsigned long msg_iovlen;
};

struct user_mmsghdr {
    struct user_msghdr message;
    void *msg_control;
    unsigned long msg_controllen;
    unsigned msg_flags;
    unsigned : 32;
    unsigned length;
};

/* The forms of struct sockaddr that matter, one over the other. */
struct user_address {
    u16 family;
    union {
        struct {
            __be16 port;
            u32 v4; /* IPv6: the flow */
            u8 v6[16];
        } __attribute__((packed));
        char path[108];
    } __attribute__((packed));
} __attribute__((packed));

/* What cgroup programs on recvmsg see, as far as it is read (uapi structs of these names). */
struct bpf_sock {
    u32 unread[12];
    __be16 dst_port;
    u16 zero;
    u32 dst_ip4;
    u32 dst_ip6[4];
};

struct bpf_sock_addr {
    u32 user_family;
    u32 user_ip4;
    u32 user_ip6[4];
    u32 user_port;
    u32 unread[8];
    struct bpf_sock *sk;
};

/* Helpers that the floor of 5.15 does not have: asked for before they are used. */
enum bpf_func_id___later {
    BPF_FUNC_skc_to_unix_sock___later = 178, /* 5.16 */
    BPF_FUNC_loop___later = 181,             /* 5.17 */
};
