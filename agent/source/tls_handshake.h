/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes of TLS connections, from the cipher text's head to the facts of the clear text: what
 * both directions said is kept by connection until it is closed. Bounded: where more handshakes go
 * on at once than there is room for, the one that has waited longest is not read (counted).
 */
#pragma once

#include "base/counters.h"
#include "source/tls_hello.h"

struct tls_handshakes;

int tls_handshakes_new(size_t max_connections, struct counters *counters,
                       struct tls_handshakes **ret_handshakes);
void tls_handshakes_free(struct tls_handshakes *handshakes); /* NULL is fine */

/* Cipher text of a connection; what does not begin with a handshake is passed over. */
void tls_handshakes_take(struct tls_handshakes *handshakes, const struct event *event);

/* Adds what is known by now of the connection's handshake. */
void tls_handshakes_tell(struct tls_handshakes *handshakes, uint64_t connection,
                         struct connection_facts *facts);

void tls_handshakes_forget(struct tls_handshakes *handshakes, uint64_t connection);
