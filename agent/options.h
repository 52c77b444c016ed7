/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum command { COMMAND_RUN, COMMAND_REPLAY, COMMAND_PCAP, COMMAND_CHECK };

#define ASSIGNMENTS_MAX 128

struct options {
    enum command command;
    bool json;         /* check: for programs */
    bool print_config; /* instead of the command, which may then be missing */
    const char *config; /* file, or NULL */
    const char *file;   /* replay: the recording, pcap: the capture */
    size_t n_exports;   /* how often --export was given */
    size_t n_assignments;
    char *assignments[ASSIGNMENTS_MAX]; /* KEY=VALUE, in order; owned */
};

/*
 * Reads the arguments; --help, --version and errors end the program here (status 0, 0 and 2), as
 * argp does it. options_done frees.
 */
int options_parse(int argc, char **argv, struct options *ret_options);
void options_done(struct options *options);
