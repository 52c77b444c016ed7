/* SPDX-License-Identifier: Apache-2.0 */
/* Text forms of settings; their contracts stand in forms.h. */
#include "config/forms.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/macro.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#define WORD_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

static int parse_number(struct bytes text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value;

    if (bytes_parse_u64(text, &value) < 0 || value > max)
        return -EINVAL;
    *ret_value = value;
    return 0;
}

int form_parse_ports(const char *text, uint16_t *ret_first, uint16_t *ret_last)
{
    struct bytes all = bytes_from_string(text);
    size_t dash = bytes_find(all, '-');
    uint64_t first, last;

    if (parse_number(bytes_slice(all, 0, dash), UINT16_MAX, &first) < 0)
        return -EINVAL;
    last = first;
    if (dash != SIZE_MAX && parse_number(bytes_skip(all, dash + 1), UINT16_MAX, &last) < 0)
        return -EINVAL;
    if (first == 0 || last < first)
        return -EINVAL;
    *ret_first = (uint16_t)first;
    *ret_last = (uint16_t)last;
    return 0;
}

int form_parse_netns(const char *text, uint32_t *ret_netns)
{
    uint64_t value;

    if (parse_number(bytes_from_string(text), UINT32_MAX, &value) < 0)
        return -EINVAL;
    *ret_netns = (uint32_t)value;
    return 0;
}

static int parse_host(const char *host, bool ipv6, uint16_t port, struct sockaddr_storage *address,
                      socklen_t *ret_length)
{
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
    struct sockaddr_in *in = (struct sockaddr_in *)address;

    *address = (struct sockaddr_storage){.ss_family = ipv6 ? AF_INET6 : AF_INET};
    if (inet_pton(address->ss_family, host,
                  ipv6 ? (void *)&in6->sin6_addr : (void *)&in->sin_addr) != 1)
        return -EINVAL;
    if (ipv6)
        in6->sin6_port = htons(port);
    else
        in->sin_port = htons(port);
    *ret_length = ipv6 ? sizeof(*in6) : sizeof(*in);
    return 0;
}

int form_parse_address(const char *text, struct sockaddr_storage *ret_address,
                       socklen_t *ret_length)
{
    const char *colon = strrchr(text, ':');
    bool ipv6 = text[0] == '[';
    struct sockaddr_storage address;
    struct bytes host;
    char host_text[INET6_ADDRSTRLEN];
    uint64_t port;
    int r;

    if (!colon || parse_number(bytes_from_string(colon + 1), UINT16_MAX, &port) < 0)
        return -EINVAL;
    host = bytes_make(text, (size_t)(colon - text));
    if (ipv6) {
        if (host.len < 2 || host.ptr[host.len - 1] != ']')
            return -EINVAL;
        host = bytes_slice(host, 1, host.len - 2);
    }
    if (host.len >= sizeof(host_text))
        return -EINVAL;
    memcpy(host_text, host.ptr, host.len);
    host_text[host.len] = '\0';
    r = parse_host(host_text, ipv6, (uint16_t)port, &address, ret_length);
    if (r < 0)
        return r;
    *ret_address = address;
    return 0;
}

bool form_is_ports(const char *text)
{
    uint16_t first, last;

    return form_parse_ports(text, &first, &last) == 0;
}

bool form_is_netns(const char *text)
{
    uint32_t netns;

    return form_parse_netns(text, &netns) == 0;
}

bool form_is_address_or_empty(const char *text)
{
    struct sockaddr_storage address;
    socklen_t length;

    return !*text || form_parse_address(text, &address, &length) == 0;
}

bool form_is_log_level(const char *text)
{
    enum log_level level;

    return log_level_from_string(text, &level) == 0;
}

bool form_is_hooks(const char *text)
{
    static const char *const names[] = {"auto", "tracepoints", "fexit", "syscalls"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        if (strcmp(text, names[i]) == 0)
            return true;
    return false;
}

bool form_is_auto_off(const char *text)
{
    return strcmp(text, "auto") == 0 || strcmp(text, "off") == 0;
}

bool form_is_export(const char *text)
{
    size_t word = strspn(text, WORD_CHARACTERS);

    return word > 0 && (text[word] == '\0' || (strchr(":;", text[word]) && text[word + 1]));
}

bool form_is_pair(const char *text)
{
    return *text && *text != '=' && strchr(text, '=');
}

bool form_is_not_empty(const char *text)
{
    return *text;
}
