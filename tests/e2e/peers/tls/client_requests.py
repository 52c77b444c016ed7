# SPDX-License-Identifier: Apache-2.0
"""client_requests.py CA [--wait FILE] URL... : one session; prints the number of answers 200. With
--wait it goes on behind the first answer only when FILE is there."""
import os
import sys
import time

import requests

session = requests.Session()
session.trust_env = False  # neither proxies nor another authority
session.verify = sys.argv[1]
urls, wait = sys.argv[2:], None
if urls[0] == "--wait":
    wait, urls = urls[1], urls[2:]
good = 0
for url in urls:
    good += session.get(url).status_code == 200
    while wait and not os.path.exists(wait):
        time.sleep(0.02)
print(good)
