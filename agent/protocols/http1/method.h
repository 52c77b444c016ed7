/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request methods by name: IANA's HTTP Method Registry, without "PRI", which is HTTP/2's
 * preface. A parser takes any token for a method; where the place of a request is in doubt, only
 * these.
 */
#pragma once

#include "base/bytes.h"

/* One of the nine that http.request.method may name: RFC 9110, section 9, and PATCH (RFC 5789). */
bool method_is_conventional(struct bytes method);

/* A registered one. */
bool method_is_registered(struct bytes method);

/* Does `data` begin with a registered method and a space, or is it a beginning of one? */
bool method_may_begin(struct bytes data);
