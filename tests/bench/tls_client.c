/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_client PORT NAME BEGIN : asks over one TLS connection for a quarter of a second. The path of
 * each request is /NAME/TIME, hundredths of a millisecond since BEGIN (nanoseconds of
 * CLOCK_BOOTTIME), when the caller began to start it.
 */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DURATION_NS 250000000

static uint64_t boot_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
    uint64_t begun = argc > 3 ? strtoull(argv[3], NULL, 10) : 0, now;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    SSL *ssl = SSL_new(SSL_CTX_new(TLS_client_method()));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char request[256], answer[4096];

    if (argc < 4)
        return 2;
    to.sin_port = htons((uint16_t)atoi(argv[1]));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || !SSL_set_fd(ssl, fd) ||
        SSL_connect(ssl) != 1)
        return 1;
    while ((now = boot_ns()) - begun < DURATION_NS) {
        int n = snprintf(request, sizeof(request), "GET /%s/%u HTTP/1.1\r\nHost: x\r\n\r\n", argv[2],
                         (unsigned)((now - begun) / 10000));

        if (SSL_write(ssl, request, n) != n || SSL_read(ssl, answer, sizeof(answer)) <= 0)
            return 1;
        usleep(300);
    }
    return 0;
}
