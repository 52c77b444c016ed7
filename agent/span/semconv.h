/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attribute names of the OpenTelemetry semantic conventions 1.4x that more than one room uses, and
 * flowtrace's own. Names that only one protocol uses stand in its folder.
 */
#pragma once

#include "base/bytes.h"

#define SEMCONV_ERROR_TYPE BYTES_LITERAL("error.type")
#define SEMCONV_NETWORK_TRANSPORT BYTES_LITERAL("network.transport")
#define SEMCONV_NETWORK_PEER_ADDRESS BYTES_LITERAL("network.peer.address")
#define SEMCONV_NETWORK_PEER_PORT BYTES_LITERAL("network.peer.port")
#define SEMCONV_NETWORK_PROTOCOL_NAME BYTES_LITERAL("network.protocol.name")
#define SEMCONV_NETWORK_PROTOCOL_VERSION BYTES_LITERAL("network.protocol.version")
#define SEMCONV_SERVER_ADDRESS BYTES_LITERAL("server.address")
#define SEMCONV_SERVER_PORT BYTES_LITERAL("server.port")
#define SEMCONV_CLIENT_ADDRESS BYTES_LITERAL("client.address")

/* TLS. The server's name is deprecated in favor of server.address, which often is another one. */
#define SEMCONV_TLS_PROTOCOL_NAME BYTES_LITERAL("tls.protocol.name")
#define SEMCONV_TLS_PROTOCOL_VERSION BYTES_LITERAL("tls.protocol.version")
#define SEMCONV_TLS_SERVER_NOT_AFTER BYTES_LITERAL("tls.server.not_after")
#define SEMCONV_TLS_CLIENT_SERVER_NAME BYTES_LITERAL("tls.client.server_name")

/* Databases, and messaging where a store carries messages. */
#define SEMCONV_DB_SYSTEM_NAME BYTES_LITERAL("db.system.name")
#define SEMCONV_DB_NAMESPACE BYTES_LITERAL("db.namespace")
#define SEMCONV_DB_COLLECTION_NAME BYTES_LITERAL("db.collection.name")
#define SEMCONV_DB_OPERATION_NAME BYTES_LITERAL("db.operation.name")
#define SEMCONV_DB_OPERATION_BATCH_SIZE BYTES_LITERAL("db.operation.batch.size")
#define SEMCONV_DB_QUERY_TEXT BYTES_LITERAL("db.query.text")
#define SEMCONV_DB_QUERY_SUMMARY BYTES_LITERAL("db.query.summary")
#define SEMCONV_DB_RESPONSE_STATUS_CODE BYTES_LITERAL("db.response.status_code")
#define SEMCONV_DB_RESPONSE_RETURNED_ROWS BYTES_LITERAL("db.response.returned_rows")
#define SEMCONV_MESSAGING_SYSTEM BYTES_LITERAL("messaging.system")
#define SEMCONV_MESSAGING_OPERATION_NAME BYTES_LITERAL("messaging.operation.name")
#define SEMCONV_MESSAGING_OPERATION_TYPE BYTES_LITERAL("messaging.operation.type")
#define SEMCONV_MESSAGING_DESTINATION_NAME BYTES_LITERAL("messaging.destination.name")

/* Resource. */
#define SEMCONV_SERVICE_NAME BYTES_LITERAL("service.name")
#define SEMCONV_HOST_NAME BYTES_LITERAL("host.name")
#define SEMCONV_OS_TYPE BYTES_LITERAL("os.type")
#define SEMCONV_PROCESS_PID BYTES_LITERAL("process.pid")
#define SEMCONV_PROCESS_EXECUTABLE_NAME BYTES_LITERAL("process.executable.name")
#define SEMCONV_PROCESS_EXECUTABLE_PATH BYTES_LITERAL("process.executable.path")
#define SEMCONV_PROCESS_CREATION_TIME BYTES_LITERAL("process.creation.time")
#define SEMCONV_CONTAINER_ID BYTES_LITERAL("container.id")
#define SEMCONV_TELEMETRY_DISTRO_NAME BYTES_LITERAL("telemetry.distro.name")
#define SEMCONV_TELEMETRY_DISTRO_VERSION BYTES_LITERAL("telemetry.distro.version")

/* How the parent is known: header, wire, thread, only, none. */
#define FLOWTRACE_PARENT_EVIDENCE BYTES_LITERAL("flowtrace.parent.evidence")
/* The derived id of the other end's span, where that end was not seen here. */
#define FLOWTRACE_PEER_SPAN_ID BYTES_LITERAL("flowtrace.peer.span_id")
/* The start was moved back to that of a child whose record came first. */
#define FLOWTRACE_START_MOVED BYTES_LITERAL("flowtrace.start.moved")
/* Bytes of the exchange are missing: what is said may be incomplete. */
#define FLOWTRACE_INCOMPLETE BYTES_LITERAL("flowtrace.incomplete")
/* How often the request was sent again, in a datagram, before it was answered. */
#define FLOWTRACE_REQUEST_REPEATS BYTES_LITERAL("flowtrace.request.repeats")
/*
 * How many texts of the span, or resource, were not UTF-8 and hold U+FFFD where they were broken.
 */
#define FLOWTRACE_TEXTS_REPAIRED BYTES_LITERAL("flowtrace.texts.repaired")
/* How many values of its attributes were cut, because they were too long. */
#define FLOWTRACE_ATTRIBUTES_CUT BYTES_LITERAL("flowtrace.attributes.cut")
