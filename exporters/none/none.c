/* SPDX-License-Identifier: Apache-2.0 */
/* The exporter that takes everything and sends nothing: for measuring the agent alone. */
#include "exporters/exporter.h"

static int none_open(const struct exporter_options *options, void **ret_exporter)
{
    *ret_exporter = NULL;
    return 0;
}

static struct export_outcome none_send(void *exporter, const struct batch *batch)
{
    return (struct export_outcome){.result = EXPORT_OK};
}

static void none_close(void *exporter)
{
    /* Nothing was opened. */
}

const struct exporter_ops exporter_none = {
    .settings = {.name = "none"},
    .usage = "none                        spans are made and thrown away: to measure",
    .open = none_open,
    .send = none_send,
    .close = none_close,
};
