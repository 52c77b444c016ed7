/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short names for the generated messages: protoc-c derives a type's name from its package, and the
 * packages bear their published, long names.
 */
#pragma once

#include "proto/trace_service.pb-c.h"

typedef Opentelemetry__Proto__Common__V1__AnyValue OtlpAnyValue;
typedef Opentelemetry__Proto__Common__V1__ArrayValue OtlpArrayValue;
typedef Opentelemetry__Proto__Common__V1__KeyValue OtlpKeyValue;
typedef Opentelemetry__Proto__Resource__V1__Resource OtlpResource;
typedef Opentelemetry__Proto__Trace__V1__Span OtlpSpan;
typedef Opentelemetry__Proto__Trace__V1__Span__Link OtlpLink;
typedef Opentelemetry__Proto__Trace__V1__Status OtlpStatus;

/* The generated initializer lacks the braces of the union. */
#define OTLP_ANY_VALUE_INIT                                                                        \
    {                                                                                              \
        .base = PROTOBUF_C_MESSAGE_INIT(&opentelemetry__proto__common__v1__any_value__descriptor)  \
    }
#define OTLP_KEY_VALUE_INIT OPENTELEMETRY__PROTO__COMMON__V1__KEY_VALUE__INIT
#define OTLP_SPAN_INIT OPENTELEMETRY__PROTO__TRACE__V1__SPAN__INIT
#define OTLP_LINK_INIT OPENTELEMETRY__PROTO__TRACE__V1__SPAN__LINK__INIT
#define OTLP_STATUS_INIT OPENTELEMETRY__PROTO__TRACE__V1__STATUS__INIT

#define OTLP_VALUE_STRING OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE
#define OTLP_VALUE_BOOL OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE
#define OTLP_VALUE_INT OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE
#define OTLP_VALUE_DOUBLE OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE
#define OTLP_VALUE_ARRAY OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE

#define OTLP_SPAN_DESCRIPTOR (&opentelemetry__proto__trace__v1__span__descriptor)
#define OTLP_REQUEST_DESCRIPTOR                                                                    \
    (&opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor)
#define OTLP_SCOPE_DESCRIPTOR (&opentelemetry__proto__common__v1__instrumentation_scope__descriptor)
#define OTLP_RESOURCE_DESCRIPTOR (&opentelemetry__proto__resource__v1__resource__descriptor)
