/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an OTLP exporter is, whatever its transport: settings, endpoints, files of TLS, and the way
 * of a batch from one endpoint to the next. Its struct begins with a struct otlp_common.
 *
 * Of several endpoints one is in use until it does not take a batch now and says no time to come
 * again; the batch then goes to the next one at once, and only when none took it, it is to be tried
 * again later.
 */
#pragma once

#include "exporters/otlp/settings.h"
#include "exporters/otlp/tls.h"

#define OTLP_REASON_MAX 400

struct otlp_common {
    const char *name; /* the exporter's, for what is logged */
    struct otlp_choice choice;
    struct otlp_tls tls;
    bool has_tls;
    size_t n_endpoints;
    size_t current; /* the endpoint in use */
    const _Atomic bool *stopping;
    char reason[OTLP_REASON_MAX];
};

/*
 * Settings and environment; what is wrong is logged. Returns 0 or a negative errno;
 * otlp_common_done is fine after both.
 */
int otlp_common_open(const char *name, const struct exporter_options *options,
                     struct otlp_common *ret_common);
void otlp_common_done(struct otlp_common *common);

enum otlp_origin {
    OTLP_GIVEN,     /* behind --export */
    OTLP_OF_SIGNAL, /* OTEL_EXPORTER_OTLP_TRACES_ENDPOINT */
    OTLP_GENERAL,   /* OTEL_EXPORTER_OTLP_ENDPOINT, or the default */
};

/*
 * Takes the next endpoint as number common->n_endpoints, and says whether it is one of TLS. Returns
 * 0, or a negative errno and in *ret_problem what is wrong with the text (NULL: it is logged).
 */
typedef int (*otlp_endpoint_sink)(struct otlp_common *common, const char *text,
                                  enum otlp_origin origin, bool *ret_tls,
                                  const char **ret_problem);

/*
 * Gives each endpoint of the target, of the environment or of `fallback` to the sink, and reads the
 * files of TLS where one of them needs these. Logs what is wrong, but neither what may be a
 * password nor a query. Returns 0 or a negative errno.
 */
int otlp_open_endpoints(struct otlp_common *common, const char *target, const char *fallback,
                        otlp_endpoint_sink sink);

/* How many bytes of an endpoint may be shown: not its query, which may hold a key; at most 200. */
int otlp_shown(const char *endpoint);

/* The outcome of what could not be done here: no memory may pass, other errors never do. */
struct export_outcome otlp_failed(struct otlp_common *common, const char *what, int error);

/* One try, at endpoint common->current, without its bytes. */
typedef struct export_outcome (*otlp_attempt)(struct otlp_common *common, void *arg);

/*
 * Looks at the files of TLS (renewed: `renew` is called, and new connections begin), then tries one
 * endpoint after the other until somebody answers. `bytes`: of each try.
 */
struct export_outcome otlp_send_anywhere(struct otlp_common *common, size_t bytes,
                                         void (*renew)(struct otlp_common *common),
                                         otlp_attempt attempt, void *arg);
