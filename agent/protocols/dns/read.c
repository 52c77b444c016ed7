/* SPDX-License-Identifier: Apache-2.0 */
/* Header, questions and records; the contracts stand in read.h. */
#include "protocols/dns/read.h"

#include "base/hash.h"
#include "base/macro.h"
#include "protocols/dns/code.h"
#include "protocols/dns/name.h"

#define RCODE_HEADER_MAX 11
#define MULTICAST_QUESTIONS_MAX 255
#define RECORD_TEXT (DNS_NAME_TEXT + 64) /* type, numbers, name */
#define CLASS_MASK 0x7fff /* in mDNS the other bit is a flag (RFC 6762 sections 5.4 and 10.2) */

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* ---- the header ------------------------------------------------------------------------------ */

static bool request_flags_fit(uint16_t flags, bool multicast)
{
    unsigned opcode = flags >> 11 & 15;

    return (flags & (DNS_FLAG_RECURSION_AVAILABLE | DNS_FLAG_RESERVED | 15)) == 0 &&
           (multicast || !(flags & DNS_FLAG_TRUNCATED)) &&
           (opcode == DNS_OPCODE_QUERY || opcode == DNS_OPCODE_UPDATE ||
            opcode == DNS_OPCODE_NOTIFY) &&
           (opcode == DNS_OPCODE_NOTIFY || !(flags & DNS_FLAG_AUTHORITATIVE));
}

static bool response_flags_fit(uint16_t flags)
{
    unsigned opcode = flags >> 11 & 15;

    return !(flags & DNS_FLAG_RESERVED) && (flags & 15) <= RCODE_HEADER_MAX &&
           (opcode == DNS_OPCODE_QUERY || opcode == DNS_OPCODE_UPDATE ||
            opcode == DNS_OPCODE_NOTIFY);
}

/* A querier asks one thing; only questions to a group, `multicast`, may be several. */
static bool count_fits(unsigned section, uint16_t count, uint16_t flags, bool multicast)
{
    bool response = flags & DNS_FLAG_RESPONSE, update = (flags >> 11 & 15) == DNS_OPCODE_UPDATE;

    switch (section) {
    case DNS_QUESTIONS:
        return count == 1 || (response && count == 0) ||
               (multicast && count && count <= MULTICAST_QUESTIONS_MAX);
    case DNS_ANSWERS:
    case DNS_AUTHORITY:
        return response || update || multicast || count <= 1;
    default:
        return response || update || count <= 4;
    }
}

bool dns_header_fits(struct bytes data, enum delivery delivery, bool response)
{
    bool multicast;
    uint16_t flags;

    if (data.len > 2 && data.ptr[2] >> 7 != response)
        return false;
    if (data.len < 4)
        return true;
    multicast = delivery == DELIVERY_DATAGRAM && be16(data.ptr) == 0;
    flags = be16(data.ptr + 2);
    if (response ? !response_flags_fit(flags) : !request_flags_fit(flags, multicast))
        return false;
    for (unsigned i = 0; i < DNS_SECTIONS && data.len >= 6 + 2 * i; i++)
        if (!count_fits(i, be16(data.ptr + 4 + 2 * i), flags, multicast))
            return false;
    return true;
}

/* ---- questions ------------------------------------------------------------------------------- */

/*
 * Servers give a question back with its letters as they came, or not (RFC 1035 section 2.3.3): the
 * bit that makes them small is left out of account, in lengths too, which harms nothing.
 */
static uint32_t hash_question(struct bytes question)
{
    uint64_t hash = question.len, word;

    while (question.len) {
        size_t n = MIN(question.len, sizeof(word));

        word = 0;
        memcpy(&word, question.ptr, n);
        hash = (hash ^ (word | UINT64_C(0x2020202020202020))) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
        question = bytes_skip(question, n);
    }
    return (uint32_t)hash_mix(hash) | 1;
}

static bool class_fits(uint16_t number)
{
    return dns_class_name(number & CLASS_MASK).len > 0;
}

