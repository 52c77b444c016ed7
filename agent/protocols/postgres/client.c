/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client sends. A simple query is a request; so is an extended one, from its first message
 * to its Sync, with the texts of its statements as further PARTs:
 *
 *   [Parse: REQUEST, text] [Bind] [Execute] [Bind] [Execute] [Sync: PART, ENDS, 2 executions]
 *   [Bind: REQUEST] [Execute: PART, the statement's text as it is remembered] [Sync: PART, ENDS]
 */
#include "protocols/postgres/postgres.h"

#include "base/macro.h"

struct call {
    struct postgres_state *postgres;
    const struct parse_input *input;
    struct frame frame;
    struct message *message;
};

static struct parse_result give(const struct call *call, enum message_kind kind, unsigned flags)
{
    return postgres_give(&call->frame, call->input->data, kind, flags, call->message);
}

static struct parse_result pass(const struct call *call)
{
    return postgres_pass(&call->frame);
}

/* A field that only says that it is there. */
static void add_mark(const struct call *call, unsigned id)
{
    message_add(call->message, id, bytes_slice(call->input->data, 0, 1));
}

static void add_database(const struct call *call)
{
    const struct postgres_state *postgres = call->postgres;

    if (postgres->database_len)
        message_add(call->message, POSTGRES_FIELD_DATABASE,
                    bytes_make(postgres->database, postgres->database_len));
}

static struct parse_result give_request(const struct call *call, unsigned flags)
{
    struct parse_result result = give(call, MESSAGE_REQUEST, flags);

    add_database(call);
    return result;
}

/* ---- start-up -------------------------------------------------------------------------------- */

static void learn_database(struct postgres_state *postgres, struct bytes name)
{
    postgres->database_len = (uint8_t)(name.len <= POSTGRES_DATABASE_MAX ? name.len : 0);
    memcpy(postgres->database, name.ptr, postgres->database_len);
}

/* Without a database the user's name is one. True: what follows is replication. */
static bool read_parameters(struct postgres_state *postgres, struct bytes body)
{
    struct reader reader = reader_make(body);
    bool has_database = false, replicates = false;

    while (true) {
        struct bytes name = frame_string(&reader), value;

        if (name.len == 0)
            return replicates;
        value = frame_string(&reader);
        if (!value.ptr)
            return replicates;
        if (bytes_equal(name, BYTES_LITERAL("database")))
            has_database = true;
        if (bytes_equal(name, BYTES_LITERAL("database")) ||
            (bytes_equal(name, BYTES_LITERAL("user")) && !has_database))
            learn_database(postgres, value);
        if (bytes_equal(name, BYTES_LITERAL("replication")))
            replicates = value.len && !bytes_equal(value, BYTES_LITERAL("false")) &&
                         !bytes_equal(value, BYTES_LITERAL("off")) &&
                         !bytes_equal(value, BYTES_LITERAL("no")) &&
                         !bytes_equal(value, BYTES_LITERAL("0"));
    }
}

static struct parse_result take_startup(const struct call *call)
{
    struct postgres_state *postgres = call->postgres;
    struct parse_result result;

    switch ((enum startup_code)call->frame.code) {
    case STARTUP_SSL:
    case STARTUP_GSS:
        postgres->negotiating = true;
        return pass(call);
    case STARTUP_CANCEL:
        result = give_request(call, MESSAGE_ENDS | MESSAGE_ONE_WAY);
        add_mark(call, POSTGRES_FIELD_CANCEL);
        return result;
    case STARTUP_VERSION_3:
        break;
    }
    *postgres = (struct postgres_state){.starting = true};
    if (read_parameters(postgres, call->frame.body))
        return give(call, MESSAGE_PART, MESSAGE_LAST);
    result = give_request(call, MESSAGE_ENDS);
    add_mark(call, POSTGRES_FIELD_STARTUP);
    return result;
}

/* ---- statements ------------------------------------------------------------------------------ */

static struct parse_result take_query(const struct call *call)
{
    struct bytes text = call->frame.body;
    bool whole = call->frame.whole;
    struct parse_result result;

    if (whole && text.ptr[text.len - 1] != '\0')
        return (struct parse_result){.status = PARSE_BAD};
    result = give_request(call, MESSAGE_ENDS);
    call->message->code = 1;
    message_add(call->message, whole ? POSTGRES_FIELD_TEXT : POSTGRES_FIELD_TEXT_CUT,
                whole ? bytes_slice(text, 0, text.len - 1) : text);
    return result;
}

/* The next message of an extended query: its first one opens the request. */
static struct parse_result give_step(const struct call *call)
{
    struct postgres_state *postgres = call->postgres;

    if (postgres->in_group)
        return give(call, MESSAGE_PART, 0);
    postgres->in_group = true;
    postgres->texts = 0;
    postgres->executions = 0;
    postgres->statement = postgres->text = 0;
    postgres->unknown_told = postgres->more_told = false;
    return give_request(call, 0);
}

/* ... which has nothing to tell. */
static struct parse_result take_step(const struct call *call)
{
    return call->postgres->in_group ? pass(call) : give_step(call);
}

/* Tells the text unless it is that of the statement before. */
static struct parse_result take_text(const struct call *call, uint64_t name, uint64_t hash,
                                     struct bytes text, bool cut)
{
    struct postgres_state *postgres = call->postgres;
    bool same = postgres->in_group && postgres->texts && postgres->text == hash;
    struct parse_result result;

    if (same || (postgres->in_group && postgres->more_told)) {
        postgres->statement = name;
        return pass(call);
    }
    result = give_step(call);
    postgres->statement = name;
    postgres->text = hash;
    if (postgres->texts == POSTGRES_TEXTS) {
        postgres->more_told = true;
        add_mark(call, POSTGRES_FIELD_MORE);
        return result;
    }
    postgres->texts++;
    message_add(call->message, cut ? POSTGRES_FIELD_TEXT_CUT : POSTGRES_FIELD_TEXT, text);
    return result;
}

static struct parse_result take_parse(const struct call *call)
{
    struct reader reader = reader_make(call->frame.body);
    struct bytes name = frame_string(&reader), text;
    uint64_t hash;
    bool cut;

    if (!name.ptr)
        return call->frame.whole ? (struct parse_result){.status = PARSE_BAD} : take_step(call);
    text = bytes_skip(call->frame.body, reader.pos);
    cut = bytes_find(text, '\0') == SIZE_MAX;
    text = bytes_slice(text, 0, bytes_find(text, '\0'));
    hash = statements_add(&call->postgres->statements, statement_name(name), text, cut)->hash;
    return take_text(call, statement_name(name), hash, text, cut);
}

static struct parse_result take_bind(const struct call *call)
{
    struct reader reader = reader_make(call->frame.body);
    struct bytes portal = frame_string(&reader), name = frame_string(&reader);

    if (portal.ptr)
        portals_add(&call->postgres->statements, statement_name(portal),
                    name.ptr ? statement_name(name) : 0);
    return take_step(call);
}

static struct parse_result take_unknown(const struct call *call)
{
    struct postgres_state *postgres = call->postgres;
    struct parse_result result;

    if (postgres->in_group && postgres->unknown_told)
        return pass(call);
    result = give_step(call);
    postgres->unknown_told = true;
    add_mark(call, POSTGRES_FIELD_UNKNOWN);
    return result;
}

static struct parse_result take_execute(const struct call *call)
{
    struct postgres_state *postgres = call->postgres;
    struct reader reader = reader_make(call->frame.body);
    struct bytes portal = frame_string(&reader);
    uint64_t name =
        portal.ptr ? portals_find(&postgres->statements, statement_name(portal)) : 0;
    const struct statement *statement = statements_find(&postgres->statements, name);
    bool told = postgres->in_group && name && postgres->statement == name;
    struct parse_result result;

    if (told)
        result = pass(call);
    else if (statement)
        result = take_text(call, name, statement->hash,
                           bytes_make(statement->text, statement->len), statement->cut);
    else
        result = take_unknown(call);
    postgres->executions += postgres->executions < UINT32_MAX;
    return result;
}

static struct parse_result take_close(const struct call *call)
{
    struct reader reader = reader_make(call->frame.body);
    uint8_t kind = reader_u8(&reader);
    struct bytes name = frame_string(&reader);

    if (kind == 'S' && name.ptr)
        statements_remove(&call->postgres->statements, statement_name(name));
    return take_step(call);
}

static struct parse_result take_sync(const struct call *call)
{
    struct postgres_state *postgres = call->postgres;
    struct parse_result result = give_step(call);

    call->message->flags |= MESSAGE_ENDS;
    call->message->code = postgres->executions;
    postgres->in_group = false;
    return result;
}

static struct parse_result take_function(const struct call *call)
{
    struct parse_result result = give_request(call, MESSAGE_ENDS);

    call->message->code = 1;
    add_mark(call, POSTGRES_FIELD_FUNCTION);
    return result;
}

/* ---- the messages by type -------------------------------------------------------------------- */

static const struct kind {
    size_t wish; /* bytes of the body that are looked at */
    struct parse_result (*take)(const struct call *call);
} kinds[128] = {
    [0] = {UINT16_MAX, take_startup}, /* all of it: it is short */
    ['Q'] = {POSTGRES_TEXT_MAX, take_query},
    ['P'] = {POSTGRES_TEXT_MAX, take_parse},
    ['B'] = {POSTGRES_NAME_MAX, take_bind},
    ['E'] = {POSTGRES_NAME_MAX, take_execute},
    ['C'] = {POSTGRES_NAME_MAX, take_close},
    ['D'] = {0, take_step},
    ['S'] = {0, take_sync},
    ['F'] = {0, take_function},
};

struct parse_result postgres_parse_client(struct postgres_state *postgres,
                                          const struct parse_input *input,
                                          struct message *ret_message)
{
    struct call call = {postgres, input, {0}, ret_message};
    const struct kind *kind = NULL;
    enum frame_match match;

    if (input->data.len && input->data.ptr[0] < ELEMENTSOF(kinds))
        kind = &kinds[input->data.ptr[0]];
    match = postgres_frame_read(SENDER_CLIENT, input->data, kind ? kind->wish : 0, input->cut,
                                &call.frame);
    if (match != FRAME_FITS)
        return postgres_refuse(match, input);
    postgres->negotiating = false;
    return kind && kind->take ? kind->take(&call) : pass(&call);
}
