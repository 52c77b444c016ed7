/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exporter is: it sends one sealed batch and says how that went. Queueing, back-off, retry
 * and accounting are the core's (worker.h), so an exporter is its encoding and its transport only.
 * *Keeping* batches until they are sent is an interface of its own (keep.h): memory now, disk
 * later.
 */
#pragma once

#include "base/bytes.h"
#include "config/setting.h"
#include "otlp/batch.h"

enum export_result {
    EXPORT_OK,        /* the backend has it */
    EXPORT_RETRY,     /* not now: keep it and come again */
    EXPORT_REFUSED,   /* never: the backend does not want it, and it is lost under that name */
    EXPORT_FAILED,    /* never: it cannot be sent from here, and is lost under that name */
    EXPORT_TOO_LARGE, /* not in one: come again with halves; a single span is lost so */
};

struct export_outcome {
    enum export_result result;
    uint64_t retry_after_ns; /* RETRY: the backend's wish, or 0 */
    uint64_t rejected_spans; /* OK: the backend took the batch but for these (partial success) */
    uint64_t bytes;          /* what was given to the transport, as it was given: compressed */
    bool reload_failed;      /* files of the settings changed, but what they were stays in use */
    /* One clause for people, of what is not OK or was rejected; valid until the next send. */
    const char *reason;
};

struct exporter_options {
    const char *target;   /* what stands behind the colon of --export, or "" */
    const void *settings; /* the struct of the exporter's section, filled */
    uint64_t send_timeout_ns;
    const _Atomic bool *stopping; /* set: give up waiting, answer RETRY */
};

struct exporter_ops {
    /* Its name is the word before the colon of --export, its rows are the settings NAME.KEY. */
    struct setting_section settings;

    const char *usage; /* "file:PATH  OTLP/JSON, one request per line" for --help */

    /* Checks the target and prepares; connects lazily. Logs what is wrong. 0 or negative errno. */
    int (*open)(const struct exporter_options *options, void **ret_exporter);

    /* Blocks until the outcome is known; only ever called by the exporter's own thread. */
    struct export_outcome (*send)(void *exporter, const struct batch *batch);

    /* NULL, or called by the same thread about four times a second while there is nothing to send,
     * for what is shown or written late. */
    void (*idle)(void *exporter);

    void (*close)(void *exporter); /* NULL is fine; what is held back is shown or written first */
};

/* All exporters of this build, NULL-terminated, and their sections. */
extern const struct exporter_ops *const exporters[];
extern const struct setting_section *const exporter_sections[];