/* Returns where the question at `at` ends; 0: it is none; DNS_CUT. */
static size_t question_end(struct bytes data, size_t at)
{
    size_t end = dns_name_end(data, at);

    if (end == 0 || end == DNS_CUT)
        return end;
    if (data.len - end < 4)
        return DNS_CUT;
    return class_fits(be16(data.ptr + end + 2)) ? end + 4 : 0;
}

/* False: its name leads nowhere. */
static bool take_question(struct bytes data, size_t end, struct arena *scratch,
                          struct message *fields, struct dns_message *message)
{
    size_t start = DNS_HEADER_SIZE;
    struct bytes name;

    message->question = hash_question(bytes_slice(data, start, end - start));
    message->type = be16(data.ptr + end - 4);
    if (!fields || message->flags & DNS_FLAG_RESPONSE)
        return true;
    name = dns_name_text(data, start, scratch);
    message_add(fields, DNS_FIELD_NAME, name);
    message_add(fields, DNS_FIELD_QUESTION, bytes_slice(data, end - 4, 4));
    return name.len > 0;
}

/* ---- records --------------------------------------------------------------------------------- */

struct record {
    uint16_t type;
    size_t options; /* where class and time to live stand */
    size_t data;
    size_t len;
};

/* Returns where the record at `at` ends; 0: it is none; DNS_CUT. */
static size_t read_record(struct bytes data, size_t at, struct record *ret_record)
{
    size_t end = dns_name_end(data, at);

    if (end == 0 || end == DNS_CUT)
        return end;
    if (data.len - end < 10)
        return DNS_CUT;
    *ret_record = (struct record){be16(data.ptr + end), end + 2, end + 10,
                                  be16(data.ptr + end + 8)};
    return ret_record->len > data.len - ret_record->data ? DNS_CUT
                                                         : ret_record->data + ret_record->len;
}

/* How many numbers stand before the name in the data of a record that has one; -1: it has none. */
static int numbers_before_name(uint16_t type)
{
    switch (type) {
    case DNS_TYPE_CNAME:
    case DNS_TYPE_DNAME:
    case DNS_TYPE_NS:
    case DNS_TYPE_PTR:
        return 0;
    case DNS_TYPE_MX:
        return 1;
    case DNS_TYPE_SRV:
        return 3;
    default:
        return -1;
    }
}

static uint8_t *put_number(uint8_t *out, uint16_t number)
{
    uint16_t unit = 1;

    while (number / unit >= 10)
        unit = (uint16_t)(10 * unit);
    for (; unit; unit /= 10)
        *out++ = (uint8_t)('0' + number / unit % 10);
    return out;
}

static uint8_t *put_type(uint8_t *out, uint16_t type)
{
    struct bytes name = dns_type_name(type);
    struct bytes text = name.len ? name : BYTES_LITERAL("TYPE");

    memcpy(out, text.ptr, text.len);
    return name.len ? out + text.len : put_number(out + text.len, type);
}

/* " 10 mail.example.com" behind the type, or nothing. */
static uint8_t *put_target(uint8_t *out, struct bytes data, const struct record *record)
{
    int n = numbers_before_name(record->type);
    uint8_t *at = out;

    if (n < 0 || record->len <= 2 * (size_t)n)
        return out;
    for (int i = 0; i < n; i++) {
        *at++ = ' ';
        at = put_number(at, be16(data.ptr + record->data + 2 * i));
    }
    *at++ = ' ';
    at = dns_name_put(bytes_slice(data, 0, record->data + record->len),
                      record->data + 2 * (size_t)n, at);
    return at ? at : out;
}

/* "CNAME www.example.com", "MX 10 mail.example.com", "TXT": what others hold is not told. */
static struct bytes record_text(struct bytes data, const struct record *record,
                                struct arena *scratch)
{
    uint8_t *text = arena_alloc(scratch, RECORD_TEXT), *end;

    if (!text)
        return BYTES_NULL;
    end = put_target(put_type(text, record->type), data, record);
    scratch->used -= (size_t)(text + RECORD_TEXT - end);
    return bytes_make(text, (size_t)(end - text));
}

