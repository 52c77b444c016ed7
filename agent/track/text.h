/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the fields of messages are kept: blocks of a few sizes, each from a pool of its own, so
 * that ten thousand exchanges that begin at once cost what they say, not what they might say.
 *
 *   exchange -> [block: response's fields, values] -> [block: request's fields, values]
 */
#pragma once

#include "base/arena.h"
#include "base/pool.h"

#define TEXT_CLASSES 3
#define TEXT_MAX 4096 /* bytes in the largest block */

struct text_block;

struct texts {
    struct pool pools[TEXT_CLASSES];
};

/* For at most max_exchanges exchanges with two messages each. 0 or -ENOMEM; texts_done releases. */
int texts_init(struct texts *texts, size_t max_exchanges);
void texts_done(struct texts *texts);

/*
 * Puts a block of at least `size` bytes, or of TEXT_MAX where that is less, in front of *chain. The
 * arena is over that block and empty; its size is 0 where no block is left.
 */
struct arena texts_take(struct texts *texts, size_t size, struct text_block **chain);

/* Gives all blocks of the chain back and empties it. */
void texts_give(struct texts *texts, struct text_block **chain);
