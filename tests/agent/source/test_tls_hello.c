/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes that OpenSSL holds with itself; what it says of them is the truth. */
#include "source/tls_hello.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#define CIPHER_TEXT_MAX 16384
#define START 1000

/* One direction's cipher text, and the pieces in which it went. */
struct flight {
    uint8_t bytes[CIPHER_TEXT_MAX];
    size_t len;
};

struct talk {
    const char *name; /* that the client asks for; NULL: none */
    int version;
    int64_t days; /* the server's certificate is valid for */
    bool both;    /* the client shows a certificate too, valid for a day longer */
    SSL *client, *server;
    struct flight to_server, to_client;
    int64_t not_after;
    EVP_PKEY *key;
};

static X509 *make_certificate(const struct talk *talk, int64_t days, int64_t *ret_not_after)
{
    X509 *certificate = X509_new();
    struct tm end;

    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 4711);
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0, NULL);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"server", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, talk->key);
    assert_true(X509_sign(certificate, talk->key, EVP_sha256()) > 0);
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end), 1);
    *ret_not_after = timegm(&end);
    return certificate;
}

static SSL *make_end(struct talk *talk, bool is_server)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    SSL *ssl;

    SSL_CTX_set_min_proto_version(context, talk->version);
    SSL_CTX_set_max_proto_version(context, talk->version);
    SSL_CTX_set_security_level(context, 0);
    if (is_server || talk->both) {
        int64_t not_after;
        X509 *certificate = make_certificate(talk, talk->days + !is_server, &not_after);

        if (is_server)
            talk->not_after = not_after;
        SSL_CTX_use_certificate(context, certificate);
        SSL_CTX_use_PrivateKey(context, talk->key);
        X509_free(certificate);
    }
    SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    ssl = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    return ssl;
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
    return 1;
}

static void carry(SSL *from, SSL *to, struct flight *flight)
{
    int n = BIO_read(SSL_get_wbio(from), flight->bytes + flight->len,
                     (int)(sizeof(flight->bytes) - flight->len));

    if (n <= 0)
        return;
    BIO_write(SSL_get_rbio(to), flight->bytes + flight->len, n);
    flight->len += (size_t)n;
}

/* Both directions of a whole handshake and of some data. */
static void hold(struct talk *talk)
{
    char answer[64];

    talk->key = EVP_RSA_gen(2048);
    talk->server = make_end(talk, true);
    talk->client = make_end(talk, false);
    SSL_set_accept_state(talk->server);
    SSL_set_connect_state(talk->client);
    if (talk->both)
        SSL_set_verify(talk->server, SSL_VERIFY_PEER, accept_any);
    if (talk->name)
        SSL_set_tlsext_host_name(talk->client, talk->name);
    for (int i = 0; i < 8; i++) {
        SSL_do_handshake(talk->client);
        carry(talk->client, talk->server, &talk->to_server);
        SSL_do_handshake(talk->server);
        carry(talk->server, talk->client, &talk->to_client);
    }
    assert_true(SSL_is_init_finished(talk->client) && SSL_is_init_finished(talk->server));
    assert_int_equal(SSL_version(talk->server), talk->version);
    SSL_write(talk->client, "secret", 6);
    carry(talk->client, talk->server, &talk->to_server);
    assert_int_equal(SSL_read(talk->server, answer, sizeof(answer)), 6);
}

static void end(struct talk *talk)
{
    SSL_free(talk->client);
    SSL_free(talk->server);
    EVP_PKEY_free(talk->key);
}

/* In pieces of `size` bytes, each where nothing can be read behind it. */
static void feed_in(const struct flight *flight, size_t len, size_t size, struct tls_hello *hello)
{
    struct tls_hello_stream *stream = calloc(1, sizeof(*stream));

    for (size_t at = 0; at < len; at += size) {
        size_t n = MIN(size, len - at);
        uint8_t *piece = malloc(n);

        memcpy(piece, flight->bytes + at, n);
        tls_hello_feed(stream, START + at, bytes_make(piece, n), hello);
        free(piece);
    }
    free(stream);
}

