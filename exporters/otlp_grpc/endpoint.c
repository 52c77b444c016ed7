/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoint URLs; the contract stands in endpoint.h. */
#include "exporters/otlp_grpc/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#define HTTP "http://"
#define HTTPS "https://"
#define PORT_DEFAULT 4317
#define PORT_MAX 65535

static bool is_host(struct bytes host)
{
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] <= ' ' || host.ptr[i] >= 0x7f || strchr("@:/?#[]", host.ptr[i]))
            return false;
    return host.len > 0 && host.len < ENDPOINT_MAX - sizeof("[]:65535");
}

static bool is_ipv6(struct bytes host)
{
    for (size_t i = 0; i < host.len; i++)
        if (!strchr("0123456789abcdefABCDEF:.", host.ptr[i]))
            return false;
    return host.len > 1 && host.len < ENDPOINT_MAX - sizeof("[]:65535");
}

/* Splits into host, with brackets where it had them, and what follows it: "" or ":PORT". */
static bool split_authority(struct bytes authority, struct bytes *ret_host, struct bytes *ret_port)
{
    bool bracketed = bytes_starts_with(authority, BYTES_LITERAL("["));
    size_t end = bytes_find(authority, bracketed ? ']' : ':');

    if (bracketed && end == SIZE_MAX)
        return false;
    *ret_host = bytes_slice(authority, 0, bracketed ? end + 1 : end);
    *ret_port = bytes_skip(authority, ret_host->len);
    return bracketed ? is_ipv6(bytes_slice(*ret_host, 1, ret_host->len - 2)) : is_host(*ret_host);
}

static bool parse_port(struct bytes port, uint64_t *ret_port)
{
    uint64_t number = PORT_DEFAULT;

    if (port.len > 0 && (port.ptr[0] != ':' || bytes_parse_u64(bytes_skip(port, 1), &number) < 0))
        return false;
    if (number == 0 || number > PORT_MAX)
        return false;
    *ret_port = number;
    return true;
}

static int problem(int error, const char *text, const char **ret_problem)
{
    *ret_problem = text;
    return error;
}

/* Behind the scheme, or NULL where it is a strange one. */
static const char *skip_scheme(const char *url, bool insecure, bool *ret_tls)
{
    *ret_tls = !insecure;
    if (strncasecmp(url, HTTPS, strlen(HTTPS)) == 0) {
        *ret_tls = true;
        return url + strlen(HTTPS);
    }
    if (strncasecmp(url, HTTP, strlen(HTTP)) == 0) {
        *ret_tls = false;
        return url + strlen(HTTP);
    }
    return strstr(url, "://") ? NULL : url;
}

int endpoint_parse(const char *url, bool insecure, struct endpoint *ret_endpoint,
                   const char **ret_problem)
{
    struct bytes authority, host, path, port;
    uint64_t number;
    bool tls;

    url = skip_scheme(url, insecure, &tls);
    if (!url)
        return problem(-EINVAL, "the scheme is neither http nor https", ret_problem);
    authority = bytes_from_string(url);
    path = bytes_skip(authority, strcspn(url, "/?#"));
    authority.len -= path.len;
    if (path.len > 0 && !bytes_equal(path, BYTES_LITERAL("/")))
        return problem(-EINVAL, "gRPC has no path: give http://HOST:PORT", ret_problem);
    if (!split_authority(authority, &host, &port))
        return problem(-EINVAL, "no valid host: give http://HOST:PORT", ret_problem);
    if (!parse_port(port, &number))
        return problem(-EINVAL, "no valid port: give http://HOST:PORT", ret_problem);
    snprintf(ret_endpoint->host_port, ENDPOINT_MAX, "%.*s:%u", BYTES_PRINTF(host),
             (unsigned)number);
    ret_endpoint->tls = tls;
    return 0;
}
