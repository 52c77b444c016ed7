/* SPDX-License-Identifier: Apache-2.0 */
/* Settings and environment of the OTLP exporters; the contracts stand in settings.h. */
#include "exporters/otlp/settings.h"

#include "base/clock.h"
#include "base/log.h"
#include "exporters/secret.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#define VARIABLE_MAX 80
/* What a header's name consists of, in gRPC as in HTTP/2 (gRPC's PROTOCOL-HTTP2.md). */
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

const struct setting_form otlp_form_compression = {otlp_is_compression, "none, gzip, or empty"};
const struct setting_form otlp_form_insecure = {otlp_is_insecure, "true, false, or empty"};
const struct setting_form otlp_form_header = {otlp_is_header, "of the form NAME=VALUE"};

bool otlp_is_compression(const char *text)
{
    return !*text || strcmp(text, "none") == 0 || strcmp(text, "gzip") == 0;
}

bool otlp_is_insecure(const char *text)
{
    return !*text || strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
}

bool otlp_is_header(const char *text)
{
    size_t name = strspn(text, NAME_CHARACTERS);

    return name > 0 && text[name] == '=';
}

/* Of the signal, then for all of them. */
static const char *const forms[] = {"TRACES_", ""};

/* Of the form at this place. NULL: unset, or empty. */
static const char *variable(size_t i, const char *name, char ret_variable[static VARIABLE_MAX])
{
    const char *value;

    snprintf(ret_variable, VARIABLE_MAX, "OTEL_EXPORTER_OTLP_%s%s", forms[i], name);
    value = getenv(ret_variable);
    return value && *value ? value : NULL;
}

const char *otlp_environment(const char *name, bool *ret_of_signal)
{
    char ignored[VARIABLE_MAX];

    for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
        const char *value = variable(i, name, ignored);

        *ret_of_signal = i == 0;
        if (value)
            return value;
    }
    return NULL;
}

static const char *text_of(const char *setting, const char *name)
{
    bool of_signal;

    return setting ?: otlp_environment(name, &of_signal) ?: "";
}

/*
 * As text_of; a variable whose value is no good is told and counts as unset (specification,
 * configuration/sdk-environment-variables.md). Its value may be a secret.
 */
static const char *good_text_of(const char *exporter, const char *setting, const char *name,
                                bool (*is_good)(const char *text))
{
    char name_of[VARIABLE_MAX];

    if (setting)
        return setting;
    for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
        const char *value = variable(i, name, name_of);

        if (value && is_good(value))
            return value;
        if (value)
            log_warning("exporter %s: %s is ignored: its value is not valid", exporter, name_of);
    }
    return "";
}

static bool parse_milliseconds(const char *text, uint64_t *ret_ms)
{
    return bytes_parse_u64(bytes_from_string(text), ret_ms) == 0 && *ret_ms > 0 &&
           *ret_ms <= UINT32_MAX;
}

static bool is_timeout(const char *text)
{
    uint64_t ms;

    return parse_milliseconds(text, &ms);
}

static uint64_t choose_timeout(const char *name, const struct otlp_settings *settings,
                               uint64_t send_timeout_ns)
{
    uint64_t ms;

    if (settings->timeout != SETTING_NOT_SET)
        return settings->timeout ?: send_timeout_ns;
    return parse_milliseconds(good_text_of(name, NULL, "TIMEOUT", is_timeout), &ms)
               ? ms * NS_PER_MS : send_timeout_ns;
}

/* ---- headers --------------------------------------------------------------------------------- */

