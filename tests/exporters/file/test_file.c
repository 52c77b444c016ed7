/* SPDX-License-Identifier: Apache-2.0 */
/* Files written by the exporter, read back with a JSON reader. */
#include "exporters/exporter.h"

#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

extern const struct exporter_ops exporter_file;

static char path[] = "/tmp/flowtrace-test-file-XXXXXX";
static _Atomic bool stopping;

static int make_path(void **state)
{
    int fd;

    strcpy(path + strlen(path) - 6, "XXXXXX");
    fd = mkstemp(path);
    assert_return_code(fd, errno);
    close(fd);
    return unlink(path);
}

static int remove_path(void **state)
{
    unlink(path);
    return 0;
}

static int open_with(const char *target, const char *const *assignments, void **ret_exporter)
{
    struct exporter_options options = {.target = target, .stopping = &stopping,
                                       .settings = sample_settings(&exporter_file, assignments)};

    return exporter_file.open(&options, ret_exporter);
}

static int open_file(const char *target, void **ret_exporter)
{
    return open_with(target, NULL, ret_exporter);
}

static void *opened(void)
{
    void *exporter = NULL;

    assert_int_equal(open_file(path, &exporter), 0);
    return exporter;
}

static size_t spans_in(json_t *request)
{
    json_t *resource, *scope;
    size_t i, j, n = 0;

    json_array_foreach(json_object_get(request, "resourceSpans"), i, resource)
        json_array_foreach(json_object_get(resource, "scopeSpans"), j, scope)
            n += json_array_size(json_object_get(scope, "spans"));
    return n;
}

/* The spans of each line; every line is a JSON object and ends in a newline. Returns the lines. */
static size_t read_lines(size_t *spans, size_t max)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0, n = 0;
    ssize_t length;

    assert_non_null(file);
    while ((length = getline(&line, &size, file)) > 0) {
        json_t *request = json_loadb(line, (size_t)length - 1, 0, NULL);

        assert_int_equal(line[length - 1], '\n');
        assert_non_null(request);
        assert_true(n < max);
        spans[n++] = spans_in(request);
        json_decref(request);
    }
    free(line);
    fclose(file);
    return n;
}

static void each_batch_is_one_line(void **state)
{
    _cleanup_(batch_unrefp) struct batch *three = sample_batch_of(3);
    _cleanup_(batch_unrefp) struct batch *one = sample_batch_of(1);
    void *exporter = opened();
    size_t spans[4];

    assert_int_equal(exporter_file.send(exporter, three).result, EXPORT_OK);
    assert_int_equal(exporter_file.send(exporter, one).result, EXPORT_OK);
    exporter_file.close(exporter);
    assert_int_equal(read_lines(spans, ELEMENTSOF(spans)), 2);
    assert_int_equal(spans[0], 3);
    assert_int_equal(spans[1], 1);
}

static void ids_names_and_services_are_found_again(void **state)
{
    static const struct sample sample = {.service = "shop", .trace = 0xab, .id = 0xcd,
                                         .kind = SPAN_KIND_CLIENT, .name = "GET /cart"};
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch(&sample, 1);
    const char *id = NULL, *name = NULL, *key = NULL, *service = NULL;
    void *exporter = opened();
    json_t *request;
    int kind = 0;

    assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
    exporter_file.close(exporter);
    request = json_load_file(path, 0, NULL);
    assert_non_null(request);
    assert_int_equal(
        json_unpack(request, "{s:[{s:{s:[{s:s,s:{s:s}}]},s:[{s:[{s:s,s:s,s:i}]}]}]}",
                    "resourceSpans", "resource", "attributes", "key", &key, "value", "stringValue",
                    &service, "scopeSpans", "spans", "spanId", &id, "name", &name, "kind", &kind),
        0);
    assert_string_equal(key, "service.name");
    assert_string_equal(service, "shop");
    assert_string_equal(id, "cdcdcdcdcdcdcdcd");
    assert_string_equal(name, "GET /cart");
    assert_int_equal(kind, SPAN_KIND_CLIENT);
    json_decref(request);
}

