#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is selected is all that is traced, secrets in URLs stay on the host, a service is called what
its environment says, and resources and spans have the attributes that were asked for."""
import os
import subprocess
import sys
import time

import flowtrace_e2e as e2e

SECRET = "hunter2-" + "x" * 8
# An environment can be read while its process lives: this one outlives its request.
LINGERING = (sys.executable, "-c", "import sys, time, urllib.request as u;"
                                   "u.urlopen(sys.argv[1]).read(); time.sleep(0.5)")


class Policy(e2e.Case):
    def traced(self, *arguments, query="", env=None, agent_env=None,
               client=("curl", "-sf", "-o", "/dev/null")):
        """All spans while one client, curl or another, asks for an order."""
        directory = self.enterContext(e2e.scratch())
        flow = self.keep(e2e.Flow(directory))
        agent = self.keep(e2e.Agent(directory, "--set", f"select.ports={flow.port},"
                                    f"{flow.orders_port},{flow.stock_port}",
                                    *arguments, env=agent_env).wait_ready())
        subprocess.run([*client, f"http://127.0.0.1:{flow.port}/orders/a1{query}"], check=True,
                       env={**os.environ, **(env or {})})
        time.sleep(0.5)
        agent.stop()
        self.said = agent.errors()
        self.file = agent.spans_path.read_text() if agent.spans_path.exists() else ""
        self.totals = agent.totals()
        return agent.spans() if self.file else []

    def services(self, spans):
        return sorted((s.service, s.kind) for s in spans)

    def test_selected_ports_are_traced_whole(self):
        self.assertEqual(self.services(self.traced()), sorted([
            ("curl", 3), ("nginx", 2), ("nginx", 3), ("orders", 2), ("orders", 3),
            ("stock", 2)]))

    def test_only_selected_executables_are_traced(self):
        spans = self.traced("--set", "select.executables=nginx,nod?")
        self.assertEqual(self.services(spans), [("nginx", 2), ("nginx", 3), ("stock", 2)])
        unselected = sum(self.totals[name] for name in (
            "operations_unselected", "operations_ignored", "exchanges_unselected"))
        self.assertGreater(unselected, 0, self.totals)

    def test_no_span_has_a_parent_that_is_not_selected(self):
        spans = self.traced("--set", "select.executables=nginx,nod?")
        ids = {s.span_id for s in spans}
        for span in spans:
            self.assertIn(span.parent_id, ids | {""}, span)
        door = next(s for s in spans if s.service == "nginx" and s.kind == e2e.KIND_SERVER)
        self.assertEqual(door.parent_id, "")
        self.assertRegex(door.attributes["flowtrace.peer.span_id"], "^[0-9a-f]{16}$")

    def test_nothing_selected_is_nothing_traced(self):
        self.assertEqual(self.traced("--set", "select.executables=no-such-program"), [])

    def test_secrets_in_the_query_never_leave_the_agent(self):
        spans = self.traced(query=f"?page=2&access_token={SECRET}&api%4Bey={SECRET}")
        self.assertNotIn("hunter2", self.file)
        queries = [s.attributes.get("url.query") or s.attributes.get("url.full", "").partition(
            "?")[2] for s in spans if s.service in ("curl", "nginx")]
        self.assertEqual(queries, ["page=2&access_token=REDACTED&api%4Bey=REDACTED"] * 3)

    def test_redaction_can_be_configured(self):
        spans = self.traced("--set", "redact.query_keys=pag", query="?page=2&token=abc")
        self.assertTrue(any(s.attributes.get("url.query") == "page=REDACTED&token=abc"
                            for s in spans))

    def test_the_environment_names_the_service(self):
        spans = self.traced(env={"OTEL_SERVICE_NAME": "cash desk"}, client=LINGERING)
        self.assertIn(("cash desk", e2e.KIND_CLIENT), self.services(spans))

    def test_a_resource_has_what_the_process_and_the_agent_are_told_each_its_own(self):
        spans = self.traced(
            "--set", "resource.attributes=tier=set", client=LINGERING,
            env={"OTEL_SERVICE_NAME": "cash desk", "OTEL_RESOURCE_ATTRIBUTES":
                 "service.name=till,team=a%2Cb,tier=process,zone=process"},
            agent_env={"OTEL_SERVICE_NAME": "watcher", "OTEL_RESOURCE_ATTRIBUTES":
                       "service.version=7,tier=agent,zone=agent,cluster=%C3%A4"})
        desk = next(s.resource for s in spans if s.service == "cash desk")
        self.assertEqual({k: desk.get(k) for k in ("team", "tier", "zone", "cluster")},
                         {"team": "a,b", "tier": "set", "zone": "process", "cluster": "\u00e4"})
        for span in spans:
            self.assertNotIn("service.version", span.resource)
            self.assertEqual(span.resource["tier"], "set")
            self.assertIn(span.service, ("cash desk", "nginx", "orders", "stock"))
            if span.service != "cash desk":
                self.assertEqual(span.resource["zone"], "agent")
                self.assertNotIn("team", span.resource)

    def test_a_list_with_an_error_is_discarded_whole_and_told(self):
        spans = self.traced(env={"OTEL_RESOURCE_ATTRIBUTES": "service.name=till,team=%"},
                            agent_env={"OTEL_RESOURCE_ATTRIBUTES": "zone=a,b"}, client=LINGERING)
        self.assertEqual(len(spans), 6)
        for span in spans:
            self.assertFalse({"zone", "team"} & set(span.resource), span.resource)
            self.assertNotEqual(span.service, "till")
        self.assertEqual(self.totals["resource_attributes_invalid"], 1)
        self.assertIn("OTEL_RESOURCE_ATTRIBUTES is ignored", self.said)

    def test_attributes_beyond_the_limits_are_dropped_and_counted(self):
        spans = self.traced("--set", "span.value_length=5", agent_env={
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "4", "OTEL_ATTRIBUTE_COUNT_LIMIT": "50",
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "99"})
        self.assertEqual(len(spans), 6)
        for span in spans:
            self.assertEqual(len(span.attributes), 4)
            self.assertGreater(span.dropped_attributes, 0)
            self.assertLessEqual(max(len(v) for v in span.attributes.values()
                                     if isinstance(v, str)), 5)
        self.assertEqual(self.totals["attributes_dropped"],
                         sum(s.dropped_attributes for s in spans))


if __name__ == "__main__":
    e2e.main()
