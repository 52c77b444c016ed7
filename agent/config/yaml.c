/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file to settings: one YAML 1.1 document whose mappings nest as the dots in a
 * setting's key do. The whole tree is read first (libyaml's document interface keeps the line of
 * each node), then walked; the walk is never deeper than the table's keys.
 *
 *   capture:
 *     head: 4KiB            ->  capture.head = 4KiB
 *   exporters: [console]    ->  exporters = console
 */
#include "config/setting.h"

#include "base/log.h"
#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#define CONFIG_FILE_MAX (64 * 1024)

struct yaml_walk {
    const char *file;
    yaml_document_t *document;
    struct settings *settings;
};

static size_t line_of(const yaml_node_t *node)
{
    return node->start_mark.line + 1;
}

/* The text of a scalar, or NULL where the node is none or holds a NUL. */
static const char *scalar_text(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;

    if (node->type != YAML_SCALAR_NODE || strlen(text) != node->data.scalar.length)
        return NULL;
    return text;
}

/* "name:" with nothing behind it, as it stands when all settings of a section are commented out. */
static bool is_nothing(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0;
}

static int assign_sequence(const struct yaml_walk *walk, const struct setting_place *place,
                           const yaml_node_t *node)
{
    size_t n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    _cleanup_(freep) const char **items = calloc(n ? n : 1, sizeof(*items));

    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        items[i] = scalar_text(yaml_document_get_node(walk->document,
                                                      node->data.sequence.items.start[i]));
        if (!items[i])
            return -EINVAL;
    }
    return setting_assign(place->row, place->values, items, n);
}

static int assign_node(const struct yaml_walk *walk, const struct setting_place *place,
                       const yaml_node_t *node)
{
    const struct setting *row = place->row;
    yaml_node_type_t wanted = row->type == SETTING_LIST ? YAML_SEQUENCE_NODE : YAML_SCALAR_NODE;
    const char *text = node->type == YAML_SCALAR_NODE ? scalar_text(node) : NULL;
    char allowed[512];
    int r = -EINVAL;

    if (node->type == wanted && wanted == YAML_SEQUENCE_NODE)
        r = assign_sequence(walk, place, node);
    else if (node->type == wanted && text)
        r = setting_assign(row, place->values, &text, 1);
    if (r == 0)
        return 0;
    setting_describe(row, allowed, sizeof(allowed));
    if (node->type != wanted)
        return log_error(r, "%s:%zu: %s takes a %s: %s", walk->file, line_of(node), place->key,
                         setting_type_name(row->type), allowed);
    text = row->secret ? NULL : text;
    return log_error(r, "%s:%zu: %s takes %s%s%s%s", walk->file, line_of(node), place->key, allowed,
                     text ? "; it is \"" : "", text ?: "", text ? "\"" : "");
}

static int check_not_repeated(const struct yaml_walk *walk, const yaml_node_t *mapping,
                              const yaml_node_pair_t *pair, const char *name, const char *key)
{
    for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < pair; p++) {
        const yaml_node_t *earlier = yaml_document_get_node(walk->document, p->key);

        if (strcmp(scalar_text(earlier), name) == 0)
            return log_error(-EINVAL, "%s:%zu: \"%s\" is set twice, first in line %zu",
                             walk->file,
                             line_of(yaml_document_get_node(walk->document, pair->key)), key,
                             line_of(earlier));
    }
    return 0;
}

static bool is_section(const struct settings *settings, const char *key)
{
    size_t len = strlen(key);
    struct setting_place place;

    for (size_t i = 0; setting_at(settings, i, &place); i++)
        if (strncmp(place.key, key, len) == 0 && place.key[len] == '.')
            return true;
    return false;
}

static int walk_mapping(const struct yaml_walk *walk, const char *prefix,
                        const yaml_node_t *mapping);

