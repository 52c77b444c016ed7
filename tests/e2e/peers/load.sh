#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# load.sh FOLDER: nginx and Redis under load in this network namespace, judged by the tools that come
# with them; FOLDER holds nginx.conf and a file `big`. Prints what they say, and the kernel's counters:
# while wrk is at work, just behind its end, and at the end.
set -eu
cd "$1"
ip link set lo up
nginx -e error.log -p "$1" -c "$1/nginx.conf" &
nginx=$!
redis-server --port 6379 --save '' --appendonly no --dir "$1" > redis.log &
redis=$!
trap 'kill $nginx $redis' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
    redis-cli ping > /dev/null 2>&1 && curl -s -o /dev/null http://127.0.0.1:8080/small && break
    sleep 0.3
done
wrk -t1 -c8 -d2s http://127.0.0.1:8080/small &
load=$!
sleep 1
cat /proc/net/snmp /proc/net/netstat
wait $load
cat /proc/net/snmp /proc/net/netstat
for _ in 1 2 3 4 5; do
    curl -sS http://127.0.0.1:8080/big | sha256sum
done
redis-benchmark -q -n 40000 -P 16 -c 8 -t set,get,lpush,lrange_100
redis-cli set counter 0
seq 1000 | sed 's/.*/incr counter/' | redis-cli | tail -1 | sed 's/^/counted /'
cat /proc/net/snmp /proc/net/netstat
