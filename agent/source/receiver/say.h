/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events without HTTP: one JSON object per line of a UNIX stream, or per datagram. Who reads from a
 * stream is told what was wrong, a line each, and nothing while all is well; who sends datagrams is
 * never made to wait, so what finds no room is counted as lost.
 */
#pragma once

#include "source/receiver/collect.h"

struct say;

/* Opens both sockets, and adds them to `epoll_fd`. Logs what failed. 0 or a negative errno. */
int say_start(struct collect *collect, struct peers *peers, int epoll_fd, struct say **ret_say);
void say_stop(struct say *say); /* NULL is fine */

/* One turn: reads from everybody once. True: there is more. */
bool say_run(struct say *say);

/* Cuts off who sent nothing for long; called about once a second. */
void say_sweep(struct say *say, uint64_t now_ns);
