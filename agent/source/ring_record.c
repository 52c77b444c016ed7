/* SPDX-License-Identifier: Apache-2.0 */
/*
 * [struct ft_facts] struct ft_record captured bytes
 *
 * The kernel's word is checked too: sizes, kinds, directions.
 */
#include "source/ring_record.h"

#include "base/macro.h"

#include <errno.h>
#include <sys/socket.h>

static void read_address(const struct ft_facts *facts, const uint8_t *raw, uint16_t port,
                         struct endpoint *ret_endpoint)
{
    static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

    ret_endpoint->port = port;
    if (facts->family == AF_INET) {
        memcpy(ret_endpoint->address, v4_prefix, sizeof(v4_prefix));
        memcpy(ret_endpoint->address + sizeof(v4_prefix), raw, 4);
    } else {
        memcpy(ret_endpoint->address, raw, 16);
    }
}

static void read_facts(const struct ft_facts *raw, struct connection_facts *ret_facts)
{
    *ret_facts = (struct connection_facts){
        .starts = {[DIR_IN] = raw->starts[FT_DIR_IN], [DIR_OUT] = raw->starts[FT_DIR_OUT]},
        .has_starts = raw->has_starts,
        .secure = raw->secure,
        .transport = raw->transport,
        .name_is_remote = raw->path_is_remote,
        .remote_tgid = raw->remote_tgid,
        .cgroup_id = raw->cgroup_id,
        .exec_id = raw->exec_id,
        .netns = raw->netns,
    };
    memcpy(ret_facts->comm, raw->comm, sizeof(ret_facts->comm));
    ret_facts->comm[sizeof(ret_facts->comm) - 1] = '\0';
    ret_facts->name.len = (uint8_t)MIN(raw->path_len, sizeof(raw->path));
    memcpy(ret_facts->name.bytes, raw->path, ret_facts->name.len);
    if (raw->family == AF_UNIX)
        return;
    read_address(raw, raw->local_address, raw->local_port, &ret_facts->local);
    read_address(raw, raw->remote_address, raw->remote_port, &ret_facts->remote);
}

static bool is_sound(const struct ft_record *record, size_t payload)
{
    return (record->kind == FT_KIND_DATA || record->kind == FT_KIND_CLOSE ||
            record->kind == FT_KIND_CLEAR || record->kind == FT_KIND_CALL ||
            record->kind == FT_KIND_HANDSHAKE) &&
           record->dir <= FT_DIR_OUT && record->captured == payload &&
           record->captured <= record->length;
}

static bool begins_with_facts(struct bytes raw)
{
    uint32_t kind;

    if (raw.len < sizeof(kind))
        return false;
    memcpy(&kind, raw.ptr, sizeof(kind));
    return kind == FT_KIND_FACTS;
}

int ring_record_decode(struct bytes raw, uint64_t boot_to_unix_ns, enum ft_kind *ret_kind,
                       struct event *ret_event, struct connection_facts *ret_facts)
{
    bool has_facts = begins_with_facts(raw);
    struct reader reader = reader_make(raw);
    struct bytes facts = reader_take(&reader, has_facts ? sizeof(struct ft_facts) : 0);
    struct bytes head = reader_take(&reader, sizeof(struct ft_record));
    struct ft_facts raw_facts;
    struct ft_record record;

    if (reader.failed)
        return -EBADMSG;
    memcpy(&record, head.ptr, sizeof(record));
    if (!is_sound(&record, reader_left(&reader)))
        return -EBADMSG;
    if (has_facts) {
        memcpy(&raw_facts, facts.ptr, sizeof(raw_facts));
        read_facts(&raw_facts, ret_facts);
    }
    *ret_kind = record.kind;
    *ret_event = (struct event){
        .kind = record.kind == FT_KIND_CLOSE ? EVENT_CLOSE : EVENT_DATA,
        .dir = record.dir == FT_DIR_IN ? DIR_IN : DIR_OUT,
        .time_ns = record.time_ns + boot_to_unix_ns,
        .connection = record.connection,
        .exec = {record.tgid, record.tid, record.process_start_ns, 0},
        .position = record.position,
        .length = record.length,
        .data = reader_rest(&reader),
        .connection_facts = has_facts ? ret_facts : NULL,
    };
    return 0;
}
