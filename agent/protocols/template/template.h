/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "protocols/protocol.h"

/* The protocol of docs/add-a-protocol.md: built and tested, but not in the agent's list. */
extern const struct protocol template_protocol;
