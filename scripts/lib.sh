# SPDX-License-Identifier: Apache-2.0
# What the scripts share: packages, builds, ports. Sourced, never run. Debian 12 names; no systemd and
# no sudo are needed. Whoever sources it has set -euo pipefail and stands in the checkout.

build_packages=(meson ninja-build gcc pkg-config clang llvm bpftool libbpf-dev libpcap-dev libelf-dev zlib1g-dev
    protobuf-c-compiler libprotobuf-c-dev libgrpc-dev libmicrohttpd-dev libyaml-dev libjansson-dev
    libcmocka-dev libcurl4-openssl-dev libnghttp2-dev librdkafka-dev libssl-dev openssl python3)

step() { printf '\n=== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

need_root() {
    [ "$(id -u)" = 0 ] || die "root is needed to load BPF programs: run this as root"
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

# ensure_packages NAME...: installs those that are missing, without starting any service.
ensure_packages() {
    local name missing=() policy=/usr/sbin/policy-rc.d made=
    for name in "$@"; do
        is_installed "$name" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "missing packages, which only root can install: ${missing[*]}"
    command -v apt-get >/dev/null || die "missing packages, and no apt-get: ${missing[*]}"
    step "installing ${missing[*]}"
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod +x "$policy"
        made=1
    fi
    if ! { DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
           DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
               "${missing[@]}" >/dev/null; }; then
        [ -z "$made" ] || rm -f "$policy"
        die "these packages could not be installed: ${missing[*]}"
    fi
    [ -z "$made" ] || rm -f "$policy"
}

# ensure_command COMMAND PACKAGE: for programs that may have come from elsewhere.
ensure_command() {
    command -v "$1" >/dev/null || ensure_packages "$2"
}

# build FOLDER OPTION...: configures the folder (again), and builds all of it.
build() {
    local folder=$1
    shift
    if [ -f "$folder/build.ninja" ]; then
        meson setup --reconfigure "$folder" "$@" >/dev/null || return
    else
        meson setup "$folder" "$@" >/dev/null || return
    fi
    ninja -C "$folder" -j "$(nproc)" --quiet
}

# Below the ports that clients' own ends are given, so that none of those takes it meanwhile.
free_port() {
    local port
    while port=$((10000 + RANDOM % 22000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# wait_port PORT PID: until something listens; fails when the process ends or after 15 seconds.
wait_port() {
    local i
    for i in $(seq 150); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
