/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoints are this process's own sockets: for sources that see its traffic from outside. */
#pragma once

#include "span/event.h"

/* Is one of this process's TCP sockets bound to exactly this endpoint now? Reads /proc/self/fd. */
bool own_sockets_have(const struct endpoint *endpoint);
