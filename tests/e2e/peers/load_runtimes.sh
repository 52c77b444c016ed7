#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# load_runtimes.sh FOLDER SECONDS: servers in Java, Node, Go and Python under load, side by side, in this
# network namespace. FOLDER holds the files `small` and `big`, and the Go server, built. Prints what
# the load generator says of each, what each served, the CPU time of each, and the kernel's counters:
# while wrk is at work, just behind its end, and at the end.
set -eu
folder=$1
here=$(cd "$(dirname "$0")/servers" && pwd)
ip link set lo up
"$folder/server-go" 8081 "$folder" &
go=$!
java -Dsun.net.httpserver.nodelay=true -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    "$here/Server.java" 8082 "$folder" &
java=$!
node "$here/server.js" 8083 "$folder" &
node=$!
python3 "$here/server.py" 8084 "$folder" &
python=$!
trap 'kill $go $java $node $python' EXIT
# Looked up, not tried: a refused connection would be counted. 0A: LISTEN.
for port in 1F91 1F92 1F93 1F94; do
    for _ in $(seq 100); do
        grep -q ":$port [0-9A-F]*:0000 0A " /proc/net/tcp /proc/net/tcp6 && break
        sleep 0.1
    done
done
loads=
for port in 8081 8082 8083 8084; do
    wrk -t1 -c4 "-d$2s" "http://127.0.0.1:$port/small" > "$folder/wrk.$port" &
    loads="$loads $!"
done
sleep $(($2 / 2))
cat /proc/net/snmp /proc/net/netstat
for load in $loads; do
    wait "$load"
done
cat /proc/net/snmp /proc/net/netstat
for port in 8081 8082 8083 8084; do
    sed "s/^/$port: /" "$folder/wrk.$port"
    for _ in 1 2 3; do
        curl -sS "http://127.0.0.1:$port/big" | sha256sum
    done
done
for server in "$go go" "$java java" "$node node" "$python python"; do
    # Fields 14 and 15: user and kernel time, in clock ticks.
    sed 's/.*) //' "/proc/${server% *}/stat" |
        awk -v name="${server#* }" '{ print "cpu " name " " $12 + $13 }'
done
cat /proc/net/snmp /proc/net/netstat
