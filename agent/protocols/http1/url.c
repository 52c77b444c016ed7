/* SPDX-License-Identifier: Apache-2.0 */
/* Taking request targets apart; the forms stand in url.h. */
#include "protocols/http1/url.h"

/* The bytes before the first `c`, which ret_rest is behind; all of `b` where there is none. */
static struct bytes part_before(struct bytes b, uint8_t c, struct bytes *ret_rest)
{
    size_t n = bytes_find(b, c);

    if (n == SIZE_MAX)
        return b;
    *ret_rest = bytes_skip(b, n + 1);
    return bytes_slice(b, 0, n);
}

static void read_authority(struct bytes authority, struct http1_url *url)
{
    struct bytes rest = BYTES_NULL;

    if (bytes_find(authority, '@') != SIZE_MAX) {
        part_before(authority, '@', &rest);
        authority = rest;
        rest = BYTES_NULL;
    }
    if (authority.len == 0)
        return;
    url->authority = authority;
    if (authority.ptr[0] == '[') {
        url->host = part_before(bytes_skip(authority, 1), ']', &rest);
        if (rest.len > 1 && rest.ptr[0] == ':')
            url->port = bytes_skip(rest, 1);
    } else {
        url->host = part_before(authority, ':', &rest);
        if (rest.len)
            url->port = rest;
    }
}

static void read_path(struct bytes target, struct http1_url *url)
{
    struct bytes query = BYTES_NULL;

    url->path = part_before(target, '?', &query);
    url->query = query;
}

/* Offset of "://", or SIZE_MAX where the target is not in absolute form. */
static size_t find_scheme_end(struct bytes target)
{
    size_t colon = bytes_find(target, ':');

    if (colon == 0 || colon == SIZE_MAX ||
        !bytes_starts_with(bytes_skip(target, colon), BYTES_LITERAL("://")))
        return SIZE_MAX;
    return bytes_find(bytes_slice(target, 0, colon), '/') == SIZE_MAX ? colon : SIZE_MAX;
}

static void read_absolute(struct bytes target, size_t scheme_len, struct http1_url *url)
{
    struct bytes rest = bytes_skip(target, scheme_len + 3);
    size_t n = 0;

    while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?')
        n++;
    url->scheme = bytes_slice(target, 0, scheme_len);
    read_authority(bytes_slice(rest, 0, n), url);
    read_path(bytes_skip(rest, n), url);
    if (url->path.len == 0)
        url->path = BYTES_LITERAL("/");
}

struct http1_url url_read(bool secure, struct bytes method, struct bytes target,
                          struct bytes host_header)
{
    struct http1_url url = {.scheme = secure ? BYTES_LITERAL("https") : BYTES_LITERAL("http")};
    size_t scheme_len;

    if (bytes_equal(method, BYTES_LITERAL("CONNECT"))) {
        url.scheme = BYTES_NULL;
        read_authority(target, &url);
        return url;
    }
    scheme_len = find_scheme_end(target);
    if (scheme_len != SIZE_MAX) {
        read_absolute(target, scheme_len, &url);
        return url;
    }
    read_authority(host_header, &url);
    if (!bytes_equal(target, BYTES_LITERAL("*")))
        read_path(target, &url);
    return url;
}

uint16_t url_port(const struct http1_url *url)
{
    uint64_t port;

    if (url->port.ptr)
        return bytes_parse_u64(url->port, &port) == 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
    if (bytes_equal_nocase(url->scheme, BYTES_LITERAL("http")))
        return 80;
    return bytes_equal_nocase(url->scheme, BYTES_LITERAL("https")) ? 443 : 0;
}
