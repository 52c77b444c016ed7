/* SPDX-License-Identifier: Apache-2.0 */
/* The spans, resources and batches that the tests of this room share. */
#pragma once

#include "otlp/batch.h"
#include "otlp/otlp.h"

/* Every field set, every type of attribute, one link; two texts are not UTF-8. */
void sample_full_span(struct span *span);

/* Nothing but ids, a name and times. */
void sample_bare_span(struct span *span);

/* Resource "shop" (text and integer) or "cart" (text). */
void sample_resource(const char *service, struct buffer *buffer);

/* Full and bare span of "shop" around a bare one of "cart"; the caller owns it. */
struct batch *sample_batch(void);
