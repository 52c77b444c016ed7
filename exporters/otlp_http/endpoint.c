/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoint URLs of OTLP/HTTP; the contract stands in endpoint.h. */
#include "exporters/otlp_http/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#define HTTP "http://"
#define HTTPS "https://"
#define PORT_DEFAULT ":4318"
#define SIGNAL_PATH "v1/traces"

static int problem(const char *text, const char **ret_problem)
{
    *ret_problem = text;
    return -EINVAL;
}

/* User and password in a URL would end in logs: headers are for that. */
static bool is_authority(struct bytes authority)
{
    for (size_t i = 0; i < authority.len; i++)
        if (authority.ptr[i] <= ' ' || authority.ptr[i] >= 0x7f || authority.ptr[i] == '@')
            return false;
    return authority.len > 0 && authority.ptr[0] != ':';
}

/* ":PORT", or empty. Behind the last ']' of an IPv6 address there is a colon only before a port. */
static struct bytes port_of(struct bytes authority)
{
    size_t bracket = bytes_find(authority, ']');
    struct bytes rest = bytes_skip(authority, bracket == SIZE_MAX ? 0 : bracket);
    size_t colon = bytes_find(rest, ':');

    return colon == SIZE_MAX ? BYTES_NULL : bytes_skip(rest, colon);
}

static bool is_port(struct bytes port)
{
    uint64_t number = 0;

    return port.len == 0 || (bytes_parse_u64(bytes_skip(port, 1), &number) == 0 && number > 0 &&
                             number <= UINT16_MAX);
}

/* What follows the path that was given. */
static const char *suffix_of(struct bytes path, enum otlp_origin origin)
{
    bool bare = path.len == 0 || bytes_equal(path, BYTES_LITERAL("/"));

    if (origin == OTLP_OF_SIGNAL || (origin == OTLP_GIVEN && !bare))
        return path.len == 0 ? "/" : "";
    return path.len > 0 && path.ptr[path.len - 1] == '/' ? SIGNAL_PATH : "/" SIGNAL_PATH;
}

int url_make(const char *text, enum otlp_origin origin, bool insecure, char ret_url[static URL_MAX],
             const char **ret_problem)
{
    const char *scheme = insecure ? HTTP : HTTPS;
    struct bytes authority, path;
    char url[URL_MAX];
    int n;

    if (strncasecmp(text, HTTPS, strlen(HTTPS)) == 0)
        scheme = HTTPS;
    else if (strncasecmp(text, HTTP, strlen(HTTP)) == 0)
        scheme = HTTP;
    else if (strstr(text, "://"))
        return problem("the scheme is neither http nor https", ret_problem);
    if (strstr(text, "://"))
        text += strlen(scheme);
    authority = bytes_from_string(text);
    path = bytes_skip(authority, strcspn(text, "/?#"));
    authority.len -= path.len;
    if (!is_authority(authority))
        return problem("no valid host: give http://HOST:PORT[/PATH]", ret_problem);
    if (!is_port(port_of(authority)))
        return problem("no valid port: give http://HOST:PORT[/PATH]", ret_problem);
    n = snprintf(url, sizeof(url), "%s%.*s%s%.*s%s", scheme, BYTES_PRINTF(authority),
                 port_of(authority).len > 0 ? "" : PORT_DEFAULT, BYTES_PRINTF(path),
                 suffix_of(path, origin));
    if (n < 0 || n >= URL_MAX)
        return problem("the URL is too long", ret_problem);
    memcpy(ret_url, url, (size_t)n + 1);
    return 0;
}
