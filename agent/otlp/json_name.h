/* SPDX-License-Identifier: Apache-2.0 */
/* The names that protobuf's fields have in JSON (protobuf.dev/programming-guides/json). */
#pragma once

#define JSON_NAME_SIZE 64 /* with the NUL: no field of OTLP's traces has a longer name */

/* start_time_unix_nano to startTimeUnixNano. */
void json_name(const char *name, char ret_name[static JSON_NAME_SIZE]);
