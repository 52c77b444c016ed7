/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `flowtrace-agent emit`: one event from a shell script to the receivers of the agent that runs on
 * this host. argv[0] is "emit". Exit status: 0 where the event was taken, 1 where it was not or
 * nobody listens, 2 for a wrong call.
 */
#pragma once

int emit_main(int argc, char **argv);
