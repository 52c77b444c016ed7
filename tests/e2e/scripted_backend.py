# SPDX-License-Identifier: Apache-2.0
"""An OTLP backend that does as it is told: by gRPC (grpcio, the published messages) and by HTTP
(Python's own server). It keeps what it took, and answers each request by the next step of its
script, or, when that is used up, with a plain success.

A step is a dictionary:
  status      gRPC: a code's name ("UNAVAILABLE"); HTTP: a number
  delay       gRPC: a RetryInfo of so many seconds; HTTP: Retry-After
  rejected    success, but for so many spans of the request (the last ones are not kept)
  stall       nothing for so many seconds, then status UNAVAILABLE (gRPC), the end (HTTP)
  half        HTTP: half of an answer, though the spans are taken, then the end of the connection
  reset       HTTP: the connection is reset

With certificates (tests/make-certificates) both want mutual TLS, and note in `peers` who came with
each request. In front of either, a Relay spoils whole connections.
"""
import base64
import concurrent.futures
import contextlib
import gzip
import http.server
import json
import socket
import ssl
import struct
import threading
import time

import grpc
from google.protobuf import any_pb2, duration_pb2, json_format
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

import flowtrace_e2e as e2e

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Script:
    """What both kinds share: the steps, and the spans that were taken, each as often as it came."""

    def __init__(self):
        self.lock = threading.Lock()
        self.steps = []
        self.taken = []
        self.requests = []  # (time, headers, step) of each
        self.peers = []     # the common name in the certificate that came with it

    def tell(self, *steps):
        with self.lock:
            self.steps += steps

    def next_step(self, headers):
        with self.lock:
            step = self.steps.pop(0) if self.steps else {}
            self.requests.append((time.monotonic(), headers, step))
            return step

    def take(self, request, step):
        """The response to a request that is a success."""
        spans = [span for resource in request.resource_spans for scope in resource.scope_spans
                 for span in scope.spans]
        rejected = min(step.get("rejected", 0), len(spans))
        with self.lock:
            self.taken += spans[:len(spans) - rejected]
        response = service.ExportTraceServiceResponse()
        if rejected:
            response.partial_success.rejected_spans = rejected
            response.partial_success.error_message = "as told"
        return response

    def ids(self):
        with self.lock:
            return sorted(span.span_id.hex() for span in self.taken)


class GrpcBackend(Script):
    def __init__(self, port=None, host="127.0.0.1", largest=4 << 20, certificates=None):
        super().__init__()
        self.port, self.host, self.largest = port or e2e.free_port(), host, largest
        self.server, self.certificates = None, certificates
        self.start()

    def start(self):
        self.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(4),
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", self.largest)])
        handler = grpc.unary_unary_rpc_method_handler(
            self.export, request_deserializer=service.ExportTraceServiceRequest.FromString,
            response_serializer=service.ExportTraceServiceResponse.SerializeToString)
        self.server.add_generic_rpc_handlers((Only(handler),))
        if self.certificates:
            key, chain, ca = [(self.certificates / name).read_bytes()
                              for name in ("server.key", "server.pem", "ca.pem")]
            self.server.add_secure_port(f"{self.host}:{self.port}", grpc.ssl_server_credentials(
                [(key, chain)], ca, require_client_auth=True))
        else:
            self.server.add_insecure_port(f"{self.host}:{self.port}")
        self.server.start()

    def stop(self):
        self.server.stop(0).wait()

    @property
    def endpoint(self):
        return f"http{'s' if self.certificates else ''}://{self.host}:{self.port}"

    def export(self, request, context):
        step = self.next_step(dict(context.invocation_metadata()))
        self.peers += [name.decode() for name in
                       context.auth_context().get("x509_common_name", [])]
        if "stall" in step:
            time.sleep(step["stall"])
            context.abort(grpc.StatusCode.UNAVAILABLE, "stalled")
        if step.get("status", "OK") == "OK":
            return self.take(request, step)
        code = grpc.StatusCode[step["status"]]
        if "delay" in step:
            context.set_trailing_metadata((("grpc-status-details-bin", details(code, step)),))
        context.abort(code, "as told")
        return None


class Only(grpc.GenericRpcHandler):
    def __init__(self, handler):
        self.handler = handler

    def service(self, handler_call_details):
        return self.handler if handler_call_details.method == EXPORT else None