/* Takes the value over. */
static int add_header(struct otlp_choice *choice, struct bytes name, char *value)
{
    struct otlp_header *header = &choice->headers[choice->n_headers];

    if (choice->n_headers == OTLP_HEADERS_MAX) {
        free(value);
        return -E2BIG;
    }
    header->name = strndup((const char *)name.ptr, name.len);
    header->value = value;
    choice->n_headers++;
    if (!header->name)
        return -ENOMEM;
    for (char *c = header->name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return 0;
}

static int add_setting(const char *name, struct otlp_choice *choice, const char *item)
{
    struct bytes header = bytes_make(item, strcspn(item, "="));
    char *value = NULL;
    int r = secret_read(item + header.len + 1, &value);

    if (r == 0)
        r = add_header(choice, header, value);
    return r < 0 ? log_error(r, "exporter %s: the header %.*s cannot be read", name,
                             BYTES_PRINTF(header)) : 0;
}

/* "%2C" to ",": the values of the variable are those of W3C Baggage. In place. */
static void decode_percent(char *text)
{
    char *out = text;
    uint8_t byte;

    for (; *text; text++) {
        if (*text == '%' && strlen(text) > 2 &&
            bytes_from_hex(bytes_make(text + 1, 2), &byte, 1) == 0) {
            *out++ = (char)byte;
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static int add_variable(struct otlp_choice *choice, struct bytes pair)
{
    size_t equals = bytes_find(pair, '=');
    struct bytes name = bytes_trim(bytes_slice(pair, 0, equals));
    struct bytes value = equals == SIZE_MAX ? BYTES_NULL : bytes_trim(bytes_skip(pair, equals + 1));
    char *copy;

    if (bytes_trim(pair).len == 0)
        return 0;
    copy = strndup(value.len ? (const char *)value.ptr : "", value.len);
    if (!copy)
        return -ENOMEM;
    decode_percent(copy);
    if (equals == SIZE_MAX || name.len == 0 || copy[strcspn(copy, "\r\n")] ||
        strspn((const char *)name.ptr, NAME_CHARACTERS) < name.len) {
        free(copy);
        return -EINVAL;
    }
    return add_header(choice, name, copy);
}

static int add_variables(struct otlp_choice *choice, const char *text)
{
    struct bytes rest = bytes_from_string(text);

    while (rest.len > 0) {
        size_t comma = bytes_find(rest, ',');
        int r = add_variable(choice, bytes_slice(rest, 0, comma));

        if (r < 0)
            return r;
        rest = comma == SIZE_MAX ? BYTES_NULL : bytes_skip(rest, comma + 1);
    }
    return 0;
}

static bool are_headers(const char *text)
{
    _cleanup_(otlp_choice_done) struct otlp_choice trial = {0};

    return add_variables(&trial, text) == 0;
}

static int choose_headers(const char *name, const struct otlp_settings *settings,
                          struct otlp_choice *choice)
{
    int r = 0;

    if (!settings->headers.items)
        return add_variables(choice, good_text_of(name, NULL, "HEADERS", are_headers));
    for (size_t i = 0; i < settings->headers.n && r == 0; i++)
        r = add_setting(name, choice, settings->headers.items[i]);
    return r;
}

/* ---- all of it ------------------------------------------------------------------------------- */

int otlp_choose(const char *name, const struct otlp_settings *settings, uint64_t send_timeout_ns,
                struct otlp_choice *ret_choice)
{
    const char *compression = good_text_of(name, settings->compression, "COMPRESSION",
                                           otlp_is_compression);
    const char *insecure = good_text_of(name, settings->insecure, "INSECURE", otlp_is_insecure);
    struct otlp_choice *choice = ret_choice;

    *choice = (struct otlp_choice){
        .ca = text_of(settings->ca, "CERTIFICATE"),
        .certificate = text_of(settings->certificate, "CLIENT_CERTIFICATE"),
        .key = text_of(settings->key, "CLIENT_KEY"),
        .gzip = strcmp(compression, "gzip") == 0,
        .insecure = strcasecmp(insecure, "true") == 0,
        .timeout_ns = choose_timeout(name, settings, send_timeout_ns),
        .max_message = settings->max_message,
    };
    if (!*choice->certificate != !*choice->key)
        return log_error(-EINVAL, "exporter %s: a certificate and its key come together: give both "
                                  "or none", name);
    return choose_headers(name, settings, choice);
}

void otlp_choice_done(struct otlp_choice *choice)
{
    for (size_t i = 0; i < choice->n_headers; i++) {
        free(choice->headers[i].name);
        free(choice->headers[i].value);
    }
    choice->n_headers = 0;
}

char *otlp_next_endpoint(const char **at)
{
    const char *begin = *at + strspn(*at, ", ");
    size_t len = strcspn(begin, ", ");

    if (len == 0)
        return NULL;
    *at = begin + len;
    return strndup(begin, len);
}
