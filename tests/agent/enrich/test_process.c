/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/process.h"

#include "base/clock.h"
#include "base/macro.h"
#include "enrich/proc.h"
#include "span/semconv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static uint64_t tick_ns(void)
{
    return NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
}

static uint64_t start_of(pid_t pid)
{
    char path[64], text[1024];
    uint64_t ticks;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    n = read(fd, text, sizeof(text));
    assert_true(n > 0);
    assert_int_equal(proc_parse_start(bytes_make(text, (size_t)n), &ticks), 0);
    return ticks * tick_ns();
}

/* A program that runs until it is killed, with a service name in its environment. */
static pid_t start_sleeper(void)
{
    static const char *const environment[] = {"A=1", "OTEL_SERVICE_NAME=dreams",
                                              "OTEL_RESOURCE_ATTRIBUTES=a=%2C", NULL};
    pid_t pid = fork();

    if (pid == 0) {
        execle("/bin/sleep", "sleep", "60", (char *)NULL, environment);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_process_reads_its_own_facts(void **state)
{
    uint8_t memory[8192];
    struct arena arena = arena_over(memory, sizeof(memory));
    struct process_facts facts;
    char executable[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", executable, sizeof(executable));

    assert_int_equal(process_read((uint32_t)getpid(), start_of(getpid()), &arena, &facts), 0);
    assert_true(bytes_equal(facts.executable, bytes_make(executable, (size_t)n)));
    assert_true(facts.service.len > 0);
    assert_true(facts.cgroup.len > 0);
}

static void another_process_is_read_with_its_environment(void **state)
{
    uint8_t memory[8192];
    struct arena arena = arena_over(memory, sizeof(memory));
    struct process_facts facts = {0};
    pid_t pid = start_sleeper();

    /* Until the exec has happened, /proc shows this program. */
    for (int i = 0; i < 200 && !bytes_equal(facts.service, BYTES_LITERAL("dreams")); i++) {
        arena_reset(&arena);
        assert_int_equal(process_read((uint32_t)pid, start_of(pid), &arena, &facts), 0);
        usleep(10000);
    }
    assert_true(bytes_equal(facts.service, BYTES_LITERAL("dreams")));
    assert_true(bytes_equal(facts.attributes, BYTES_LITERAL("a=%2C")));
    assert_true(facts.executable.len > 0);
    stop(pid);
}

static void a_start_that_differs_by_a_tick_is_another_process(void **state)
{
    uint8_t memory[8192];
    struct arena arena = arena_over(memory, sizeof(memory));
    struct process_facts facts = {.service = BYTES_LITERAL("untouched")};
    uint64_t start = start_of(getpid());
    uint32_t tgid = (uint32_t)getpid();

    assert_int_equal(process_read(tgid, start + tick_ns(), &arena, &facts), -ESRCH);
    assert_int_equal(process_read(tgid, start - tick_ns(), &arena, &facts), -ESRCH);
    assert_int_equal(process_read(tgid, 0, &arena, &facts), -ESRCH);
    assert_true(bytes_equal(facts.service, BYTES_LITERAL("untouched")));
    assert_int_equal(process_read(tgid, start + tick_ns() - 1, &arena, &facts), 0);
}

static void a_process_that_is_gone_is_not_found(void **state)
{
    uint8_t memory[8192];
    struct arena arena = arena_over(memory, sizeof(memory));
    struct process_facts facts;
    pid_t pid = start_sleeper();
    uint64_t start = start_of(pid);

    stop(pid);
    assert_int_equal(process_read((uint32_t)pid, start, &arena, &facts), -ESRCH);
}

/* The path of this program, and the number of its file. */
static struct process_image own_image(char *path)
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    struct stat stat_;

    path[n] = '\0';
    assert_int_equal(stat("/proc/self/exe", &stat_), 0);
    return (struct process_image){.path = bytes_make(path, (size_t)n), .inode = stat_.st_ino};
}

static void a_gone_process_has_the_path_to_which_its_link_leads(void **state)
{
    char link[] = "/tmp/flowtrace-link-XXXXXX", path[PATH_MAX];
    struct process_image image = own_image(path);
    struct bytes real = image.path;
    uint8_t memory[8192];
    struct arena arena = arena_over(memory, sizeof(memory));
    struct process_facts facts;

    assert_non_null(mkdtemp(link));
    assert_int_equal(rmdir(link), 0);
    assert_int_equal(symlinkat(path, AT_FDCWD, link), 0);
    image.path = bytes_from_string(link);
    process_read_gone(0, &image, &arena, &facts);
    assert_true(bytes_equal(facts.executable, real));
    image.inode++; /* another file: in another mount namespace, perhaps */
    process_read_gone(0, &image, &arena, &facts);
    assert_true(bytes_equal(facts.executable, image.path));
    assert_int_equal(unlink(link), 0);
}

static void a_gone_process_is_named_by_what_it_was_given(void **state)
{
    static const struct {
        struct process_image image;
        struct bytes service, executable, attributes;
    } cases[] = {
        {{BYTES_LITERAL("/opt/no/such"), 1}, BYTES_LITERAL("such"), BYTES_LITERAL("/opt/no/such")},
        {{BYTES_LITERAL("./such"), 1}, BYTES_LITERAL("such"), BYTES_NULL},
        {{BYTES_LITERAL("/dev/fd/3"), 1}, BYTES_NULL, BYTES_NULL},
        {{BYTES_NULL}, BYTES_NULL, BYTES_NULL},
        {{BYTES_LITERAL("/opt/bin/python3.9"), 1, BYTES_LITERAL("python3\0/srv/cart.py\0")},
         BYTES_LITERAL("cart"), BYTES_LITERAL("/opt/bin/python3.9")},
        {{BYTES_LITERAL("such"), 1, BYTES_LITERAL("such\0"),
          BYTES_LITERAL("A=1\0OTEL_SERVICE_NAME=dreams\0")}, BYTES_LITERAL("dreams"), BYTES_NULL},
        {{BYTES_LITERAL("such"), 1, BYTES_LITERAL("such\0"),
          BYTES_LITERAL("OTEL_RESOURCE_ATTRIBUTES=team=a\0")},
         BYTES_LITERAL("such"), BYTES_NULL, BYTES_LITERAL("team=a")},
        /* Cut: nobody knows how it went on. */
        {{BYTES_LITERAL("such"), 1, BYTES_LITERAL("such\0"),
          BYTES_LITERAL("A=1\0OTEL_SERVICE_NAME=drea")}, BYTES_LITERAL("such"), BYTES_NULL},
        {{BYTES_LITERAL("/opt/python3"), 1, BYTES_LITERAL("python3\0/srv/ca")},
         BYTES_LITERAL("python3"), BYTES_LITERAL("/opt/python3")},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        uint8_t memory[1024];
        struct arena arena = arena_over(memory, sizeof(memory));
        struct process_facts facts;

        process_read_gone(0, &cases[i].image, &arena, &facts);
        assert_true(bytes_equal(facts.service, cases[i].service));
        assert_true(bytes_equal(facts.executable, cases[i].executable));
        assert_true(bytes_equal(facts.attributes, cases[i].attributes));
        assert_int_equal(facts.cgroup.len, 0);
    }
}

static struct bytes text_of(const struct attribute *attributes, size_t n, struct bytes key)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_equal(attributes[i].key, key))
            return attributes[i].text;
    return BYTES_NULL;
}

