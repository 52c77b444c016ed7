/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service is called, and which container it runs in: rules over the texts of /proc. The
 * order of the rules stands in process.h; each rule is a function that answers with an empty string
 * where it does not apply.
 */
#include "enrich/process.h"

#include "base/macro.h"
#include "enrich/proc.h"
#include "enrich/said.h"
#include "span/semconv.h"

#define CONTAINER_ID_LEN 64
#define LIST_MAX 4096 /* of OTEL_RESOURCE_ATTRIBUTES, for the name */

/* Lists of options end at their first empty string. */
struct interpreter {
    struct bytes name;               /* version numbers may follow */
    const char *const *with_value;   /* the next argument belongs to the option */
    const char *const *script_next;  /* the next argument is the script */
    const char *const *module_next;  /* the next argument is a name, without path and suffix */
    const char *const *no_script;    /* the program stands in the command line itself */
    bool script_only_by_option;
};

#define OPTIONS(...) (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) ""}

static const char *const no_options[] = {""};

#define SHELL(shell_name)                                                                          \
    {BYTES_LITERAL(shell_name), OPTIONS("-o", "+o", "-O", "+O"), no_options, no_options,           \
     OPTIONS("-c", "-s"), false}

static const struct interpreter interpreters[] = {
    {BYTES_LITERAL("python"), OPTIONS("-W", "-X", "--check-hash-based-pycs"), no_options,
     OPTIONS("-m"), OPTIONS("-c", "-"), false},
    {BYTES_LITERAL("node"), OPTIONS("-r", "--require", "--import", "--loader", "-C"), no_options,
     no_options, OPTIONS("-e", "--eval", "-p", "--print", "-pe", "-"), false},
    {BYTES_LITERAL("java"), no_options, OPTIONS("-jar"), no_options, no_options, true},
    {BYTES_LITERAL("ruby"), OPTIONS("-I", "-r", "-C"), no_options, no_options, OPTIONS("-e", "-"),
     false},
    {BYTES_LITERAL("perl"), OPTIONS("-I"), no_options, no_options, OPTIONS("-e", "-E", "-"),
     false},
    {BYTES_LITERAL("php"), OPTIONS("-c", "-d", "-S", "-t"), OPTIONS("-f"), no_options,
     OPTIONS("-r", "-"), false},
    SHELL("sh"), SHELL("bash"), SHELL("dash"), SHELL("ash"), SHELL("ksh"), SHELL("zsh"),
};

static bool is_one_of(struct bytes text, const char *const *options)
{
    for (; **options; options++)
        if (bytes_equal(text, bytes_from_string(*options)))
            return true;
    return false;
}

static const struct interpreter *find_interpreter(struct bytes executable)
{
    struct bytes name = proc_file_name(executable);

    while (name.len && strchr("0123456789.", name.ptr[name.len - 1]) && name.ptr[name.len - 1])
        name.len--;
    for (size_t i = 0; i < ELEMENTSOF(interpreters); i++)
        if (bytes_equal(name, interpreters[i].name))
            return &interpreters[i];
    return NULL;
}

static struct bytes script_name(struct bytes path)
{
    struct bytes name = proc_file_name(path);
    size_t dot = name.len;

    if (bytes_equal(name, BYTES_LITERAL(".")) || bytes_equal(name, BYTES_LITERAL("..")))
        return BYTES_NULL;
    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    return dot > 1 ? bytes_slice(name, 0, dot - 1) : name;
}

static struct bytes name_from_script(struct bytes cmdline, struct bytes executable)
{
    const struct interpreter *interpreter = find_interpreter(executable);

    if (!interpreter)
        return BYTES_NULL;
    proc_next_string(&cmdline);
    while (cmdline.len) {
        struct bytes argument = proc_next_string(&cmdline);

        if (is_one_of(argument, interpreter->script_next))
            return script_name(proc_next_string(&cmdline));
        if (is_one_of(argument, interpreter->module_next))
            return proc_next_string(&cmdline);
        if (is_one_of(argument, interpreter->no_script))
            return BYTES_NULL;
        if (is_one_of(argument, interpreter->with_value))
            proc_next_string(&cmdline);
        else if (!bytes_starts_with(argument, BYTES_LITERAL("-")) &&
                 !interpreter->script_only_by_option)
            return script_name(argument);
    }
    return BYTES_NULL;
}

static struct bytes name_from_attributes(struct bytes environment, struct arena *arena)
{
    struct bytes list = process_attributes(environment);
    uint8_t text[LIST_MAX];
    struct arena scratch = arena_over(text, sizeof(text));
    struct said said;

    if (said_parse(list, &scratch, &said) < 0)
        return BYTES_NULL;
    return arena_copy(arena, said_text(&said, SEMCONV_SERVICE_NAME));
}

struct bytes process_attributes(struct bytes environment)
{
    return proc_environment(environment, BYTES_LITERAL("OTEL_RESOURCE_ATTRIBUTES"));
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

struct bytes process_container_id(struct bytes cgroup)
{
    struct bytes found = BYTES_NULL;
    size_t start = 0;

    while (start < cgroup.len) {
        uint8_t id[CONTAINER_ID_LEN / 2];
        struct bytes run = {cgroup.ptr + start, 0};

        while (start + run.len < cgroup.len && is_alphanumeric(run.ptr[run.len]))
            run.len++;
        if (run.len == CONTAINER_ID_LEN && bytes_from_hex(run, id, sizeof(id)) == 0)
            found = run;
        start += run.len + 1;
    }
    return found;
}

/*
 * The deepest unit of the path that is the program's own: not the one that started all of a user's
 * programs, nor, above a container, that of the container's runtime.
 */
static struct bytes name_from_unit(struct bytes cgroup)
{
    static const struct bytes suffix = BYTES_LITERAL(".service");
    struct bytes found = BYTES_NULL;

    while (cgroup.len) {
        struct bytes part = bytes_slice(cgroup, 0, bytes_find(cgroup, '/'));

        cgroup = bytes_skip(cgroup, part.len + 1);
        if (process_container_id(part).len || bytes_starts_with(part, BYTES_LITERAL("user@")))
            found = BYTES_NULL;
        else if (part.len > suffix.len &&
                 bytes_equal(bytes_skip(part, part.len - suffix.len), suffix))
            found = bytes_slice(part, 0, part.len - suffix.len);
    }
    return found;
}

struct bytes process_service_name(struct bytes environment, struct bytes cmdline,
                                  struct bytes cgroup, struct bytes executable,
                                  struct arena *arena)
{
    struct bytes name = proc_environment(environment, BYTES_LITERAL("OTEL_SERVICE_NAME"));

    if (name.len == 0)
        name = name_from_attributes(environment, arena);
    if (name.len == 0)
        name = name_from_unit(cgroup);
    if (name.len == 0)
        name = name_from_script(cmdline, executable);
    if (name.len == 0)
        name = proc_file_name(executable);
    return arena_copy(arena, name);
}