def details(code, step):
    info = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(
        seconds=int(step["delay"]), nanos=int(step["delay"] % 1 * 1e9)))
    packed = any_pb2.Any()
    packed.Pack(info)
    return status_pb2.Status(code=code.value[0], message="as told",
                             details=[packed]).SerializeToString()


class HttpBackend(Script):
    def __init__(self, port=None, host="127.0.0.1", certificates=None):
        super().__init__()
        self.port, self.host = port or e2e.free_port(), host
        self.certificates = certificates
        self.start()

    def start(self):
        self.connections = []
        self.server = http.server.ThreadingHTTPServer((self.host, self.port),
                                                      handler_of(self))
        if self.certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificates / "server.pem",
                                    self.certificates / "server.key")
            context.load_verify_locations(self.certificates / "ca.pem")
            context.verify_mode = ssl.CERT_REQUIRED
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        """Also of the connections that are kept alive."""
        self.server.shutdown()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server.server_close()

    @property
    def endpoint(self):
        return f"http{'s' if self.certificates else ''}://{self.host}:{self.port}"


class Relay:
    """Hands connections on to a backend, but treats the first of them as its steps say: "reset" at
    once, "garbage" as an answer, "half": the end after so many bytes of answers, "freeze": silence
    after so many, with the connection open."""

    def __init__(self, backend, *steps):
        self.backend, self.steps, self.frozen = backend, list(steps), threading.Event()
        self.host = "127.0.0.1"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://{self.host}:{self.port}"

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            step = self.steps.pop(0) if self.steps else {}
            threading.Thread(target=self.serve, args=(client, step), daemon=True).start()

    def serve(self, client, step):
        with client:
            if step.get("reset"):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif "garbage" in step:
                client.recv(1)
                client.sendall(step["garbage"])
            else:
                self.hand_on(client, step.get("half", step.get("freeze", 1 << 62)),
                             "freeze" in step)

    def hand_on(self, client, limit, freezes):
        with socket.create_connection(("127.0.0.1", self.backend.port)) as server:
            threading.Thread(target=copy, args=(client, server), daemon=True).start()
            copy(server, client, limit)
            if freezes:
                self.frozen.wait()

    def stop(self):
        self.frozen.set()
        self.listener.close()


def copy(source, target, limit=1 << 62):
    with contextlib.suppress(OSError):
        while limit > 0 and (data := source.recv(min(65536, limit))):
            target.sendall(data)
            limit -= len(data)


def handler_of(backend):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            backend.connections.append(self.connection)

        def log_message(self, *arguments):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            step = backend.next_step(dict(self.headers))
            if backend.certificates:
                subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])
                backend.peers.append(subject["commonName"])
            if "stall" in step:
                time.sleep(step["stall"])
                self.close_connection = True
            elif step.get("reset"):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                           struct.pack("ii", 1, 0))
                self.close_connection = True
            else:
                self.answer(body, step)

        def answer(self, body, step):
            status, response = step.get("status", 200), b""
            kind = self.headers["Content-Type"]
            if 200 <= status < 300:
                response = encode(kind, backend.take(decode(kind, body, self.headers), step))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(response) + (9 if step.get("half") else 0)))
            if "delay" in step:
                self.send_header("Retry-After", str(step["delay"]))
            self.end_headers()
            self.wfile.write(response)
            self.close_connection = bool(step.get("half"))

    return Handler


def decode(kind, body, headers):
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if kind == "application/x-protobuf":
        return service.ExportTraceServiceRequest.FromString(body)
    return json_format.Parse(hex_to_base64(json.loads(body)), service.ExportTraceServiceRequest())


def hex_to_base64(message):
    """OTLP/JSON writes ids in hexadecimal, where ProtoJSON, which is read here, has base64."""
    for resource in message["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for holder in [span, *span.get("links", [])]:
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in holder:
                            holder[name] = base64_of(holder[name])
    return json.dumps(message)


def base64_of(text):
    return base64.b64encode(bytes.fromhex(text)).decode()


def encode(kind, response):
    if kind == "application/x-protobuf":
        return response.SerializeToString()
    return json_format.MessageToJson(response, indent=0).encode()
