/* SPDX-License-Identifier: Apache-2.0 */
/* Records -> messages -> their fields; of a certificate only the way to its validity. */
#include "source/tls_hello.h"

#include "base/macro.h"

#include <time.h>

#define RECORD_HANDSHAKE 22 /* RFC 8446, 5.1 */
#define RECORD_MAX (16384 + 2048)
#define VERSION_1_3 0x0304
#define RANDOM_LEN 32

enum message_type { CLIENT_HELLO = 1, SERVER_HELLO = 2, CERTIFICATE = 11 }; /* RFC 8446, 4 */
enum extension { SERVER_NAME = 0, SUPPORTED_VERSIONS = 43 };

/* X.690, 8.1.2: the tags that stand on the way. */
enum tag {
    TAG_UTC_TIME = 0x17,
    TAG_GENERALIZED_TIME = 0x18,
    TAG_SEQUENCE = 0x30,
    TAG_INTEGER = 0x02,
    TAG_VERSION = 0xa0, /* [0], constructed */
};

static size_t read_be24(struct reader *reader)
{
    size_t high = reader_u8(reader);

    return high << 16 | reader_be16(reader);
}

/* ---- the certificate ------------------------------------------------------------------------- */

/* The length of the element that comes next, which has this tag; its content may be cut. */
static size_t enter(struct reader *reader, enum tag tag)
{
    size_t len;
    uint8_t first;

    if (reader_u8(reader) != tag)
        reader->failed = true;
    first = reader_u8(reader);
    if (first < 0x80)
        return first;
    if (first == 0x81)
        return reader_u8(reader);
    len = reader_be16(reader);
    if (first != 0x82)
        reader->failed = true;
    return len;
}

static void pass(struct reader *reader, enum tag tag)
{
    reader_take(reader, enter(reader, tag));
}

static bool read_two_digits(struct bytes text, size_t at, int *ret_number)
{
    uint64_t number;

    if (bytes_parse_u64(bytes_slice(text, at, 2), &number) < 0)
        return false;
    *ret_number = (int)number;
    return true;
}

/* RFC 5280, 4.1.2.5: YYMMDDHHMMSSZ until 2049, YYYYMMDDHHMMSSZ from then on. 0: neither. */
static int64_t read_time(struct reader *reader)
{
    bool is_utc = reader_left(reader) && reader->data.ptr[reader->pos] == TAG_UTC_TIME;
    struct bytes text =
        reader_take(reader, enter(reader, is_utc ? TAG_UTC_TIME : TAG_GENERALIZED_TIME));
    int century = 0, n[6];

    if (text.len != (is_utc ? 13 : 15) || text.ptr[text.len - 1] != 'Z' ||
        (!is_utc && !read_two_digits(text, 0, &century)))
        return 0;
    for (size_t i = 0; i < ELEMENTSOF(n); i++)
        if (!read_two_digits(text, (is_utc ? 0 : 2) + 2 * i, &n[i]))
            return 0;
    if (is_utc)
        century = n[0] >= 50 ? 19 : 20;
    return timegm(&(struct tm){.tm_year = century * 100 + n[0] - 1900, .tm_mon = n[1] - 1,
                               .tm_mday = n[2], .tm_hour = n[3], .tm_min = n[4], .tm_sec = n[5]});
}