static void the_file_is_its_owners_alone_and_appended_to(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(2);
    struct stat status;
    size_t spans[4];

    for (int i = 0; i < 2; i++) {
        void *exporter = opened();

        assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
        exporter_file.close(exporter);
    }
    assert_return_code(stat(path, &status), errno);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(read_lines(spans, ELEMENTSOF(spans)), 2);
}

static void a_path_that_does_not_open_is_an_error(void **state)
{
    void *exporter = NULL;

    assert_int_equal(open_file("", &exporter), -EINVAL);
    assert_int_equal(open_file("/nowhere/at/all", &exporter), -ENOENT);
    assert_int_equal(open_file("/tmp", &exporter), -EISDIR);
    assert_null(exporter);
}

static void a_disk_that_is_full_is_tried_again(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(1);
    struct export_outcome outcome;
    void *exporter = NULL;

    if (access("/dev/full", W_OK) < 0)
        skip();
    assert_int_equal(open_file("/dev/full", &exporter), 0);
    for (int i = 0; i < 2; i++) {
        outcome = exporter_file.send(exporter, batch);
        assert_int_equal(outcome.result, EXPORT_RETRY);
        assert_string_equal(outcome.reason, "cannot write /dev/full: No space left on device");
    }
    exporter_file.close(exporter);
}

/* A pipe takes a part of a line, then none, until it is read: retries continue where it stopped. */
static void a_line_cut_by_a_full_pipe_is_completed(void **state)
{
    static char text[1 << 20];
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(200);
    void *exporter = NULL;
    size_t n = 0, n_retries = 0;
    json_t *request;
    ssize_t got;
    int fd;

    assert_return_code(mkfifo(path, 0600), errno);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_return_code(fd, errno);
    assert_return_code(fcntl(fd, F_SETPIPE_SZ, 4096), errno);
    assert_int_equal(open_file(path, &exporter), 0);
    while (exporter_file.send(exporter, batch).result == EXPORT_RETRY) {
        n_retries++;
        while ((got = read(fd, text + n, sizeof(text) - n)) > 0)
            n += (size_t)got;
    }
    while ((got = read(fd, text + n, sizeof(text) - n)) > 0)
        n += (size_t)got;
    exporter_file.close(exporter);
    close(fd);
    assert_true(n_retries > 0);
    assert_ptr_equal(memchr(text, '\n', n), text + n - 1);
    request = json_loadb(text, n, 0, NULL);
    assert_non_null(request);
    assert_int_equal(spans_in(request), 200);
    json_decref(request);
}

/* The limit lets half of a line through, then refuses for good. */
static void behind_a_line_that_was_cut_the_next_starts_anew(void **state)
{
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(5);
    struct rlimit unlimited, limit;
    void *exporter = opened();
    char *line = NULL;
    size_t size = 0;
    FILE *file;

    signal(SIGXFSZ, SIG_IGN);
    assert_return_code(getrlimit(RLIMIT_FSIZE, &unlimited), errno);
    limit = (struct rlimit){.rlim_cur = 100, .rlim_max = unlimited.rlim_max};
    assert_return_code(setrlimit(RLIMIT_FSIZE, &limit), errno);
    assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_FAILED);
    assert_return_code(setrlimit(RLIMIT_FSIZE, &unlimited), errno);
    assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
    assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
    exporter_file.close(exporter);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(getline(&line, &size, file), 101);
    for (int i = 0; i < 2; i++) {
        ssize_t n = getline(&line, &size, file);
        json_t *request = json_loadb(line, n > 0 ? (size_t)n : 0, 0, NULL);

        assert_int_equal(spans_in(request), 5);
        json_decref(request);
    }
    assert_int_equal(getline(&line, &size, file), -1);
    free(line);
    fclose(file);
}

/* "PATH.n"; 0: PATH. The size, or -1 where there is none. */
static long size_of(unsigned n)
{
    struct stat status;
    char name[128];

    snprintf(name, sizeof(name), n ? "%s.%u" : "%s", path, n);
    return stat(name, &status) < 0 ? -1 : (long)status.st_size;
}

static void remove_numbered(void)
{
    char name[128];

    for (unsigned n = 1; n < 5; n++) {
        snprintf(name, sizeof(name), "%s.%u", path, n);
        unlink(name);
    }
}

