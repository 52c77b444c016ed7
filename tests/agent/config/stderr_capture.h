/* SPDX-License-Identifier: Apache-2.0 */
/* What a call logs, as text: standard error goes to a memory file between begin and end. */
#pragma once

struct stderr_capture {
    int saved; /* the real standard error */
    int memory;
    char text[4096];
};

void stderr_capture_begin(struct stderr_capture *capture);

/* Restores standard error; capture->text then holds what was written. */
void stderr_capture_end(struct stderr_capture *capture);
