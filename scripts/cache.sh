# SPDX-License-Identifier: Apache-2.0
# What the get-* scripts share: programs of others' making are kept outside the checkout, and are made
# anew where their recipe has changed. Sourced, never run, by scripts with set -euo pipefail.

cache=${XDG_CACHE_HOME:-/var/cache}/flowtrace-tests

# is_cached NAME RECIPE: was the folder $cache/NAME made by this recipe?
is_cached() {
    [ "$(cat "$cache/$1/recipe" 2>/dev/null)" = "$2" ]
}

# cached_python NAME PACKAGE==VERSION...: prints the Python of an environment that has the packages.
cached_python() {
    local name=$1
    shift
    if ! is_cached "$name" "$*"; then
        echo "making a Python environment in $cache/$name" >&2
        rm -rf "${cache:?}/$name"
        mkdir -p "$cache"
        /usr/bin/python3 -m venv "$cache/$name" >&2
        "$cache/$name/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
        echo "$*" > "$cache/$name/recipe"
    fi
    echo "$cache/$name/bin/python"
}

# cached_node NAME PACKAGE@VERSION...: prints the folder for NODE_PATH that has the packages.
cached_node() {
    local name=$1
    shift
    if ! is_cached "$name" "$*"; then
        echo "installing Node packages in $cache/$name" >&2
        rm -rf "${cache:?}/$name"
        mkdir -p "$cache/$name"
        (cd "$cache/$name" && echo '{"private": true}' > package.json &&
            npm install --silent --no-audit --no-fund --ignore-scripts "$@" >&2)
        echo "$*" > "$cache/$name/recipe"
    fi
    echo "$cache/$name/node_modules"
}

# cached_go NAME SOURCE: prints the program that the module in the folder SOURCE is, built.
cached_go() {
    local name=$1 source=$2 recipe
    recipe=$(cat "$source"/go.* "$source"/*.go | sha256sum)
    if ! is_cached "$name" "$recipe"; then
        PATH=$PATH:/usr/local/go/bin
        command -v go >/dev/null || { echo "Go 1.26 or later is needed to build $source" >&2; return 1; }
        echo "building $source in $cache/$name" >&2
        rm -rf "${cache:?}/$name"
        mkdir -p "$cache/$name"
        (cd "$source" && GOFLAGS=-p=2 go build -o "$cache/$name/peer" . >&2)
        echo "$recipe" > "$cache/$name/recipe"
    fi
    echo "$cache/$name/peer"
}

# cached_cargo NAME SOURCE: prints the folder with the programs of the crate in SOURCE, as released.
cached_cargo() {
    local name=$1 source=$2 recipe
    recipe=$(cat "$source"/Cargo.* "$source"/src/*.rs | sha256sum)
    if ! is_cached "$name" "$recipe"; then
        PATH=$PATH:$HOME/.cargo/bin:/usr/local/cargo/bin
        command -v cargo >/dev/null || { echo "cargo 1.71 or later is needed to build $source" >&2; return 1; }
        echo "building $source in $cache/$name" >&2
        rm -rf "${cache:?}/$name"
        mkdir -p "$cache/$name"
        cargo build --quiet --release --locked --manifest-path "$source/Cargo.toml" \
            --target-dir "$cache/$name" >&2
        echo "$recipe" > "$cache/$name/recipe"
    fi
    echo "$cache/$name/release"
}
