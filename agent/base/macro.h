/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few macros every room uses: scope-bound cleanup, ownership transfer, and sizes.
 *
 *   _cleanup_(x_freep) struct x *x = NULL;   x is released at the end of the scope, however it ends
 *   *ret_x = TAKE_PTR(x);                    unless it was given away
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(func) __attribute__((cleanup(func)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)                                                                                  \
    ({                                                                                             \
        typeof(a) min_a_ = (a);                                                                    \
        typeof(b) min_b_ = (b);                                                                    \
        min_a_ < min_b_ ? min_a_ : min_b_;                                                         \
    })
#define MAX(a, b)                                                                                  \
    ({                                                                                             \
        typeof(a) max_a_ = (a);                                                                    \
        typeof(b) max_b_ = (b);                                                                    \
        max_a_ > max_b_ ? max_a_ : max_b_;                                                         \
    })
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

/* Gives the pointer away: its cleanup then finds NULL. */
#define TAKE_PTR(ptr)                                                                              \
    ({                                                                                             \
        typeof(ptr) *take_slot_ = &(ptr);                                                          \
        typeof(ptr) take_value_ = *take_slot_;                                                     \
        *take_slot_ = NULL;                                                                        \
        take_value_;                                                                               \
    })

/* The same for a file descriptor, whose "nothing" is -1. */
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int *take_slot_ = &(fd);                                                                   \
        int take_value_ = *take_slot_;                                                             \
        *take_slot_ = -1;                                                                          \
        take_value_;                                                                               \
    })

/* Defines funcp(), what _cleanup_ calls; func must take NULL. */
#define DEFINE_CLEANUP(type, func)                                                                 \
    static inline _unused_ void func##p(type **ptr)                                                \
    {                                                                                              \
        func(*ptr);                                                                                \
        *ptr = NULL;                                                                               \
    }

static inline void freep(void *ptr)
{
    free(*(void **)ptr);
}

static inline void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