static void a_file_is_rotated_before_it_is_too_large_and_lines_stay_whole(void **state)
{
    static const char *const settings[] = {"file.max_size=2500", "file.keep=2", NULL};
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(5);
    void *exporter = NULL;
    size_t spans[16];
    long line;

    assert_int_equal(open_with(path, settings, &exporter), 0);
    assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
    line = size_of(0);
    assert_in_range(line, 500, 1200);
    for (int i = 1; i < 10; i++)
        assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
    exporter_file.close(exporter);
    assert_int_equal(size_of(1) % line, 0);
    assert_int_equal(size_of(1), size_of(2));
    assert_in_range(size_of(1), 2500 - line, 2500);
    assert_int_equal(size_of(3), -1);
    assert_int_equal(read_lines(spans, ELEMENTSOF(spans)), size_of(0) / line);
    remove_numbered();
}

static void a_file_is_rotated_when_it_is_old_but_never_while_it_is_empty(void **state)
{
    static const char *const settings[] = {"file.max_age=1ns", NULL};
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(1);
    void *exporter = NULL;

    assert_int_equal(open_with(path, settings, &exporter), 0);
    assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
    assert_int_equal(size_of(1), -1);
    assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
    exporter_file.close(exporter);
    assert_int_equal(size_of(1), size_of(0));
    assert_int_equal(size_of(2), -1);
    remove_numbered();
}

static void the_age_of_a_file_goes_on_where_the_agent_begins_anew(void **state)
{
    static const char *const settings[] = {"file.max_age=20ms", NULL};
    _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(1);
    void *exporter = NULL;

    assert_int_equal(open_with(path, settings, &exporter), 0);
    assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
    exporter_file.close(exporter);
    usleep(30000);
    assert_int_equal(open_with(path, settings, &exporter), 0);
    assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
    exporter_file.close(exporter);
    assert_int_equal(size_of(1), size_of(0));
    remove_numbered();
}

static void a_rotation_that_cannot_open_a_file_is_not_begun_anew(void **state)
{
    static const char *const settings[] = {"file.max_size=1", "file.keep=3", NULL};
    struct rlimit before, none;
    void *exporter = NULL;
    long sizes[3];

    assert_int_equal(open_with(path, settings, &exporter), 0);
    for (size_t i = 0; i < 3; i++) {
        _cleanup_(batch_unrefp) struct batch *batch = sample_batch_of(i + 1);

        assert_int_equal(exporter_file.send(exporter, batch).result, EXPORT_OK);
        sizes[i] = size_of(0);
    }
    assert_return_code(getrlimit(RLIMIT_NOFILE, &before), errno);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_return_code(setrlimit(RLIMIT_NOFILE, &none), errno);
    _cleanup_(batch_unrefp) struct batch *last = sample_batch_of(4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(exporter_file.send(exporter, last).result, EXPORT_RETRY);
    assert_return_code(setrlimit(RLIMIT_NOFILE, &before), errno);
    assert_int_equal(exporter_file.send(exporter, last).result, EXPORT_OK);
    exporter_file.close(exporter);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(size_of(3 - i), sizes[i]);
    assert_true(size_of(0) > sizes[2]);
    remove_numbered();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_batch_is_one_line, make_path, remove_path),
        cmocka_unit_test_setup_teardown(ids_names_and_services_are_found_again, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(the_file_is_its_owners_alone_and_appended_to, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(a_path_that_does_not_open_is_an_error, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(a_disk_that_is_full_is_tried_again, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(a_line_cut_by_a_full_pipe_is_completed, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(
            a_file_is_rotated_before_it_is_too_large_and_lines_stay_whole, make_path, remove_path),
        cmocka_unit_test_setup_teardown(
            a_file_is_rotated_when_it_is_old_but_never_while_it_is_empty, make_path, remove_path),
        cmocka_unit_test_setup_teardown(
            the_age_of_a_file_goes_on_where_the_agent_begins_anew, make_path, remove_path),
        cmocka_unit_test_setup_teardown(
            a_rotation_that_cannot_open_a_file_is_not_begun_anew, make_path, remove_path),
        cmocka_unit_test_setup_teardown(behind_a_line_that_was_cut_the_next_starts_anew, make_path,
                                        remove_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
