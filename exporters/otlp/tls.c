/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and checking the files of TLS, by OpenSSL; the contracts stand in tls.h. */
#include "exporters/otlp/tls.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#define FILE_MAX ((size_t)4 << 20)

/* What was read, and the stamps of it. */
struct content {
    struct otlp_stamp stamps[3];
    char *texts[3]; /* ca, certificate, key */
};

static void content_done(struct content *content)
{
    for (size_t i = 0; i < ELEMENTSOF(content->texts); i++)
        free(content->texts[i]);
}

static struct otlp_stamp stamp_of(const struct stat *info)
{
    return (struct otlp_stamp){info->st_ino, info->st_size, info->st_mtim};
}

static bool is_same(const struct otlp_stamp *a, const struct otlp_stamp *b)
{
    return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

/* ---- checking -------------------------------------------------------------------------------- */

DEFINE_CLEANUP(BIO, BIO_free_all)
DEFINE_CLEANUP(X509, X509_free)
DEFINE_CLEANUP(EVP_PKEY, EVP_PKEY_free)

/* A key with a passphrase is refused: nobody is there to be asked for it. */
static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
    return -1;
}

static X509 *first_certificate(const char *text)
{
    _cleanup_(BIO_free_allp) BIO *bio = BIO_new_mem_buf(text, -1);

    return bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
}

static EVP_PKEY *private_key(const char *text)
{
    _cleanup_(BIO_free_allp) BIO *bio = BIO_new_mem_buf(text, -1);

    return bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
}

/* The first that is wrong is told. Returns 0 or -EINVAL. */
static int check_content(const struct otlp_tls *tls, const struct content *content)
{
    const char *const *texts = (const char *const *)content->texts;
    _cleanup_(X509_freep) X509 *ca = texts[0] ? first_certificate(texts[0]) : NULL;
    _cleanup_(X509_freep) X509 *own = texts[1] ? first_certificate(texts[1]) : NULL;
    _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = texts[2] ? private_key(texts[2]) : NULL;
    bool fits = own && key && X509_check_private_key(own, key) == 1;

    ERR_clear_error();
    if ((texts[0] && !ca) || (texts[1] && !own))
        return log_error(-EINVAL, "exporter %s: %s holds no certificate: give a file that "
                                  "\"openssl x509 -in FILE\" can read", tls->exporter,
                         texts[0] && !ca ? tls->paths[0] : tls->paths[1]);
    if (texts[2] && !key)
        return log_error(-EINVAL, "exporter %s: %s holds no private key, or one with a passphrase: "
                                  "give a file that \"openssl pkey -in FILE\" can read without one",
                         tls->exporter, tls->paths[2]);
    if (texts[1] && !fits)
        return log_error(-EINVAL, "exporter %s: the key in %s is not that of the certificate in %s: "
                                  "give two that were made together", tls->exporter, tls->paths[2],
                         tls->paths[1]);
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int read_file(const char *path, struct otlp_stamp *ret_stamp, char **ret_text)
{
    _cleanup_(buffer_done) struct buffer text = buffer_make(FILE_MAX);
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    char block[4096];
    ssize_t n;

    if (fd < 0) {
        int r = -errno;

        *ret_stamp = stat(path, &info) == 0 ? stamp_of(&info) : (struct otlp_stamp){0};
        return r;
    }
    if (fstat(fd, &info) < 0)
        return -errno;
    *ret_stamp = stamp_of(&info);
    while ((n = read(fd, block, sizeof(block))) > 0)
        buffer_append(&text, block, (size_t)n);
    if (n < 0)
        return -errno;
    buffer_append(&text, "", 1);
    if (text.failed)
        return -EFBIG;
    *ret_text = (char *)TAKE_PTR(text.ptr);
    return 0;
}

/* Stamps are noted also of what cannot be used: it is looked at again when it changes. */
static int read_all(const struct otlp_tls *tls, struct content *content)
{
    int result = 0;

    for (size_t i = 0; i < ELEMENTSOF(tls->paths); i++) {
        int r = *tls->paths[i] ? read_file(tls->paths[i], &content->stamps[i], &content->texts[i])
                               : 0;

        if (r < 0)
            result = log_error(r, "exporter %s: cannot read %s: give a file that is there and that "
                                  "the agent may read", tls->exporter, tls->paths[i]);
    }
    return result < 0 ? result : check_content(tls, content);
}

static int take_files(struct otlp_tls *tls)
{
    _cleanup_(content_done) struct content content = {0};
    char **const in_use[] = {&tls->ca, &tls->certificate, &tls->key};
    int r = read_all(tls, &content);

    memcpy(tls->stamps, content.stamps, sizeof(tls->stamps));
    for (size_t i = 0; i < ELEMENTSOF(in_use) && r == 0; i++) {
        free(*in_use[i]);
        *in_use[i] = TAKE_PTR(content.texts[i]);
    }
    return r;
}

int otlp_tls_open(const char *exporter, const struct otlp_choice *choice,
                  struct otlp_tls *ret_tls)
{
    *ret_tls = (struct otlp_tls){
        .exporter = exporter, .paths = {choice->ca, choice->certificate, choice->key}};
    return take_files(ret_tls);
}

void otlp_tls_done(struct otlp_tls *tls)
{
    free(tls->ca);
    free(tls->certificate);
    free(tls->key);
    *tls = (struct otlp_tls){0};
}

static bool has_changed(const struct otlp_tls *tls)
{
    for (size_t i = 0; i < ELEMENTSOF(tls->paths); i++) {
        struct otlp_stamp stamp = {0};
        struct stat info;

        if (!tls->paths[i] || !*tls->paths[i])
            continue;
        if (stat(tls->paths[i], &info) == 0)
            stamp = stamp_of(&info);
        if (!is_same(&stamp, &tls->stamps[i]))
            return true;
    }
    return false;
}

enum otlp_tls_look otlp_tls_look(struct otlp_tls *tls)
{
    if (!has_changed(tls))
        return OTLP_TLS_SAME;
    if (take_files(tls) == 0)
        return OTLP_TLS_RENEWED;
    log_warning("exporter %s: the files of before stay in use until they are replaced by such that "
                "can be used", tls->exporter);
    return OTLP_TLS_UNUSABLE;
}
