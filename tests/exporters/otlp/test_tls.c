/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates are made by OpenSSL's program (tests/make-certificates). */
#include "exporters/otlp/tls.h"

#include "base/macro.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char folder[] = "/tmp/flowtrace-test-XXXXXX";

static void shell(const char *text)
{
    char command[512];

    snprintf(command, sizeof(command), "cd %s && %s", folder, text);
    assert_int_equal(system(command), 0);
}

static int make_certificates(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    shell(MAKE_CERTIFICATES " . && echo nonsense > nonsense.pem && "
                            "openssl pkey -in client.key -aes256 -passout pass:x -out locked.key");
    return 0;
}

static int remove_certificates(void **state)
{
    shell("rm -r $PWD");
    return 0;
}

/* What is used is files of this name, so that they can be replaced. */
static int use(void **state)
{
    shell("cp ca.pem now-ca.pem && cp client.pem now.pem && cp client.key now.key");
    return 0;
}

static const char *path_of(const char *name)
{
    static char paths[16][64]; /* so many at a time */
    static unsigned n;
    char *path = paths[n++ % ELEMENTSOF(paths)];

    if (!*name)
        return "";
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static int open_files(const char *ca, const char *certificate, const char *key,
                      struct otlp_tls *ret_tls)
{
    const struct otlp_choice choice = {
        .ca = path_of(ca), .certificate = path_of(certificate), .key = path_of(key)};

    return otlp_tls_open("otlp", &choice, ret_tls);
}

static bool is_content(const char *text, const char *name)
{
    char content[4096] = "";
    FILE *file = fopen(path_of(name), "re");
    size_t n;

    assert_non_null(file);
    n = fread(content, 1, sizeof(content) - 1, file);
    fclose(file);
    return n > 0 && strcmp(text, content) == 0;
}

static void files_that_fit_are_read(void **state)
{
    _cleanup_(otlp_tls_done) struct otlp_tls tls, none;

    assert_int_equal(open_files("now-ca.pem", "now.pem", "now.key", &tls), 0);
    assert_true(is_content(tls.ca, "ca.pem"));
    assert_true(is_content(tls.certificate, "client.pem"));
    assert_true(is_content(tls.key, "client.key"));
    assert_int_equal(otlp_tls_look(&tls), OTLP_TLS_SAME);
    assert_int_equal(open_files("", "", "", &none), 0);
    assert_true(!none.ca && !none.certificate && !none.key);
    assert_int_equal(otlp_tls_look(&none), OTLP_TLS_SAME);
}

static void what_is_not_there_or_cannot_be_read_or_does_not_fit_is_refused(void **state)
{
    static const struct {
        const char *ca, *certificate, *key;
        int error;
    } cases[] = {
        {"none.pem", "", "", -ENOENT},           {"nonsense.pem", "", "", -EINVAL},
        {"client.key", "", "", -EINVAL},         {"", "none.pem", "client.key", -ENOENT},
        {"", "nonsense.pem", "client.key", -EINVAL}, {"", "client.pem", "none.key", -ENOENT},
        {"", "client.pem", "nonsense.pem", -EINVAL}, {"", "client.pem", "client.pem", -EINVAL},
        {"", "client.pem", "other.key", -EINVAL}, {"", "client.pem", "locked.key", -EINVAL},
        {".", "", "", -EISDIR},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        _cleanup_(otlp_tls_done) struct otlp_tls tls;

        assert_int_equal(open_files(cases[i].ca, cases[i].certificate, cases[i].key, &tls),
                         cases[i].error);
    }
}

static void what_changed_and_fits_is_in_use_from_then_on(void **state)
{
    _cleanup_(otlp_tls_done) struct otlp_tls tls;

    assert_int_equal(open_files("now-ca.pem", "now.pem", "now.key", &tls), 0);
    shell("cp other.pem new.pem && cp other.key new.key && mv new.pem now.pem && mv new.key now.key");
    assert_int_equal(otlp_tls_look(&tls), OTLP_TLS_RENEWED);
    assert_true(is_content(tls.certificate, "other.pem") && is_content(tls.key, "other.key"));
    assert_int_equal(otlp_tls_look(&tls), OTLP_TLS_SAME);
}

static void what_changed_and_cannot_be_used_is_said_once_and_changes_nothing(void **state)
{
    static const char *const changes[] = {"cp other.pem now.pem", "rm now.key", "rm now-ca.pem",
                                          "echo > now.pem"};

    for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
        _cleanup_(otlp_tls_done) struct otlp_tls tls;

        use(NULL);
        assert_int_equal(open_files("now-ca.pem", "now.pem", "now.key", &tls), 0);
        shell(changes[i]);
        assert_int_equal(otlp_tls_look(&tls), OTLP_TLS_UNUSABLE);
        assert_int_equal(otlp_tls_look(&tls), OTLP_TLS_SAME);
        assert_true(is_content(tls.ca, "ca.pem") && is_content(tls.key, "client.key"));
        assert_true(is_content(tls.certificate, "client.pem"));
        use(NULL);
        assert_int_equal(otlp_tls_look(&tls), OTLP_TLS_RENEWED);
        assert_int_equal(otlp_tls_look(&tls), OTLP_TLS_SAME);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(files_that_fit_are_read, use),
        cmocka_unit_test_setup(what_is_not_there_or_cannot_be_read_or_does_not_fit_is_refused, use),
        cmocka_unit_test_setup(what_changed_and_fits_is_in_use_from_then_on, use),
        cmocka_unit_test_setup(what_changed_and_cannot_be_used_is_said_once_and_changes_nothing,
                               use),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
