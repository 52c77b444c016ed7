// SPDX-License-Identifier: Apache-2.0
// sdk.js proto|http URL N: N spans by the OpenTelemetry SDK for Node, in protobuf or JSON.
const [encoding, url, n] = process.argv.slice(2);
const { NodeTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-node');
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${encoding}`);

const { resourceFromAttributes } = require('@opentelemetry/resources');

const exporter = new OTLPTraceExporter({ url });
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME }),
  spanProcessors: [new BatchSpanProcessor(exporter, { maxQueueSize: 10000 })],
});
const tracer = provider.getTracer('cart', '4.5.6');

for (let i = 0; i < Number(n); i++) {
  const span = tracer.startSpan(`step ${i}`, { attributes: { i, half: i / 2, odd: i % 2 === 1 } });
  span.addEvent('half way');
  span.end();
}
provider.shutdown();
