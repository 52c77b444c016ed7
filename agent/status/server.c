/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server behind status.h: one table of pages, served by libmicrohttpd on a thread of its
 * own. The listening socket is made here, so that what is wrong with it has its errno.
 */
#include "status/status.h"

#include "base/log.h"
#include "config/forms.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define PAGE_CAP (1 << 20)
#define CONNECTIONS_MAX 128 /* of them those that say nothing */
#define IDLE_SECONDS 2      /* are closed after so long */
#define BACKLOG 16

struct status {
    struct MHD_Daemon *daemon;
    struct status_provider provider;
    uint16_t port;
};

/* Fills the body and returns the HTTP status. */
typedef unsigned (*page_writer)(const struct status_provider *provider, struct buffer *out);

struct page {
    const char *path;
    const char *content_type;
    page_writer write;
};

static unsigned write_metrics(const struct status_provider *provider, struct buffer *out)
{
    provider->metrics(provider->arg, out);
    return MHD_HTTP_OK;
}

static unsigned write_health(const struct status_provider *provider, struct buffer *out)
{
    bool healthy = provider->healthy(provider->arg, out);

    if (healthy) {
        buffer_reset(out);
        buffer_append(out, "ok", 2);
    }
    if (out->len == 0 || out->ptr[out->len - 1] != '\n')
        buffer_append(out, "\n", 1);
    return healthy ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static const struct page pages[] = {
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics},
    {"/healthz", "text/plain; charset=utf-8", write_health},
};

static const struct page *find_page(const char *path)
{
    for (size_t i = 0; i < ELEMENTSOF(pages); i++)
        if (strcmp(path, pages[i].path) == 0)
            return &pages[i];
    return NULL;
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned code,
                             const char *content_type, struct bytes body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, (void *)body.ptr, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    _cleanup_(buffer_done) struct buffer body = buffer_make(PAGE_CAP);
    const struct status *status = arg;
    const struct page *page = find_page(path);
    const char *plain = "text/plain; charset=utf-8";
    unsigned code;

    if (!page)
        return reply(connection, MHD_HTTP_NOT_FOUND, plain,
                     BYTES_LITERAL("there are /metrics and /healthz\n"));
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, plain,
                     BYTES_LITERAL("only GET is answered\n"));
    code = page->write(&status->provider, &body);
    if (body.failed)
        return reply(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, plain,
                     BYTES_LITERAL("the page is too large\n"));
    return reply(connection, code, page->content_type, buffer_bytes(&body));
}

static int open_listener(const char *listen_on, int *ret_fd, uint16_t *ret_port)
{
    struct sockaddr_storage address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    _cleanup_(closep) int fd = -1;
    const int one = 1;
    socklen_t length;
    int r;

    r = form_parse_address(listen_on, &address, &length);
    if (r < 0)
        return log_error(r, "status.listen: %s is not a numeric ADDRESS:PORT", listen_on);
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return log_error(-errno, "status.listen: no socket for %s", listen_on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, BACKLOG) < 0) {
        r = -errno;
        log_warning("no metrics and health on %s: %s (status.listen gives another address)",
                    listen_on, strerror(-r));
        return r;
    }
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return log_error(-errno, "status.listen: %s", listen_on);
    *ret_port = ntohs(address.ss_family == AF_INET6 ? in6->sin6_port : in->sin_port);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int status_start(const char *listen_on, const struct status_provider *provider,
                 struct status **ret_status)
{
    _cleanup_(freep) struct status *status = calloc(1, sizeof(*status));
    _cleanup_(closep) int fd = -1;
    int r;

    assert(provider->metrics && provider->healthy);
    if (!status)
        return log_error(-ENOMEM, "status");
    r = open_listener(listen_on, &fd, &status->port);
    if (r < 0)
        return r;
    status->provider = *provider;
    status->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, handle, status,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_END);
    if (!status->daemon)
        return log_error(-EIO, "the status server on %s did not start", listen_on);
    TAKE_FD(fd); /* the daemon closes it */
    *ret_status = TAKE_PTR(status);
    return 0;
}

uint16_t status_port(const struct status *status)
{
    return status->port;
}

void status_stop(struct status *status)
{
    if (!status)
        return;
    MHD_stop_daemon(status->daemon);
    free(status);
}
