/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_shapes PORT PREFIX N : HTTP/1.1 over OpenSSL in all the shapes in which programs use it,
 * one connection each, N requests one after the other on it, at PREFIX/SHAPE/i. Prints each shape
 * and how many answers were 200. For `early`, which sends one request as early data (RFC 8446, 2.3)
 * on a connection that goes on with the others, nothing but the others are counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct talk {
    SSL *ssl;
    BIO *outer; /* the program's end of a pair, or NULL */
    int fd;
    bool memory;
};

static int connect_to(int port)
{
    struct sockaddr_in to = {AF_INET, htons((unsigned short)port), {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ? fd : -1;
}

/* The program moves the cipher text: what the library wrote goes out, what it wants comes in. */
static void move_cipher_text(struct talk *talk, int error)
{
    BIO *from = talk->memory ? SSL_get_wbio(talk->ssl) : talk->outer;
    BIO *to = talk->memory ? SSL_get_rbio(talk->ssl) : talk->outer;
    char buffer[20000];
    ssize_t n;

    while ((n = BIO_read(from, buffer, sizeof(buffer))) > 0)
        for (ssize_t done = 0; done < n;)
            done += write(talk->fd, buffer + done, (size_t)(n - done));
    if (error == SSL_ERROR_WANT_READ && (n = read(talk->fd, buffer, sizeof(buffer))) > 0)
        BIO_write(to, buffer, (int)n);
}

/* False: that was the end of it. */
static bool again(struct talk *talk, int result)
{
    int error = SSL_get_error(talk->ssl, result);

    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return false;
    if (talk->memory || talk->outer)
        move_cipher_text(talk, error);
    else
        poll(&(struct pollfd){talk->fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, 0}, 1,
             1000);
    return true;
}

static int send_text(struct talk *talk, const char *text, bool ex)
{
    size_t n = 0;
    int r;

    do
        r = ex ? SSL_write_ex(talk->ssl, text, strlen(text), &n)
               : SSL_write(talk->ssl, text, (int)strlen(text));
    while (r <= 0 && again(talk, r));
    if (talk->memory || talk->outer)
        move_cipher_text(talk, 0);
    return r;
}

static int receive(struct talk *talk, char *out, int size, bool ex, bool peek)
{
    size_t n = 0;
    int r;

    do {
        if (peek && SSL_peek(talk->ssl, out, 1) <= 0)
            continue;
        r = ex ? SSL_read_ex(talk->ssl, out, (size_t)size, &n) : SSL_read(talk->ssl, out, size);
    } while (r <= 0 && again(talk, r));
    return ex && r > 0 ? (int)n : r;
}

static int ask(struct talk *talk, const char *path, int i, bool ex, bool peek)
{
    char request[256], answer[4096] = "";

    snprintf(request, sizeof(request), "GET %s/%d HTTP/1.1\r\nHost: localhost\r\n\r\n", path, i);
    if (send_text(talk, request, ex) <= 0 ||
        receive(talk, answer, sizeof(answer) - 1, ex, peek) <= 0)
        return 0;
    return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void set_bios(struct talk *talk, const char *shape)
{
    BIO *inner;

    talk->memory = strcmp(shape, "memory") == 0;
    if (talk->memory) {
        SSL_set_bio(talk->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    } else if (strcmp(shape, "pair") == 0) {
        BIO_new_bio_pair(&inner, 0, &talk->outer, 0);
        SSL_set_bio(talk->ssl, inner, inner);
    } else {
        SSL_set_fd(talk->ssl, talk->fd);
    }
    if (strcmp(shape, "nonblocking") == 0)
        fcntl(talk->fd, F_SETFL, O_NONBLOCK);
}

/* The request goes with the first flight; its answer is read before the others are asked. */
static bool send_early(struct talk *talk, const char *path)
{
    char request[256], answer[4096];
    size_t n;

    snprintf(request, sizeof(request), "GET %s/first HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    return SSL_write_early_data(talk->ssl, request, strlen(request), &n) == 1 &&
           SSL_do_handshake(talk->ssl) == 1 &&
           SSL_get_early_data_status(talk->ssl) == SSL_EARLY_DATA_ACCEPTED &&
           SSL_read(talk->ssl, answer, sizeof(answer)) > 0;
}

static int use(SSL_CTX *context, int port, const char *prefix, const char *shape, int n,
               SSL_SESSION *session, SSL_SESSION **ret_session)
{
    struct talk talk = {.ssl = SSL_new(context), .fd = connect_to(port)};
    bool ex = strcmp(shape, "ex") == 0, peek = strcmp(shape, "peek") == 0;
    int r, good = 0;
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", prefix, shape);
    set_bios(&talk, shape);
    SSL_set_connect_state(talk.ssl);
    if (session)
        SSL_set_session(talk.ssl, session);
    if (session && !send_early(&talk, path))
        return -1;
    while (!session && strcmp(shape, "lazy") != 0 && (r = SSL_do_handshake(talk.ssl)) <= 0)
        if (!again(&talk, r))
            return -1;
    for (int i = 0; i < n; i++)
        good += ask(&talk, path, i, ex, peek);
    if (ret_session)
        *ret_session = SSL_get1_session(talk.ssl);
    SSL_shutdown(talk.ssl);
    SSL_free(talk.ssl);
    BIO_free(talk.outer);
    close(talk.fd);
    return good;
}

int main(int argc, char **argv)
{
    static const char *const shapes[] = {"plain", "lazy", "ex", "nonblocking", "peek", "pair",
                                         "memory"};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_SESSION *session = NULL;
    int port = argc > 3 ? atoi(argv[1]) : 0, n = argc > 3 ? atoi(argv[3]) : 0;

    usleep(500000); /* nobody knows this program before it runs */
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
        printf("%s %d\n", shapes[i], use(context, port, argv[2], shapes[i], n, NULL, &session));
    printf("early %d\n", use(context, port, argv[2], "early", n, session, NULL));
    return 0;
}