static const struct resource_said nothing;

static void the_resource_has_what_is_known(void **state)
{
    const struct process_identity identity = {42, 1500 * NS_PER_MS, BYTES_LITERAL("orders-main")};
    const struct host_facts host = {BYTES_LITERAL("host1"), UINT64_C(1700000000) * NS_PER_S};
    const struct process_facts facts = {.executable = BYTES_LITERAL("/usr/bin/python3.11"),
                                        .service = BYTES_LITERAL("orders"),
                                        .container_id = BYTES_LITERAL("abc")};
    const struct {
        struct bytes key, text;
    } expected[] = {
        {SEMCONV_SERVICE_NAME, BYTES_LITERAL("orders")},
        {SEMCONV_HOST_NAME, BYTES_LITERAL("host1")},
        {SEMCONV_OS_TYPE, BYTES_LITERAL("linux")},
        {SEMCONV_PROCESS_EXECUTABLE_NAME, BYTES_LITERAL("python3.11")},
        {SEMCONV_PROCESS_EXECUTABLE_PATH, BYTES_LITERAL("/usr/bin/python3.11")},
        {SEMCONV_PROCESS_CREATION_TIME, BYTES_LITERAL("2023-11-14T22:13:21.500Z")},
        {SEMCONV_CONTAINER_ID, BYTES_LITERAL("abc")},
        {SEMCONV_TELEMETRY_DISTRO_NAME, BYTES_LITERAL("flowtrace")},
    };
    struct attribute out[RESOURCE_ATTRIBUTES_MAX];
    uint8_t memory[256];
    struct arena arena = arena_over(memory, sizeof(memory));
    size_t n = process_resource(&identity, &facts, &host, &nothing, &arena, out);

    assert_int_equal(n, ELEMENTSOF(expected) + 2);
    for (size_t i = 0; i < ELEMENTSOF(expected); i++)
        assert_true(bytes_equal(text_of(out, n, expected[i].key), expected[i].text));
    assert_true(text_of(out, n, SEMCONV_TELEMETRY_DISTRO_VERSION).len > 0);
    assert_int_equal(out[3].type, ATTRIBUTE_INTEGER);
    assert_int_equal(out[3].integer, 42);
}

