// SPDX-License-Identifier: Apache-2.0

// The exporters of the OpenTelemetry SDK for Go as a measure: the same spans as bench_delivery.c
// makes, 512 to a batch, sent to the same sink.
//
//	go_exporter grpc|http HOST:PORT BATCHES
//
// Prints the CPU time of a span, in nanoseconds: everything from the SDK's span to the answer.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

const (
	spansPerBatch = 512
	warmUp        = 20
)

func span(i byte) tracetest.SpanStub {
	var traceID trace.TraceID
	var spanID trace.SpanID
	traceID[0], spanID[0], spanID[1] = 0x5a, 0xa5, i
	start := time.Unix(1704067200, 0)
	return tracetest.SpanStub{
		Name: "GET /api/v1/orders/{id}", SpanKind: trace.SpanKindClient,
		SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled}),
		Parent: trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: traceID, SpanID: trace.SpanID{0x3c}}),
		StartTime: start, EndTime: start.Add(time.Millisecond),
		Resource: resource.NewSchemaless(attribute.String("service.name", "shop")),
		Attributes: []attribute.KeyValue{
			attribute.String("http.request.method", "GET"),
			attribute.String("url.path", "/api/v1/orders/17"),
			attribute.String("url.scheme", "http"),
			attribute.String("url.full",
				"http://orders.shop.svc:8080/api/v1/orders/17?expand=lines"),
			attribute.Int("http.response.status_code", 200),
			attribute.Int("http.response.body.size", 48211),
			attribute.String("user_agent.original", "Apache-HttpClient/5.2.1 (Java/17.0.9)"),
			attribute.String("server.address", "orders.shop.svc"),
			attribute.Int("server.port", 8080),
			attribute.String("network.peer.address", "10.42.17.3"),
			attribute.Int("network.peer.port", 8080),
			attribute.String("network.transport", "tcp"),
			attribute.String("network.protocol.name", "http"),
			attribute.String("network.protocol.version", "1.1"),
			attribute.String("flowtrace.parent.evidence", "thread"),
		},
	}
}

func exporter(kind, endpoint string) (*otlptrace.Exporter, error) {
	if kind == "grpc" {
		return otlptracegrpc.New(context.Background(), otlptracegrpc.WithInsecure(),
			otlptracegrpc.WithEndpoint(endpoint))
	}
	return otlptracehttp.New(context.Background(), otlptracehttp.WithInsecure(),
		otlptracehttp.WithEndpoint(endpoint))
}

func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func send(exporter *otlptrace.Exporter, spans []sdktrace.ReadOnlySpan, batches int) {
	for i := 0; i < batches; i++ {
		if err := exporter.ExportSpans(context.Background(), spans); err != nil {
			log.Fatal(err)
		}
	}
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("go_exporter grpc|http HOST:PORT BATCHES")
	}
	batches, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	exporter, err := exporter(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	var stubs tracetest.SpanStubs
	for i := 0; i < spansPerBatch; i++ {
		stubs = append(stubs, span(byte(i)))
	}
	spans := stubs.Snapshots()
	send(exporter, spans, warmUp)
	before := cpu()
	send(exporter, spans, batches)
	fmt.Println((cpu() - before) / int64(batches*spansPerBatch))
}