/* Certificate, tbsCertificate: [0] version, serialNumber, signature, issuer, validity. */
static int64_t read_not_after(struct bytes certificate)
{
    struct reader reader = reader_make(certificate);
    int64_t not_after;

    enter(&reader, TAG_SEQUENCE);
    enter(&reader, TAG_SEQUENCE);
    if (reader_left(&reader) && reader.data.ptr[reader.pos] == TAG_VERSION)
        pass(&reader, TAG_VERSION);
    pass(&reader, TAG_INTEGER);
    pass(&reader, TAG_SEQUENCE);
    pass(&reader, TAG_SEQUENCE);
    enter(&reader, TAG_SEQUENCE);
    read_time(&reader);
    not_after = read_time(&reader);
    return reader.failed ? 0 : not_after;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* The content of the extension, or empty. The list may be cut: then only what is whole counts. */
static struct bytes find_extension(struct reader *reader, enum extension wanted)
{
    struct reader list;

    reader_be16(reader);
    list = reader_make(reader_rest(reader));
    while (reader_left(&list)) {
        uint16_t type = reader_be16(&list);
        struct bytes content = reader_take(&list, reader_be16(&list));

        if (type == wanted && !list.failed)
            return content;
    }
    return BYTES_NULL;
}

/* RFC 6066, 3: a list of one, of type 0, a host name. */
static void read_server_name(struct bytes extension, struct socket_name *name)
{
    struct reader reader = reader_make(extension);
    struct bytes text;

    reader_be16(&reader);
    if (reader_u8(&reader) != 0)
        return;
    text = reader_take(&reader, reader_be16(&reader));
    if (reader.failed || text.len > sizeof(name->bytes))
        return;
    name->len = (uint8_t)text.len;
    memcpy(name->bytes, text.ptr, text.len);
}

static void read_client_hello(struct bytes body, struct tls_hello *hello)
{
    struct reader reader = reader_make(body);

    reader_be16(&reader);
    reader_take(&reader, RANDOM_LEN);
    reader_take(&reader, reader_u8(&reader));   /* session id */
    reader_take(&reader, reader_be16(&reader)); /* cipher suites */
    reader_take(&reader, reader_u8(&reader));   /* compression methods */
    read_server_name(find_extension(&reader, SERVER_NAME), &hello->server_name);
}

static void read_server_hello(struct bytes body, struct tls_hello *hello)
{
    struct reader reader = reader_make(body), chosen;
    uint16_t version = reader_be16(&reader);

    reader_take(&reader, RANDOM_LEN);
    reader_take(&reader, reader_u8(&reader)); /* session id */
    reader_be16(&reader);                     /* cipher suite */
    reader_u8(&reader);                       /* compression method */
    if (reader.failed)
        return;
    chosen = reader_make(find_extension(&reader, SUPPORTED_VERSIONS));
    if (chosen.data.len == 2)
        version = reader_be16(&chosen);
    hello->facts.version = version;
}

/* RFC 5246, 7.4.2: a list of certificates, the server's own first. */
static void read_certificate(struct bytes body, struct tls_hello *hello)
{
    struct reader reader = reader_make(body);
    size_t len;

    read_be24(&reader);
    len = read_be24(&reader);
    hello->facts.not_after = read_not_after(bytes_slice(reader_rest(&reader), 0, len));
}

/* True: it is read, and `whole` or not, no more of it is needed. */
static bool read_message(enum message_type type, struct bytes body, bool whole,
                         struct tls_hello *hello)
{
    if (type == CLIENT_HELLO && whole)
        read_client_hello(body, hello);
    else if (type == SERVER_HELLO && whole)
        read_server_hello(body, hello);
    else if (type == CERTIFICATE)
        read_certificate(body, hello);
    return whole || hello->facts.not_after;
}

/* Does anything worth reading follow this message in the same direction? */
static bool is_last(enum message_type type, const struct tls_hello *hello)
{
    return type != SERVER_HELLO || hello->facts.version >= VERSION_1_3;
}

/* A certificate counts behind a ServerHello only: the client's may stand in the other direction. */
static bool read_messages(struct bytes messages, bool is_all, struct tls_hello *hello)
{
    struct reader reader = reader_make(messages);

    while (reader_left(&reader) >= 4) {
        bool is_first = reader.pos == 0;
        enum message_type type = reader_u8(&reader);
        size_t len = read_be24(&reader), left = reader_left(&reader);
        bool whole = len <= left;

        if (is_first != (type == CLIENT_HELLO || type == SERVER_HELLO))
            return true;
        if (!read_message(type, reader_take(&reader, MIN(len, left)), whole || is_all, hello))
            return false;
        if (is_last(type, hello))
            return true;
    }
    return is_all;
}

/* ---- records --------------------------------------------------------------------------------- */

/* RFC 8446, 5.1: type, version, length. */
static void begin_record(struct tls_hello_stream *stream)
{
    const uint8_t *header = stream->header;

    stream->header_len = 0;
    stream->record_left = (uint32_t)(header[3] << 8 | header[4]);
    if (header[0] != RECORD_HANDSHAKE || header[1] != 3 || stream->record_left == 0 ||
        stream->record_left > RECORD_MAX)
        stream->done = true;
}

static void take_record(struct tls_hello_stream *stream, struct reader *reader)
{
    struct bytes part = reader_take(reader, MIN((size_t)stream->record_left, reader_left(reader)));
    size_t room = sizeof(stream->messages) - stream->len, n = MIN(part.len, room);

    memcpy(stream->messages + stream->len, part.ptr, n);
    stream->len += (uint32_t)n;
    stream->record_left -= (uint32_t)part.len;
}

void tls_hello_feed(struct tls_hello_stream *stream, uint64_t position, struct bytes data,
                    struct tls_hello *hello)
{
    struct reader reader = reader_make(data);
    bool is_full;

    if (stream->begun && position != stream->next)
        stream->done = true;
    stream->begun = true;
    stream->next = position + data.len;
    while (reader_left(&reader) && !stream->done) {
        if (stream->record_left) {
            take_record(stream, &reader);
            continue;
        }
        stream->header[stream->header_len++] = reader_u8(&reader);
        if (stream->header_len == sizeof(stream->header))
            begin_record(stream);
    }
    is_full = stream->len == sizeof(stream->messages);
    if (read_messages(bytes_make(stream->messages, stream->len), is_full, hello))
        stream->done = true;
}