static void without_facts_the_command_names_the_service(void **state)
{
    struct process_identity identity = {.tgid = 42, .comm = BYTES_LITERAL("orders-main")};
    const struct host_facts host = {0};
    struct attribute out[RESOURCE_ATTRIBUTES_MAX];
    uint8_t memory[256];
    struct arena arena = arena_over(memory, sizeof(memory));
    size_t n = process_resource(&identity, NULL, &host, &nothing, &arena, out);

    assert_int_equal(n, 5);
    assert_true(bytes_equal(out[0].text, BYTES_LITERAL("orders-main")));
    identity.comm = BYTES_NULL;
    process_resource(&identity, NULL, &host, &nothing, &arena, out);
    assert_true(bytes_equal(out[0].text, BYTES_LITERAL("unknown_service")));
}

static void say(struct said *said, const char *key, const char *text)
{
    assert_int_equal(said_add(said, bytes_from_string(key), bytes_from_string(text)), 0);
}

static void what_is_said_comes_before_what_is_seen_the_setting_first(void **state)
{
    const struct process_identity identity = {.tgid = 42, .comm = BYTES_LITERAL("orders")};
    const struct host_facts host = {.name = BYTES_LITERAL("seen")};
    struct said configured = {0}, process = {0}, agent = {0};
    const struct resource_said said = {&configured, &process, &agent};
    struct attribute out[RESOURCE_ATTRIBUTES_MAX];
    uint8_t memory[256];
    struct arena arena = arena_over(memory, sizeof(memory));
    size_t n;

    say(&configured, "a", "configured");
    say(&process, "a", "process");
    say(&process, "b", "process");
    say(&process, "service.name", "what the facts say counts");
    say(&process, "telemetry.distro.name", "another");
    say(&agent, "b", "agent");
    say(&agent, "c", "agent");
    say(&agent, "host.name", "node-7");
    n = process_resource(&identity, NULL, &host, &said, &arena, out);
    assert_true(bytes_equal(out[0].text, BYTES_LITERAL("orders")));
    assert_true(bytes_equal(text_of(out, n, BYTES_LITERAL("a")), BYTES_LITERAL("configured")));
    assert_true(bytes_equal(text_of(out, n, BYTES_LITERAL("b")), BYTES_LITERAL("process")));
    assert_true(bytes_equal(text_of(out, n, BYTES_LITERAL("c")), BYTES_LITERAL("agent")));
    assert_true(bytes_equal(text_of(out, n, SEMCONV_HOST_NAME), BYTES_LITERAL("node-7")));
    assert_true(bytes_equal(text_of(out, n, SEMCONV_TELEMETRY_DISTRO_NAME),
                            BYTES_LITERAL("flowtrace")));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(bytes_equal(out[i].key, out[j].key));
    say(&configured, "service.name", "all-in-one");
    process_resource(&identity, NULL, &host, &said, &arena, out);
    assert_true(bytes_equal(out[0].text, BYTES_LITERAL("all-in-one")));
}

static void of_an_endpoint_in_a_capture_only_the_setting_speaks(void **state)
{
    const struct process_identity endpoint = {.comm = BYTES_LITERAL("shop.example")};
    const struct host_facts host = {.name = BYTES_LITERAL("seen")};
    struct said configured = {0}, agent = {0};
    const struct resource_said said = {.configured = &configured, .agent = &agent};
    struct attribute out[RESOURCE_ATTRIBUTES_MAX];
    uint8_t memory[256];
    struct arena arena = arena_over(memory, sizeof(memory));
    size_t n;

    say(&configured, "a", "configured");
    say(&agent, "b", "agent");
    n = process_resource(&endpoint, NULL, &host, &said, &arena, out);
    assert_true(bytes_equal(text_of(out, n, BYTES_LITERAL("a")), BYTES_LITERAL("configured")));
    assert_int_equal(text_of(out, n, BYTES_LITERAL("b")).len, 0);
    assert_int_equal(text_of(out, n, SEMCONV_HOST_NAME).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_reads_its_own_facts),
        cmocka_unit_test(another_process_is_read_with_its_environment),
        cmocka_unit_test(a_start_that_differs_by_a_tick_is_another_process),
        cmocka_unit_test(a_process_that_is_gone_is_not_found),
        cmocka_unit_test(a_gone_process_has_the_path_to_which_its_link_leads),
        cmocka_unit_test(a_gone_process_is_named_by_what_it_was_given),
        cmocka_unit_test(the_resource_has_what_is_known),
        cmocka_unit_test(without_facts_the_command_names_the_service),
        cmocka_unit_test(what_is_said_comes_before_what_is_seen_the_setting_first),
        cmocka_unit_test(of_an_endpoint_in_a_capture_only_the_setting_speaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
