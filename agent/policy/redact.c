/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redaction of URLs (RFC 3986): the values of secret-looking parameters, and user information.
 *
 *   https://user:secret@host/path?token=abc&page=2&to=http://u:p@x/#key=x
 *   https://REDACTED@host/path?token=REDACTED&page=2&to=REDACTED#key=REDACTED
 *
 * User information stands behind any "//", also in a path or in a parameter's value. Parameters end
 * at & ; ? or #. A name is compared after percent-decoding, so that to%6Ben is token; a name too
 * long to be looked at counts as secret. Each text is written twice by the same function: first to
 * nowhere, to learn its length, then into the arena.
 */
#include "policy/internal.h"

#define NAME_MAX_LOOKED_AT 256
#define VALUE_MAX_LOOKED_AT 1024

static const struct bytes redacted = BYTES_LITERAL("REDACTED");

struct writer {
    uint8_t *out; /* NULL: only measure */
    size_t len;
    bool changed;
};

static void write_raw(struct writer *writer, struct bytes b)
{
    if (writer->out && b.len)
        memcpy(writer->out + writer->len, b.ptr, b.len);
    writer->len += b.len;
}

static void write_redacted(struct writer *writer)
{
    write_raw(writer, redacted);
    writer->changed = true;
}

static bool contains_nocase(struct bytes text, struct bytes part)
{
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (bytes_equal_nocase(bytes_slice(text, i, part.len), part))
            return true;
    return false;
}

/* `out` has room for name.len bytes. A broken escape stays as it is. */
static struct bytes percent_decode(struct bytes name, uint8_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        out[n] = name.ptr[i];
        if (name.ptr[i] == '%' && bytes_from_hex(bytes_slice(name, i + 1, 2), &out[n], 1) == 0)
            i += 2;
        n++;
    }
    return bytes_make(out, n);
}

static bool is_secret(const struct policy *policy, struct bytes name)
{
    uint8_t decoded[NAME_MAX_LOOKED_AT];

    if (name.len > sizeof(decoded))
        return true;
    name = percent_decode(name, decoded);
    for (size_t i = 0; i < policy->query_keys.n; i++)
        if (contains_nocase(name, bytes_from_string(policy->query_keys.items[i])))
            return true;
    return false;
}

static size_t find_any(struct bytes text, const char *characters)
{
    size_t i = 0;

    while (i < text.len && (!text.ptr[i] || !strchr(characters, text.ptr[i])))
        i++;
    return i;
}

/* The user information that the authority at the beginning of `text` has, without its @; or 0. */
static size_t user_information(struct bytes text)
{
    size_t end = find_any(text, "/?#"), at = 0;

    for (size_t i = 0; i < end; i++)
        if (text.ptr[i] == '@')
            at = i;
    return at;
}

/* The offset behind the next "//", or SIZE_MAX. */
static size_t find_authority(struct bytes text)
{
    for (size_t i = 0; i + 2 <= text.len; i++)
        if (text.ptr[i] == '/' && text.ptr[i + 1] == '/')
            return i + 2;
    return SIZE_MAX;
}

/* Does this value of a parameter hold a URL with user information? Too long to look at counts. */
static bool holds_user_information(struct bytes value)
{
    uint8_t decoded[VALUE_MAX_LOOKED_AT];
    size_t start;

    if (value.len > sizeof(decoded))
        return bytes_find(value, '@') != SIZE_MAX || bytes_find(value, '%') != SIZE_MAX;
    value = percent_decode(value, decoded);
    while ((start = find_authority(value)) != SIZE_MAX) {
        value = bytes_skip(value, start);
        if (user_information(value))
            return true;
    }
    return false;
}

/* name=value&name=value... */
static void write_parameters(const struct policy *policy, struct writer *writer, struct bytes text)
{
    while (text.len) {
        size_t end = find_any(text, "&;?#");
        struct bytes parameter = bytes_slice(text, 0, end);
        size_t equals = bytes_find(parameter, '='), value = equals == SIZE_MAX ? 0 : equals + 1;

        if ((value && is_secret(policy, bytes_slice(parameter, 0, equals))) ||
            holds_user_information(bytes_skip(parameter, value))) {
            write_raw(writer, bytes_slice(parameter, 0, value));
            write_redacted(writer);
        } else {
            write_raw(writer, parameter);
        }
        write_raw(writer, bytes_slice(text, end, 1));
        text = bytes_skip(text, end + 1);
    }
}

static void write_url(const struct policy *policy, struct writer *writer, struct bytes url)
{
    size_t parameters = find_any(url, "?#");
    struct bytes front = bytes_slice(url, 0, parameters);
    size_t start;

    while ((start = find_authority(front)) != SIZE_MAX) {
        size_t at = user_information(bytes_skip(front, start));

        write_raw(writer, bytes_slice(front, 0, start));
        if (at)
            write_redacted(writer);
        front = bytes_skip(front, start + at);
    }
    write_raw(writer, front);
    write_raw(writer, bytes_slice(url, parameters, 1));
    write_parameters(policy, writer, bytes_skip(url, parameters + 1));
}

typedef void (*text_writer)(const struct policy *policy, struct writer *writer, struct bytes text);

static const struct {
    struct bytes key;
    text_writer write;
} redacted_attributes[] = {
    {BYTES_LITERAL("url.query"), write_parameters},
    {BYTES_LITERAL("url.path"), write_url},
    {BYTES_LITERAL("url.full"), write_url},
};

static struct bytes redact_text(const struct policy *policy, struct arena *arena,
                                struct bytes text, text_writer write)
{
    struct writer writer = {0};

    write(policy, &writer, text);
    if (!writer.changed)
        return text;
    writer.out = arena_alloc(arena, writer.len);
    if (!writer.out)
        return redacted;
    writer.len = 0;
    write(policy, &writer, text);
    return bytes_make(writer.out, writer.len);
}

void policy_redact(const struct policy *policy, struct span *span)
{
    for (size_t i = 0; i < span->n_attributes; i++) {
        struct attribute *attribute = &span->attributes[i];

        if (attribute->type != ATTRIBUTE_TEXT)
            continue;
        for (size_t j = 0; j < sizeof(redacted_attributes) / sizeof(redacted_attributes[0]); j++)
            if (bytes_equal(attribute->key, redacted_attributes[j].key))
                attribute->text = redact_text(policy, span->arena, attribute->text,
                                              redacted_attributes[j].write);
    }
}