static int walk_pair(const struct yaml_walk *walk, const char *prefix, const yaml_node_t *mapping,
                     const yaml_node_pair_t *pair)
{
    const yaml_node_t *key_node = yaml_document_get_node(walk->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(walk->document, pair->value);
    const char *name = scalar_text(key_node);
    char key[SETTING_KEY_MAX], allowed[512];
    struct setting_place place;
    int r;

    if (!name)
        return log_error(-EINVAL, "%s:%zu: a key must be a plain name", walk->file,
                         line_of(key_node));
    snprintf(key, sizeof(key), "%s%s", prefix, name);
    r = check_not_repeated(walk, mapping, pair, name, key);
    if (r < 0)
        return r;
    if (!strchr(name, '.') && setting_find(walk->settings, key, &place))
        return assign_node(walk, &place, value);
    if (strchr(name, '.') || !is_section(walk->settings, key)) {
        setting_describe_keys(walk->settings, key, allowed, sizeof(allowed));
        return log_error(-EINVAL, "%s:%zu: there is no setting \"%s\" (there are: %s)", walk->file,
                         line_of(key_node), key, allowed);
    }
    if (is_nothing(value))
        return 0;
    if (value->type != YAML_MAPPING_NODE)
        return log_error(-EINVAL, "%s:%zu: \"%s\" holds settings: write them indented below it",
                         walk->file, line_of(value), key);
    snprintf(key, sizeof(key), "%s%s.", prefix, name);
    return walk_mapping(walk, key, value);
}

static int walk_mapping(const struct yaml_walk *walk, const char *prefix,
                        const yaml_node_t *mapping)
{
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        int r = walk_pair(walk, prefix, mapping, pair);

        if (r < 0)
            return r;
    }
    return 0;
}

static int walk_document(const struct yaml_walk *walk)
{
    const yaml_node_t *root = yaml_document_get_root_node(walk->document);

    if (!root || is_nothing(root))
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return log_error(-EINVAL, "%s:%zu: settings of the form \"name: value\" are expected",
                         walk->file, line_of(root));
    return walk_mapping(walk, "", root);
}

static int read_document(const char *file, yaml_parser_t *parser, struct settings *settings,
                         bool *ret_end)
{
    _cleanup_(yaml_document_delete) yaml_document_t document = {0};
    struct yaml_walk walk = {file, &document, settings};
    int r;

    if (!yaml_parser_load(parser, &document))
        return log_error(-EINVAL, "%s:%zu: %s", file, parser->problem_mark.line + 1,
                         parser->problem ?: "not YAML");
    r = settings ? walk_document(&walk) : 0;
    if (r < 0)
        return r;
    *ret_end = !yaml_document_get_root_node(&document);
    return 0;
}

static void file_closep(FILE **file)
{
    if (*file)
        fclose(*file);
}

/*
 * No pipe is waited for, and no folder read. libyaml's time grows with the square of the nesting: a
 * bound for what is no configuration.
 */
static int open_file(const char *file, FILE **ret_stream)
{
    _cleanup_(closep) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    FILE *stream;

    if (fd < 0 || fstat(fd, &info) < 0)
        return log_error(-errno, "cannot open the configuration file %s", file);
    if (!S_ISREG(info.st_mode))
        return log_error(-EINVAL, "the configuration %s is no regular file", file);
    if (info.st_size > CONFIG_FILE_MAX)
        return log_error(-EFBIG, "%s has more than %d KiB", file, CONFIG_FILE_MAX / 1024);
    stream = fdopen(fd, "r");
    if (!stream)
        return log_error(-errno, "cannot open the configuration file %s", file);
    TAKE_FD(fd);
    *ret_stream = stream;
    return 0;
}

int settings_read_yaml(const char *file, struct settings *settings)
{
    _cleanup_(yaml_parser_delete) yaml_parser_t parser = {0};
    _cleanup_(file_closep) FILE *stream = NULL;
    bool end = false;
    int r = open_file(file, &stream);

    if (r < 0)
        return r;
    if (!yaml_parser_initialize(&parser))
        return log_error(-ENOMEM, "settings");
    yaml_parser_set_input_file(&parser, stream);
    r = read_document(file, &parser, settings, &end);
    if (r < 0 || end)
        return r;
    r = read_document(file, &parser, NULL, &end);
    if (r < 0)
        return r;
    if (!end)
        return log_error(-EINVAL, "%s: only one YAML document is expected", file);
    return 0;
}
