# SPDX-License-Identifier: Apache-2.0
"""client_requests.py CA [--wait FILE] URL... : a session for each of CONCURRENCY (1) threads; prints
the number of answers 200. With --wait it goes on behind the first answer only when FILE is there."""
import os
import sys
import threading
import time
from concurrent import futures

import requests

urls, wait = sys.argv[2:], None
if urls[0] == "--wait":
    wait, urls = urls[1], urls[2:]
local = threading.local()


def begin():
    local.session = requests.Session()
    local.session.trust_env = False  # neither proxies nor another authority
    local.session.verify = sys.argv[1]


def get(url):
    answer = local.session.get(url)
    while wait and not os.path.exists(wait):
        time.sleep(0.02)
    return answer.status_code == 200


with futures.ThreadPoolExecutor(int(os.environ.get("CONCURRENCY", 1)), initializer=begin) as pool:
    print(sum(pool.map(get, urls)))
