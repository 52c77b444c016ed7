/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flowtrace-agent: arguments, settings, and one of five commands. Exit status: 0, 1 for what failed
 * while running, 2 for a wrong call.
 */
#include "agent.h"
#include "base/log.h"
#include "base/macro.h"
#include "check.h"
#include "check_export.h"
#include "config/settings.h"
#include "emit.h"
#include "exporters/exporter.h"
#include "options.h"
#include "source/source.h"

static void settings_freep(struct settings **settings)
{
    settings_free(*settings);
}

static int perform(const struct options *options, const struct settings *settings)
{
    if (options->print_config)
        return settings_print(settings, STDOUT_FILENO);
    switch (options->command) {
    case COMMAND_RUN:
        return agent_run(settings);
    case COMMAND_REPLAY:
        return agent_play(settings, &source_replay, options->file);
    case COMMAND_PCAP:
        return agent_play(settings, &source_pcap_file, options->file);
    case COMMAND_CHECK:
        return options->n_exports ? check_exports(settings)
                                  : check_host(settings, options->json);
    }
    return 0;
}

int main(int argc, char **argv)
{
    _cleanup_(options_done) struct options options;
    _cleanup_(settings_freep) struct settings *settings = NULL;
    enum log_level level;

    if (argc > 1 && strcmp(argv[1], "emit") == 0) {
        argv[1] = (char *)"flowtrace-agent emit";
        return emit_main(argc - 1, argv + 1);
    }
    if (options_parse(argc, argv, &options) < 0)
        return 2;
    if (settings_load(options.config, options.assignments, options.n_assignments, exporter_sections,
                      &settings) < 0)
        return 2;
    if (log_level_from_string(settings->log_level, &level) == 0)
        log_set_level(level);
    return perform(&options, settings) < 0 ? 1 : 0;
}
