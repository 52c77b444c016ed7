/* SPDX-License-Identifier: Apache-2.0 */
/* The table of methods; what it is for stands in method.h. */
#include "protocols/http1/method.h"

#include "base/macro.h"

/* With the space that follows them in a request line. */
static const char *const conventional[] = {
    "CONNECT ", "DELETE ", "GET ", "HEAD ", "OPTIONS ", "PATCH ", "POST ", "PUT ", "TRACE ",
};

static const char *const registered[] = {
    "ACL ",           "BASELINE-CONTROL ", "BIND ",     "CHECKIN ",    "CHECKOUT ",
    "COPY ",          "LABEL ",            "LINK ",     "LOCK ",       "MERGE ",
    "MKACTIVITY ",    "MKCALENDAR ",       "MKCOL ",    "MKREDIRECTREF ",
    "MKWORKSPACE ",   "MOVE ",             "ORDERPATCH ", "PROPFIND ", "PROPPATCH ",
    "QUERY ",         "REBIND ",           "REPORT ",   "SEARCH ",     "UNBIND ",
    "UNCHECKOUT ",    "UNLINK ",           "UNLOCK ",   "UPDATE ",     "UPDATEREDIRECTREF ",
    "VERSION-CONTROL ",
};

static bool begins_one_of(struct bytes data, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (data.ptr[0] == (uint8_t)names[i][0] &&
            bytes_starts_with(data, bytes_slice(bytes_from_string(names[i]), 0, data.len)))
            return true;
    return false;
}

static bool is_one_of(struct bytes method, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (bytes_equal(method, bytes_slice(bytes_from_string(names[i]), 0, strlen(names[i]) - 1)))
            return true;
    return false;
}

bool method_is_conventional(struct bytes method)
{
    return is_one_of(method, conventional, ELEMENTSOF(conventional));
}

bool method_is_registered(struct bytes method)
{
    return method_is_conventional(method) || is_one_of(method, registered, ELEMENTSOF(registered));
}

bool method_may_begin(struct bytes data)
{
    return data.len && data.ptr[0] >= 'A' && data.ptr[0] <= 'V' &&
           (begins_one_of(data, conventional, ELEMENTSOF(conventional)) ||
            begins_one_of(data, registered, ELEMENTSOF(registered)));
}