/* How many of each were told. */
struct told {
    unsigned addresses;
    unsigned records;
};

static void take_answer(struct bytes data, const struct record *record, struct arena *scratch,
                        struct message *fields, struct told *told)
{
    bool address = (record->type == DNS_TYPE_A && record->len == 4) ||
                   (record->type == DNS_TYPE_AAAA && record->len == 16);

    if (address && told->addresses < DNS_ADDRESSES_MAX) {
        told->addresses++;
        message_add(fields, DNS_FIELD_ADDRESS, bytes_slice(data, record->data, record->len));
    } else if (!address && told->records < DNS_RECORDS_MAX) {
        told->records++;
        message_add(fields, DNS_FIELD_RECORD, record_text(data, record, scratch));
    }
}

/* RFC 6891 section 6.1.3: the root's name, the sender's UDP size as class, and 8 bits of rcode. */
static void take_opt(struct bytes data, const struct record *record, struct message *fields,
                     struct dns_message *message)
{
    message->rcode |= (unsigned)data.ptr[record->options + 2] << 4;
    if (fields)
        message_add(fields, DNS_FIELD_OPT, bytes_slice(data, record->options, 6));
}

/* ---- the message ----------------------------------------------------------------------------- */

static enum dns_result read_questions(struct bytes data, struct arena *scratch,
                                      struct message *fields, struct dns_message *message,
                                      size_t *at)
{
    for (unsigned i = 0; i < message->counts[DNS_QUESTIONS]; i++) {
        size_t end = question_end(data, *at);

        if (end == 0)
            return DNS_BAD;
        if (end == DNS_CUT)
            return i == 0 ? DNS_SHORT : DNS_PART;
        if (i == 0 && !take_question(data, end, scratch, fields, message))
            return DNS_BAD;
        *at = end;
    }
    return DNS_WHOLE;
}

static enum dns_result read_records(struct bytes data, struct arena *scratch,
                                    struct message *fields, struct dns_message *message,
                                    size_t *at)
{
    bool answers = fields && message->flags & DNS_FLAG_RESPONSE;
    struct record record;
    struct told told = {0};

    for (unsigned section = DNS_ANSWERS; section < DNS_SECTIONS; section++)
        for (unsigned i = 0; i < message->counts[section]; i++) {
            size_t end = read_record(data, *at, &record);

            if (end == 0)
                return DNS_BAD;
            if (end == DNS_CUT)
                return DNS_PART;
            if (section == DNS_ANSWERS && answers)
                take_answer(data, &record, scratch, fields, &told);
            if (section == DNS_ADDITIONAL && record.type == DNS_TYPE_OPT)
                take_opt(data, &record, fields, message);
            *at = end;
        }
    return DNS_WHOLE;
}

enum dns_result dns_read(struct bytes data, enum delivery delivery, struct arena *scratch,
                         struct message *fields, struct dns_message *ret_message)
{
    struct dns_message message = {0};
    size_t at = DNS_HEADER_SIZE;
    enum dns_result result;

    if (!dns_header_fits(data, delivery, data.len > 2 && data.ptr[2] >> 7))
        return DNS_BAD;
    if (data.len < DNS_HEADER_SIZE)
        return DNS_SHORT;
    message.id = be16(data.ptr);
    message.flags = be16(data.ptr + 2);
    message.opcode = message.flags >> 11 & 15;
    message.rcode = message.flags & 15;
    for (unsigned i = 0; i < DNS_SECTIONS; i++)
        message.counts[i] = be16(data.ptr + 4 + 2 * i);
    if (fields)
        message_add(fields, DNS_FIELD_HEADER, bytes_slice(data, 2, 10));
    result = read_questions(data, scratch, fields, &message, &at);
    if (result == DNS_WHOLE)
        result = read_records(data, scratch, fields, &message, &at);
    *ret_message = message;
    return result == DNS_WHOLE && at < data.len ? DNS_MORE_THAN_WHOLE : result;
}
