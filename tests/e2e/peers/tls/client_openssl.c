/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_openssl CA HOST PORT PATH... : one connection per path, HTTP/1.1 by hand over OpenSSL, as
 * a program has it that brings its own library. Waits half a second first: nobody knows this
 * program before it runs. Prints the number of answers 200, and stays until its input ends.
 */
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int get(SSL_CTX *context, const char *host, const char *port, const char *path)
{
    char address[128], request[512], answer[4096] = "";
    BIO *bio = BIO_new(BIO_s_connect());
    SSL *ssl = SSL_new(context);
    int n = 0, len;

    snprintf(address, sizeof(address), "%s:%s", host, port);
    BIO_set_conn_hostname(bio, address);
    SSL_set_bio(ssl, bio, bio);
    len = snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n", path, host,
                   port);
    if (BIO_do_connect(bio) == 1 && SSL_connect(ssl) == 1 && SSL_write(ssl, request, len) == len)
        for (int r; n < (int)sizeof(answer) - 1; n += r)
            if ((r = SSL_read(ssl, answer + n, (int)sizeof(answer) - 1 - n)) <= 0)
                break;
    SSL_shutdown(ssl);
    SSL_free(ssl);
    return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

int main(int argc, char **argv)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int good = 0;

    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (argc < 5 || SSL_CTX_load_verify_locations(context, argv[1], NULL) != 1)
        return 1;
    usleep(500000);
    for (int i = 4; i < argc; i++)
        good += get(context, argv[2], argv[3], argv[i]);
    printf("%d\n", good);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    SSL_CTX_free(context);
    return 0;
}
