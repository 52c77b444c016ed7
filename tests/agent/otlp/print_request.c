/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the sample batch to standard output, for decoders that others wrote: print_request [json]
 */
#include "samples.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    _cleanup_(buffer_done) struct buffer out = buffer_make(1 << 20);
    struct batch *batch = sample_batch();
    int r = argc > 1 ? otlp_encode_json(batch, &out) : otlp_encode_request(batch, &out);

    batch_unref(batch);
    return r == 0 && fwrite(out.ptr, out.len, 1, stdout) == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
