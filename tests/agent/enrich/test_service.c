/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/process.h"

#include "base/macro.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HEX_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX_63 "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOTHING BYTES_LITERAL("")

static void assert_name(struct bytes environment, struct bytes cmdline, struct bytes cgroup,
                        const char *executable, const char *expected)
{
    uint8_t memory[1024];
    struct arena arena = arena_over(memory, sizeof(memory));
    struct bytes name = process_service_name(environment, cmdline, cgroup,
                                             bytes_from_string(executable), &arena);

    if (!bytes_equal(name, bytes_from_string(expected)))
        fail_msg("%.*s is not %s", BYTES_PRINTF(name), expected);
}

static void the_environment_comes_first(void **state)
{
    struct bytes cgroup = BYTES_LITERAL("/system.slice/unit.service");
    static const struct {
        struct bytes environment;
        const char *expected;
    } cases[] = {
        {BYTES_LITERAL("A=1\0OTEL_SERVICE_NAME=orders\0"), "orders"},
        {BYTES_LITERAL("OTEL_RESOURCE_ATTRIBUTES=service.name=a\0OTEL_SERVICE_NAME=b\0"), "b"},
        {BYTES_LITERAL("OTEL_SERVICE_NAME=\0OTEL_RESOURCE_ATTRIBUTES=x=1, service.name = a b ,y=2"),
         "a b"},
        {BYTES_LITERAL("OTEL_RESOURCE_ATTRIBUTES=service.name=a%2Cb%20c,x=1\0"), "a,b c"},
        {BYTES_LITERAL("OTEL_RESOURCE_ATTRIBUTES=service.name=a,x=%4\0"), "unit"},
        {BYTES_LITERAL("OTEL_RESOURCE_ATTRIBUTES=service.name=a,b\0"), "unit"},
        {BYTES_LITERAL("OTEL_RESOURCE_ATTRIBUTES=service.name=\0"), "unit"},
        {BYTES_LITERAL("NOT_OTEL_SERVICE_NAME=x\0"), "unit"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_name(cases[i].environment, NOTHING, cgroup, "/usr/bin/x", cases[i].expected);
}

static void the_unit_comes_before_the_program(void **state)
{
    static const char *const cases[][2] = {
        {"/system.slice/orders.service", "orders"},
        {"/system.slice/system-orders.slice/orders@1.service/worker", "orders@1"},
        {"/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service", "shop"},
        {"/user.slice/user-1000.slice/user@1000.service/init.scope", "x"},
        {"/user.slice/user-1000.slice/session-3.scope", "x"},
        {"/system.slice/containerd.service/kubepods/cri-containerd-" HEX_64 ".scope", "x"},
        {"/docker/" HEX_64 "/system.slice/nginx.service", "nginx"},
        {"/.service", "x"},
        {"", "x"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_name(NOTHING, NOTHING, bytes_from_string(cases[i][0]), "/usr/bin/x", cases[i][1]);
}

static void an_interpreter_gives_the_name_of_its_script(void **state)
{
    static const struct {
        struct bytes cmdline;
        const char *executable, *expected;
    } cases[] = {
        {BYTES_LITERAL("python3\0/srv/orders.py\0--port\0" "80\0"), "/usr/bin/python3.11",
         "orders"},
        {BYTES_LITERAL("python3\0-u\0-W\0error\0orders.py\0"), "/usr/bin/python3", "orders"},
        {BYTES_LITERAL("python3\0-m\0http.server\0"), "/usr/bin/python3.11", "http.server"},
        {BYTES_LITERAL("python3\0-c\0import x\0"), "/usr/bin/python3.11", "python3.11"},
        {BYTES_LITERAL("python3\0/usr/bin/gunicorn\0app:app\0"), "/usr/bin/python3", "gunicorn"},
        {BYTES_LITERAL("python3\0"), "/usr/bin/python3.11", "python3.11"},
        {BYTES_LITERAL("node\0--require\0./trace.js\0/srv/stock.js\0"), "/usr/bin/node", "stock"},
        {BYTES_LITERAL("node\0.\0"), "/usr/bin/node", "node"},
        {BYTES_LITERAL("node\0-e\0code\0"), "/usr/bin/node", "node"},
        {BYTES_LITERAL("java\0-Xmx1g\0-cp\0lib/a.jar\0-jar\0/srv/pay-1.2.jar\0x\0"),
         "/usr/lib/jvm/java-17/bin/java", "pay-1.2"},
        {BYTES_LITERAL("java\0-cp\0lib\0com.acme.Main\0"), "/usr/bin/java", "java"},
        {BYTES_LITERAL("ruby\0-I\0lib\0shop.rb\0"), "/usr/bin/ruby3.1", "shop"},
        {BYTES_LITERAL("perl\0-w\0bin/mail.pl\0"), "/usr/bin/perl5.36.0", "mail"},
        {BYTES_LITERAL("php\0-d\0a=b\0-f\0job.php\0"), "/usr/bin/php8.2", "job"},
        {BYTES_LITERAL("/bin/sh\0/etc/init.d/backup\0start\0"), "/usr/bin/dash", "backup"},
        {BYTES_LITERAL("bash\0-c\0curl x\0"), "/usr/bin/bash", "bash"},
        {BYTES_LITERAL("sh\0.profile\0"), "/bin/sh", ".profile"},
        {BYTES_LITERAL("python3\0-m\0"), "/usr/bin/python3", "python3"},
        {BYTES_LITERAL("pythonista\0a.py\0"), "/usr/bin/pythonista", "pythonista"},
        {BYTES_LITERAL("nginx: worker process\0"), "/usr/sbin/nginx", "nginx"},
        {BYTES_LITERAL(""), "", ""},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        assert_name(NOTHING, cases[i].cmdline, NOTHING, cases[i].executable, cases[i].expected);
}

static void a_full_arena_shortens_the_name(void **state)
{
    uint8_t memory[8];
    struct arena arena = arena_over(memory, sizeof(memory));
    struct bytes name = process_service_name(NOTHING, NOTHING, NOTHING,
                                             BYTES_LITERAL("/usr/bin/a-long-program"), &arena);

    assert_true(bytes_equal(name, BYTES_LITERAL("a-long-p")));
}

static void a_container_id_is_the_last_part_of_64_hex_digits(void **state)
{
    static const char *const cases[][2] = {
        {"/docker/" HEX_64, HEX_64},
        {"/system.slice/docker-" HEX_64 ".scope", HEX_64},
        {"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" HEX_64 ".scope", HEX_64},
        {"/kubepods/pod1/crio-" HEX_64 "/child", HEX_64},
        {"/machine.slice/libpod-" HEX_64 ".scope/container", HEX_64},
        {"/a" HEX_63 "/0" HEX_63, "0" HEX_63},
        {"/docker/" HEX_63, ""},
        {"/docker/" HEX_64 "0", ""},
        {"/docker/g" HEX_63, ""},
        {"/system.slice/orders.service", ""},
        {"", ""},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct bytes id = process_container_id(bytes_from_string(cases[i][0]));

        if (!bytes_equal(id, bytes_from_string(cases[i][1])))
            fail_msg("%s gave %.*s", cases[i][0], BYTES_PRINTF(id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_comes_first),
        cmocka_unit_test(the_unit_comes_before_the_program),
        cmocka_unit_test(an_interpreter_gives_the_name_of_its_script),
        cmocka_unit_test(a_full_arena_shortens_the_name),
        cmocka_unit_test(a_container_id_is_the_last_part_of_64_hex_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
