# SPDX-License-Identifier: Apache-2.0
"""cloudevents_sdk.py URL N: N events by the CloudEvents SDK, binary and structured in turn. Prints
their ids."""
import sys

import requests
from cloudevents.http import CloudEvent, to_binary, to_structured


def main():
    url, n = sys.argv[1], int(sys.argv[2])
    with requests.Session() as session:
        for i in range(n):
            event = CloudEvent({"type": "order.shipped", "source": "/shop", "subject": f"order {i}",
                                "datacontenttype": "application/json",
                                "correlationid": f"run-{i % 7}"},
                               {"order": {"total": i, "card": "not to be seen"}})
            headers, body = (to_structured if i % 2 else to_binary)(event)
            session.post(url, data=body, headers=headers, timeout=20).raise_for_status()
            print(event["id"])


main()
