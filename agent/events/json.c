/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON event format of CloudEvents (cloudevents/formats/json-format.md), both ways. */
#include "events/flow_event.h"

#include "base/json_scan.h"
#include "base/macro.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#define DEPTH_MAX 32
#define VALUES_MAX (1u << 16)
#define PATH_MAX_LEN 255

static bool read_value(const json_t *json, struct attribute *ret_value)
{
    switch (json_typeof(json)) {
    case JSON_STRING:
        ret_value->type = ATTRIBUTE_TEXT;
        ret_value->text = bytes_make(json_string_value(json), json_string_length(json));
        return true;
    case JSON_INTEGER:
        ret_value->type = ATTRIBUTE_INTEGER;
        ret_value->integer = json_integer_value(json);
        return true;
    case JSON_REAL:
        ret_value->type = ATTRIBUTE_REAL;
        ret_value->real = json_real_value(json);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        ret_value->type = ATTRIBUTE_BOOLEAN;
        ret_value->boolean = json_is_true(json);
        return true;
    default:
        return false;
    }
}

/* "order.total" through objects; NULL where there is nothing. */
static const json_t *follow(const json_t *json, const char *path)
{
    char name[PATH_MAX_LEN + 1];

    while (json && *path) {
        size_t len = strcspn(path, ".");

        if (len > PATH_MAX_LEN)
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        json = json_object_get(json, name);
        path += len + (path[len] == '.');
    }
    return json;
}

static void take_data(const json_t *data, const struct flow_event_rules *rules,
                      struct flow_event *event)
{
    for (size_t i = 0; i < rules->n_fields && event->n_data < ELEMENTSOF(event->data); i++) {
        struct attribute value = {.key = bytes_from_string(rules->fields[i])};
        const json_t *found = follow(data, rules->fields[i]);

        if (found && read_value(found, &value))
            event->data[event->n_data++] = value;
    }
}

/* NULL, or what is wrong. */
static const char *read_event(json_t *json, const struct flow_event_rules *rules,
                              struct flow_event *ret_event)
{
    const char *name;
    json_t *member;

    *ret_event = (struct flow_event){0};
    if (!json_is_object(json))
        return "an event is no JSON object";
    json_object_foreach(json, name, member) {
        struct attribute value = {.key = bytes_from_string(name)};

        if (read_value(member, &value))
            flow_event_set(ret_event, &value);
    }
    take_data(json_object_get(json, "data"), rules, ret_event);
    return flow_event_problem(ret_event, rules);
}

static int refuse(const char *reason, const char **ret_reason)
{
    *ret_reason = reason;
    return -EBADMSG;
}

static int load(struct bytes text, json_t **ret_json, const char **ret_reason)
{
    if (!json_is_bounded(text, DEPTH_MAX, VALUES_MAX))
        return refuse("nested too deep, or too many values", ret_reason);
    *ret_json = json_loadb((const char *)text.ptr, text.len, JSON_ALLOW_NUL | JSON_DECODE_ANY,
                           NULL);
    return *ret_json ? 0 : refuse("this is no JSON", ret_reason);
}

/* All of them are looked at before the first is given away. */
static int give_all(json_t *list, const struct flow_event_rules *rules, flow_event_sink sink,
                    void *arg, const char **ret_reason)
{
    struct flow_event event;
    const char *problem;
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item) {
        problem = read_event(item, rules, &event);
        if (problem)
            return refuse(problem, ret_reason);
    }
    json_array_foreach(list, i, item) {
        read_event(item, rules, &event);
        sink(arg, &event);
    }
    return 0;
}

int flow_events_read(struct bytes json, bool batch, const struct flow_event_rules *rules,
                     flow_event_sink sink, void *arg, const char **ret_reason)
{
    _cleanup_(json_decrefp) json_t *root = NULL;
    struct flow_event event;
    const char *problem;
    int r = load(json, &root, ret_reason);

    if (r < 0)
        return r;
    if (batch)
        return json_is_array(root) ? give_all(root, rules, sink, arg, ret_reason)
                                   : refuse("a batch is no JSON list", ret_reason);
    problem = read_event(root, rules, &event);
    if (problem)
        return refuse(problem, ret_reason);
    sink(arg, &event);
    return 0;
}

int flow_event_read_data(struct flow_event *event, struct bytes json,
                         const struct flow_event_rules *rules, flow_event_sink sink, void *arg,
                         const char **ret_reason)
{
    _cleanup_(json_decrefp) json_t *data = NULL;
    int r = load(json, &data, ret_reason);

    if (r < 0)
        return r;
    take_data(data, rules, event);
    sink(arg, event);
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* False: the text is not UTF-8. */
static bool set_text(json_t *object, const char *name, struct bytes text)
{
    json_t *value = text.len ? json_stringn((const char *)text.ptr, text.len) : NULL;

    return text.len == 0 || json_object_set_new(object, name, value) == 0;
}

static bool set_attributes(json_t *object, const struct flow_event *event)
{
    char name[FLOW_EVENT_NAME_MAX + 1];
    bool good = set_text(object, "specversion", event->spec_version) &&
                set_text(object, "id", event->id) && set_text(object, "source", event->source) &&
                set_text(object, "type", event->type) &&
                set_text(object, "subject", event->subject) &&
                set_text(object, "time", event->time) &&
                set_text(object, "traceparent", event->traceparent) &&
                set_text(object, "tracestate", event->tracestate);

    for (size_t i = 0; i < event->n_extensions && good; i++) {
        snprintf(name, sizeof(name), "%.*s", BYTES_PRINTF(event->extensions[i].key));
        good = set_text(object, name, event->extensions[i].text);
    }
    return good;
}

static int append_dumped(const char *ptr, size_t n, void *arg)
{
    struct buffer *buffer = arg;

    buffer_append(buffer, ptr, n);
    return buffer->failed ? -1 : 0;
}

int flow_event_to_json(const struct flow_event *event, struct bytes data, struct buffer *buffer)
{
    _cleanup_(json_decrefp) json_t *object = json_object();
    json_t *parsed = NULL;

    if (!object || !set_attributes(object, event))
        return -EBADMSG;
    if (data.len) {
        parsed = json_loadb((const char *)data.ptr, data.len, JSON_DECODE_ANY, NULL);
        if (!parsed || json_object_set_new(object, "data", parsed) < 0)
            return -EBADMSG;
    }
    return json_dump_callback(object, append_dumped, buffer, JSON_COMPACT) < 0 ? -ENOBUFS : 0;
}
