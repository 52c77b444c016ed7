#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What flowtrace encodes, the messages that OpenTelemetry publishes for Python decode: protobuf and
JSON to the same request, with every field of the sample (tests/agent/otlp/samples.c)."""
import math
import pathlib
import subprocess
import unittest

import flowtrace_e2e as e2e

e2e.use_otlp_python()

# pylint: disable=wrong-import-position
from scripted_backend import decode

TOOL = pathlib.Path(e2e.AGENT).parents[1] / "tests" / "agent" / "otlp" / "print_request"


def printed(kind, *arguments):
    data = subprocess.run([TOOL, *arguments], capture_output=True, check=True).stdout
    return decode(kind, data, {})


def value_of(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return kind, [value_of(item) for item in value.array_value.values]
    return kind, getattr(value, kind)


class Published(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.request = printed("application/x-protobuf")
        cls.spans = [span for resource in cls.request.resource_spans
                     for scope in resource.scope_spans for span in scope.spans]

    def test_protobuf_and_json_are_the_same_request(self):
        self.assertEqual(self.request, printed("application/json", "json"))

    def test_spans_stand_under_their_resources_and_scope(self):
        services = [{a.key: value_of(a.value) for a in resource.resource.attributes}["service.name"]
                    for resource in self.request.resource_spans]
        self.assertEqual(services, [("string_value", "shop"), ("string_value", "cart")])
        self.assertEqual([len(r.scope_spans) for r in self.request.resource_spans], [1, 1])
        self.assertEqual({r.scope_spans[0].scope.name for r in self.request.resource_spans},
                         {"flowtrace"})
        self.assertEqual([len(r.scope_spans[0].spans) for r in self.request.resource_spans], [2, 1])

    def test_every_field_of_the_full_span_is_read(self):
        span = self.spans[0]
        self.assertEqual(span.trace_id.hex(), "0af7651916cd43dd8448eb211c80319c")
        self.assertEqual(span.span_id.hex(), "b7ad6b7169203331")
        self.assertEqual(span.parent_span_id.hex(), "00f067aa0ba902b7")
        self.assertEqual((span.trace_state, span.flags, span.kind), ("vendor=1", 1, 3))
        self.assertEqual(span.name, "GET /café/\ufffd")
        self.assertEqual(span.end_time_unix_nano - span.start_time_unix_nano, 1500000)
        self.assertEqual((span.status.code, span.status.message), (2, "broken \ufffd pipe"))
        self.assertEqual(span.dropped_attributes_count, 2)
        self.assertEqual([link.span_id.hex() for link in span.links], ["00f067aa0ba902b7"])

    def test_every_type_of_attribute_is_read_and_repairs_are_told(self):
        found = {a.key: value_of(a.value) for a in self.spans[0].attributes}
        self.assertEqual(found, {
            "http.request.method": ("string_value", "GET"), "empty": ("string_value", ""),
            "nul": ("string_value", 'a\0b "c"'), "server.port": ("int_value", 8080),
            "smallest": ("int_value", -2**63), "zero": ("int_value", 0),
            "flowtrace.incomplete": ("bool_value", True), "no": ("bool_value", False),
            "ratio": ("double_value", 0.25), "endless": ("double_value", math.inf),
            "list": ("array_value", [("string_value", "192.0.2.1"), ("string_value", ""),
                                     ("string_value", "\ufffd")]),
            "none": ("array_value", []), "flowtrace.texts.repaired": ("int_value", 3)})


if __name__ == "__main__":
    e2e.main()
