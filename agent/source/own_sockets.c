/* SPDX-License-Identifier: Apache-2.0 */
#include "source/own_sockets.h"

#include "base/macro.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/socket.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static void closedirp(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static bool is_bound_to(int fd, const struct endpoint *endpoint)
{
    static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};
    union address address;
    socklen_t len = sizeof(address);

    if (getsockname(fd, &address.any, &len) < 0)
        return false;
    if (address.any.sa_family == AF_INET)
        return ntohs(address.v4.sin_port) == endpoint->port &&
               memcmp(endpoint->address, v4_prefix, sizeof(v4_prefix)) == 0 &&
               memcmp(endpoint->address + 12, &address.v4.sin_addr, 4) == 0;
    return address.any.sa_family == AF_INET6 &&
           ntohs(address.v6.sin6_port) == endpoint->port &&
           memcmp(endpoint->address, &address.v6.sin6_addr, 16) == 0;
}

bool own_sockets_have(const struct endpoint *endpoint)
{
    _cleanup_(closedirp) DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (is_bound_to(atoi(entry->d_name), endpoint))
            return true;
    return false;
}
