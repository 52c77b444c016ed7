#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of the guest: runs the agent against real programs, once per set of hooks that
# the kernel's command line names (hooks=A,B), and hands all it saw over by the second serial port.
export PATH=/bin:/usr/bin PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec < /dev/null > /dev/console 2>&1
mount -t cgroup2 cgroup /sys/fs/cgroup
ip link set lo up
mkdir -p /tmp /results /www
echo hello > /www/greeting
httpd -p 127.0.0.1:8080 -h /www

# wait_line FILE TEXT: until it is there, at most 30 s.
wait_line() {
    for _ in $(seq 300); do
        grep -q "$2" "$1" && return
        usleep 100000
    done
}

# trace NAME OPTION...: the agent, and what it shall see
trace() {
    name=$1
    shift
    flowtrace-agent run --set status.listen= --export "file:/results/$name.jsonl" \
        --record "/results/$name.rec" "$@" 2> "/results/$name.err" &
    agent=$!
    wait_line "/results/$name.err" 'ready\|error'
    for i in 1 2 3; do
        wget -q -O - "http://127.0.0.1:8080/greeting?n=$i"
    done > "/results/$name.wget"
    python3 /talk.py talk > "/results/$name.talk" 2>&1
    python3 /loop.py /server.pem /server.key 3 > "/results/$name.secure" 2>&1
    usleep 500000
    kill -TERM $agent
    wait $agent
    echo $? > "/results/$name.status"
}

sets=$(sed 's/.*hooks=\([^ ]*\).*/\1/' /proc/cmdline)
for set in $(echo "$sets" | tr , ' '); do
    flowtrace-agent check --json --set "capture.hooks=$set" > "/results/$set.check" \
        2> "/results/$set.check.err"
    echo $? > "/results/$set.check.status"
    trace "$set" --set "capture.hooks=$set"
done
uname -r > /results/release
dmesg | grep -e BUG: -e WARNING: -e Oops -e "Call Trace" > /results/complaints
stty -F /dev/ttyS1 raw 115200
tar -C /results -c . | gzip -1 > /results.tar.gz
cat /results.tar.gz > /dev/ttyS1
sync
poweroff -f
