/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line, by argp. Every option that has a setting behind it becomes an assignment, so
 * that there is one way in: defaults, then the file, then the command line in its order.
 */
#include "options.h"

#include "base/buffer.h"
#include "exporters/exporter.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>

enum { KEY_EXPORT = 256, KEY_SOURCE, KEY_RECORD, KEY_SET, KEY_PRINT_CONFIG, KEY_JSON };

static const struct argp_option argp_options[] = {
    {"config", 'c', "FILE", 0, "Read settings from this YAML file (docs/configuration.md)", 1},
    {"export", KEY_EXPORT, "WHERE", 0, "Send spans there; may be given more than once. "
                                       "Without it: console", 1},
    {"source", KEY_SOURCE, "NAME", 0, "Where events come from: bpf (default), or "
                                      "pcap:INTERFACE", 1},
    {"record", KEY_RECORD, "FILE", 0, "Also write the events of what is selected to FILE "
                                      "(mode 0600), for replay", 1},
    {"set", KEY_SET, "KEY=VALUE", 0, "Set any setting; may be given more than once, lists take "
                                     "commas", 1},
    {"json", KEY_JSON, NULL, 0, "check: answer in JSON", 1},
    {"print-config", KEY_PRINT_CONFIG, NULL, 0,
     "Print all settings as YAML, as they would be used, and exit; needs no command", 2},
    {0},
};

/* argp folds at 79 columns: what is laid out by hand stays below that. */
static const char argp_doc[] =
    "Traces what programs say to each other, without touching them, as OpenTelemetry spans.\v"
    "Commands:\n"
    "  run           trace this host until SIGTERM or SIGINT; needs root, or\n"
    "                CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN\n"
    "  replay FILE   play a recording (--record) through the same core;\n"
    "                needs no rights\n"
    "  pcap FILE     read a packet capture (pcap, pcapng; - for standard input):\n"
    "                one span per exchange, from the server's side; needs no rights\n"
    "  check         say whether this host can be traced, and what is missing;\n"
    "                with --export: send a test span, say what the backend answers\n"
    "  emit          tell the agent that runs here of an event (emit --help)\n"
    "\n"
    "Examples:\n"
    "  flowtrace-agent run\n"
    "  flowtrace-agent run --export otlp:http://localhost:4317\n"
    "  flowtrace-agent run --export file:spans.jsonl --set select.ports=80\n"
    "  flowtrace-agent run --record run.ftr\n"
    "  flowtrace-agent replay run.ftr --export console\n"
    "  tcpdump -i any -w - tcp | flowtrace-agent pcap -\n"
    "  flowtrace-agent run --source pcap:eth0\n"
    "\n"
    "At the end run and replay print what was counted: operations seen, spans,\n"
    "every loss by name. Settings: docs/configuration.md.\n";

/* One more assignment "KEY=VALUE", or with an empty key whatever `value` says. */
static int assign(struct options *options, const char *key, const char *value)
{
    char *text;

    if (options->n_assignments == ASSIGNMENTS_MAX)
        return -E2BIG;
    if (asprintf(&text, "%s%s%s", key, *key ? "=" : "", value) < 0)
        return -ENOMEM;
    options->assignments[options->n_assignments++] = text;
    return 0;
}

struct parse {
    struct options *options;
    bool has_command;
};

/* The first replaces what the file says; a target may hold commas. */
static int take_export(struct options *options, const char *where)
{
    int r = options->n_exports++ ? 0 : assign(options, "exporters", "");

    return r < 0 ? r : assign(options, "exporters+", where);
}

static int take_command(struct parse *parse, const char *word, struct argp_state *state)
{
    static const char *const names[] = {"run", "replay", "pcap", "check"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        if (strcmp(word, names[i]) == 0) {
            parse->options->command = (enum command)i;
            parse->has_command = true;
            return 0;
        }
    argp_error(state, "no such command: %s (run, replay FILE, pcap FILE, check, emit)", word);
    return EINVAL;
}

static bool takes_file(enum command command)
{
    return command == COMMAND_REPLAY || command == COMMAND_PCAP;
}

static int take_argument(struct parse *parse, const char *word, struct argp_state *state)
{
    if (!parse->has_command)
        return take_command(parse, word, state);
    if (takes_file(parse->options->command) && !parse->options->file) {
        parse->options->file = word;
        return 0;
    }
    argp_error(state, "one argument too many: %s", word);
    return EINVAL;
}

static int finish(struct parse *parse, struct argp_state *state)
{
    if (parse->options->print_config)
        return 0;
    if (parse->options->json && (!parse->has_command || parse->options->command != COMMAND_CHECK))
        argp_error(state, "--json goes with check");
    else if (!parse->has_command)
        argp_error(state, "a command is needed: run, replay FILE, pcap FILE, check or emit");
    else if (takes_file(parse->options->command) && !parse->options->file)
        argp_error(state, "replay and pcap need a file");
    return 0;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct parse *parse = state->input;
    int r = 0;

    switch (key) {
    case 'c':
        parse->options->config = value;
        break;
    case KEY_EXPORT:
        r = take_export(parse->options, value);
        break;
    case KEY_SOURCE:
        r = assign(parse->options, "source", value);
        break;
    case KEY_RECORD:
        r = assign(parse->options, "record", value);
        break;
    case KEY_SET:
        r = assign(parse->options, "", value);
        break;
    case KEY_JSON:
        parse->options->json = true;
        break;
    case KEY_PRINT_CONFIG:
        parse->options->print_config = true;
        break;
    case ARGP_KEY_ARG:
        return take_argument(parse, value, state);
    case ARGP_KEY_END:
        return finish(parse, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (r < 0)
        argp_failure(state, 2, -r, "%s", value);
    return 0;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    fprintf(stream, "flowtrace-agent %s\n", FLOWTRACE_VERSION);
}

/* The exporters of this build, each with its own line. */
static char *list_exporters(int key, const char *text, void *input)
{
    struct buffer help = buffer_make(1 << 16);

    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    buffer_printf(&help, "%s\nWHERE is one of these, with settings of its own behind semicolons\n"
                         "(otlp:https://host:4317;ca=ca.pem, see docs/exporters.md):\n", text);
    for (size_t i = 0; exporters[i]; i++)
        buffer_printf(&help, "  %s\n", exporters[i]->usage);
    buffer_append(&help, "", 1);
    return (char *)help.ptr;
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
    static const struct argp argp = {
        .options = argp_options,
        .parser = parse_option,
        .args_doc = "run\nreplay FILE\npcap FILE\ncheck",
        .doc = argp_doc,
        .help_filter = list_exporters,
    };
    struct parse parse = {.options = ret_options};

    *ret_options = (struct options){0};
    argp_program_version_hook = print_version;
    argp_err_exit_status = 2;
    return -argp_parse(&argp, argc, argv, 0, NULL, &parse);
}

void options_done(struct options *options)
{
    for (size_t i = 0; i < options->n_assignments; i++)
        free(options->assignments[i]);
}