static void check(const struct talk *talk, const struct tls_hello *hello)
{
    bool in_clear = talk->version <= TLS1_2_VERSION;

    assert_int_equal(hello->facts.version, talk->version);
    assert_int_equal(hello->facts.not_after, in_clear ? talk->not_after : 0);
    assert_int_equal(hello->server_name.len, talk->name ? strlen(talk->name) : 0);
    if (talk->name)
        assert_memory_equal(hello->server_name.bytes, talk->name, strlen(talk->name));
}

static void check_talk(struct talk *talk)
{
    static const size_t sizes[] = {1, 2, 5, 6, 7, 100, 511, 1400, CIPHER_TEXT_MAX};

    hold(talk);
    for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
        struct tls_hello hello = {0};

        feed_in(&talk->to_server, talk->to_server.len, sizes[i], &hello);
        feed_in(&talk->to_client, talk->to_client.len, sizes[i], &hello);
        check(talk, &hello);
    }
    end(talk);
}

static void name_version_and_expiry_are_those_that_openssl_tells(void **state)
{
    check_talk(&(struct talk){.name = "shop.example", .version = TLS1_2_VERSION, .days = 30});
    check_talk(&(struct talk){.name = "shop.example", .version = TLS1_3_VERSION, .days = 30});
    check_talk(&(struct talk){.name = "a.b", .version = TLS1_1_VERSION, .days = 30});
}

static void who_asks_for_no_name_has_none(void **state)
{
    check_talk(&(struct talk){.version = TLS1_2_VERSION, .days = 30});
    check_talk(&(struct talk){.version = TLS1_3_VERSION, .days = 30});
}

static void a_certificate_may_outlive_2049(void **state)
{
    check_talk(&(struct talk){.version = TLS1_2_VERSION, .days = 40 * 365});
}

static void the_clients_certificate_is_not_the_servers(void **state)
{
    check_talk(&(struct talk){.version = TLS1_2_VERSION, .days = 30, .both = true});
}

static void what_is_cut_or_broken_is_read_within_its_bounds_and_tells_nothing_false(void **state)
{
    struct talk talk = {.name = "shop.example", .version = TLS1_2_VERSION, .days = 30};

    hold(&talk);
    for (size_t len = 0; len < talk.to_client.len; len++) {
        struct tls_hello hello = {0};

        feed_in(&talk.to_client, len, CIPHER_TEXT_MAX, &hello);
        assert_true(hello.facts.version == 0 || hello.facts.version == TLS1_2_VERSION);
        assert_true(hello.facts.not_after == 0 || hello.facts.not_after == talk.not_after);
    }
    for (size_t at = 0; at < talk.to_client.len; at++) {
        struct flight broken = talk.to_client;
        struct tls_hello hello = {0};

        broken.bytes[at] ^= 0xff;
        feed_in(&broken, broken.len, 512, &hello);
    }
    end(&talk);
}

static void behind_a_gap_nothing_is_read(void **state)
{
    struct talk talk = {.version = TLS1_2_VERSION, .days = 30};
    struct tls_hello_stream stream = {0};
    struct tls_hello hello = {0};

    hold(&talk);
    tls_hello_feed(&stream, START, bytes_make(talk.to_client.bytes, 100), &hello);
    tls_hello_feed(&stream, START + 101, bytes_make(talk.to_client.bytes + 101, 500), &hello);
    assert_true(stream.done);
    assert_int_equal(hello.facts.version, TLS1_2_VERSION);
    assert_int_equal(hello.facts.not_after, 0);
    end(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_version_and_expiry_are_those_that_openssl_tells),
        cmocka_unit_test(who_asks_for_no_name_has_none),
        cmocka_unit_test(a_certificate_may_outlive_2049),
        cmocka_unit_test(the_clients_certificate_is_not_the_servers),
        cmocka_unit_test(what_is_cut_or_broken_is_read_within_its_bounds_and_tells_nothing_false),
        cmocka_unit_test(behind_a_gap_nothing_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
