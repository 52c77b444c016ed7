/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of collectors; the contract stands in answer.h. Three numbers are read from protobuf,
 * each found by a path of field numbers, so that there is no tree to build and no depth to limit:
 *
 *   ExportTraceServiceResponse  partial_success 1 > rejected_spans 1
 *   google.rpc.Status           details 3 (Any: type_url 1, value 2) > RetryInfo
 *   google.rpc.RetryInfo        retry_delay 1 (Duration: seconds 1, nanos 2)
 */
#include "exporters/otlp_grpc/answer.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>

#define VARINT_BITS 64
#define WIRE_VARINT 0
#define WIRE_FIXED64 1
#define WIRE_BYTES 2
#define WIRE_FIXED32 5
#define RETRY_DELAY_MAX_S 86400

enum meaning { DELIVERED, RETRY, RETRY_IF_TOLD, DROP };

static const struct {
    const char *name;
    enum meaning meaning;
} statuses[] = {
    [RPC_OK] = {"OK", DELIVERED},
    [RPC_CANCELLED] = {"CANCELLED", RETRY},
    [RPC_UNKNOWN] = {"UNKNOWN", DROP},
    [RPC_INVALID_ARGUMENT] = {"INVALID_ARGUMENT", DROP},
    [RPC_DEADLINE_EXCEEDED] = {"DEADLINE_EXCEEDED", RETRY},
    [RPC_NOT_FOUND] = {"NOT_FOUND", DROP},
    [RPC_ALREADY_EXISTS] = {"ALREADY_EXISTS", DROP},
    [RPC_PERMISSION_DENIED] = {"PERMISSION_DENIED", DROP},
    [RPC_RESOURCE_EXHAUSTED] = {"RESOURCE_EXHAUSTED", RETRY_IF_TOLD},
    [RPC_FAILED_PRECONDITION] = {"FAILED_PRECONDITION", DROP},
    [RPC_ABORTED] = {"ABORTED", RETRY},
    [RPC_OUT_OF_RANGE] = {"OUT_OF_RANGE", RETRY},
    [RPC_UNIMPLEMENTED] = {"UNIMPLEMENTED", DROP},
    [RPC_INTERNAL] = {"INTERNAL", DROP},
    [RPC_UNAVAILABLE] = {"UNAVAILABLE", RETRY},
    [RPC_DATA_LOSS] = {"DATA_LOSS", RETRY},
    [RPC_UNAUTHENTICATED] = {"UNAUTHENTICATED", DROP},
};
static_assert(ELEMENTSOF(statuses) == RPC_STATUS_MAX, "every status has its meaning");

/* One field: `bytes` or `number`, by its wire type. */
struct field {
    uint64_t id;
    struct bytes bytes;
    uint64_t number;
};

static uint64_t read_varint(struct reader *reader)
{
    uint64_t value = 0;
    uint8_t byte;

    for (unsigned shift = 0; shift < VARINT_BITS; shift += 7) {
        byte = reader_u8(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    reader->failed = true;
    return 0;
}

/* False at the end and at what is not protobuf. */
static bool read_field(struct reader *reader, struct field *ret_field)
{
    uint64_t key;

    if (reader_left(reader) == 0)
        return false;
    key = read_varint(reader);
    *ret_field = (struct field){.id = key >> 3};
    switch (key & 7) {
    case WIRE_VARINT:
        ret_field->number = read_varint(reader);
        break;
    case WIRE_FIXED64:
        reader_take(reader, sizeof(uint64_t));
        break;
    case WIRE_BYTES:
        ret_field->bytes = reader_take(reader, read_varint(reader));
        break;
    case WIRE_FIXED32:
        reader_take(reader, sizeof(uint32_t));
        break;
    default:
        reader->failed = true;
    }
    return !reader->failed;
}

/* The last field with this id, as protobuf has it; zero and empty where there is none. */
static struct field find_field(struct bytes message, uint64_t id)
{
    struct reader reader = reader_make(message);
    struct field field, found = {0};

    while (read_field(&reader, &field))
        if (field.id == id)
            found = field;
    return found;
}

static uint64_t rejected_spans(struct bytes response)
{
    int64_t n = (int64_t)find_field(find_field(response, 1).bytes, 1).number;

    return n > 0 ? (uint64_t)n : 0;
}

/* Returns true where the status carries a RetryInfo; its delay may be zero. */
static bool find_retry_delay(struct bytes status, uint64_t *ret_delay_ns)
{
    static const struct bytes type = BYTES_LITERAL("type.googleapis.com/google.rpc.RetryInfo");
    struct reader reader = reader_make(status);
    struct field detail;

    while (read_field(&reader, &detail)) {
        struct bytes delay;
        uint64_t seconds, nanoseconds;

        if (detail.id != 3 || !bytes_equal(find_field(detail.bytes, 1).bytes, type))
            continue;
        delay = find_field(find_field(detail.bytes, 2).bytes, 1).bytes;
        seconds = MIN(find_field(delay, 1).number, (uint64_t)RETRY_DELAY_MAX_S);
        nanoseconds = MIN(find_field(delay, 2).number, NS_PER_S - 1);
        *ret_delay_ns = seconds * NS_PER_S + nanoseconds;
        return true;
    }
    return false;
}

struct export_outcome answer_outcome(const struct rpc_answer *answer, struct bytes response,
                                     char reason[static ANSWER_REASON_MAX])
{
    enum meaning meaning = statuses[answer->status].meaning;
    struct export_outcome outcome = {.reason = reason};
    bool told = find_retry_delay(bytes_make(answer->details, answer->n_details),
                                 &outcome.retry_after_ns);

    if (meaning == DELIVERED)
        return (struct export_outcome){.result = EXPORT_OK,
                                       .rejected_spans = rejected_spans(response)};
    snprintf(reason, ANSWER_REASON_MAX, "%s%s%s", statuses[answer->status].name,
             answer->message[0] ? ": " : "", answer->message);
    outcome.result = meaning == RETRY || (meaning == RETRY_IF_TOLD && told) ? EXPORT_RETRY
                                                                            : EXPORT_DROP;
    return outcome;
}
