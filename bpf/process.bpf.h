/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What programs processes run, noted when they begin to: user space reads /proc when a process
 * first uses a socket, and many are gone by then. Nothing goes through the ring: what a process
 * runs matters only if it uses a socket, which most never do.
 *
 *   exec  -> images[process, its how manyth program]: path, arguments, environment
 *   fork  -> origins[process]: whose image it goes on with
 *   exit  -> both are dropped, unless a socket was used: then the oldest go first
 */
#pragma once

#include "maps.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

static __always_inline struct ft_image_key image_key(const struct task_struct *leader)
{
    return (struct ft_image_key){.tgid = BPF_CORE_READ(leader, tgid),
                                 .exec_id = (u32)BPF_CORE_READ(leader, self_exec_id)};
}

/* Arguments and environment lie one behind the other; they were written just now. */
static __always_inline void copy_arguments(const struct task_struct *task, struct ft_image *image)
{
    u64 start = BPF_CORE_READ(task, mm, arg_start), end = BPF_CORE_READ(task, mm, env_end);
    u64 args = BPF_CORE_READ(task, mm, arg_end) - start, len = end - start;

    image->text_len = image->args_len = 0;
    if (end <= start)
        return;
    if (len > FT_IMAGE_TEXT)
        len = FT_IMAGE_TEXT;
    /* The barrier keeps the compiler from moving the check to where the verifier forgets it. */
    asm volatile("" : "+r"(len));
    if (len > FT_IMAGE_TEXT || bpf_probe_read_user(image->text, len, (const void *)start))
        return;
    image->text_len = (u32)len;
    image->args_len = args < len ? (u32)args : (u32)len;
}

static __always_inline void note_exec(const struct task_struct *task,
                                      const struct linux_binprm *program)
{
    const struct task_struct *leader = BPF_CORE_READ(task, group_leader);
    struct ft_image_key key = image_key(leader);
    u32 zero = 0;
    struct ft_image *image = bpf_map_lookup_elem(&image_scratch, &zero);

    if (!image)
        return;
    image->process_start_ns = BPF_CORE_READ(leader, start_boottime);
    image->inode = BPF_CORE_READ(program, file, f_inode, i_ino);
    image->used = 0;
    if (bpf_probe_read_kernel_str(image->path, sizeof(image->path),
                                  BPF_CORE_READ(program, interp)) < 0)
        image->path[0] = '\0';
    copy_arguments(task, image);
    bpf_map_update_elem(&images, &key, image, BPF_ANY);
}

/* The parent may go on with somebody else's image itself. */
static __always_inline void note_fork(const struct task_struct *parent,
                                      const struct task_struct *child)
{
    const struct task_struct *leader = BPF_CORE_READ(parent, group_leader);
    struct ft_image_key key = image_key(leader);
    u32 tgid = BPF_CORE_READ(child, tgid);
    struct ft_origin origin = {.image = key,
                               .origin_start_ns = BPF_CORE_READ(leader, start_boottime)};
    struct ft_origin *of_parent = bpf_map_lookup_elem(&origins, &key.tgid);

    if (tgid != (u32)BPF_CORE_READ(child, pid)) /* a thread */
        return;
    if (of_parent && of_parent->process_start_ns == origin.origin_start_ns &&
        of_parent->image.exec_id == key.exec_id)
        origin = *of_parent;
    origin.process_start_ns = BPF_CORE_READ(child, start_boottime);
    origin.used = 0;
    bpf_map_update_elem(&origins, &tgid, &origin, BPF_ANY);
}

static __always_inline void note_exit(const struct task_struct *task)
{
    struct ft_image_key key = image_key(BPF_CORE_READ(task, group_leader));
    struct ft_origin *origin;
    struct ft_image *image;

    if (BPF_CORE_READ(task, signal, live.counter) > 0) /* other threads go on */
        return;
    image = bpf_map_lookup_elem(&images, &key);
    if (image && !image->used)
        bpf_map_delete_elem(&images, &key);
    origin = bpf_map_lookup_elem(&origins, &key.tgid);
    if (origin && !origin->used)
        bpf_map_delete_elem(&origins, &key.tgid);
}

/* The process uses a socket: user space will ask what it runs. Returns the image's number. */
static __noinline u32 note_use(const struct task_struct *leader)
{
    struct ft_image_key key = image_key(leader);
    struct ft_image *image = bpf_map_lookup_elem(&images, &key);
    struct ft_origin *origin = image ? NULL : bpf_map_lookup_elem(&origins, &key.tgid);

    if (origin && origin->image.exec_id == key.exec_id) {
        origin->used = 1;
        image = bpf_map_lookup_elem(&images, &origin->image);
    }
    if (image)
        image->used = 1;
    return key.exec_id;
}
