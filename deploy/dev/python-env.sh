#!/usr/bin/env bash
# The project's Python environment: find an interpreter, bootstrap uv, install from the hashed lock.
#
#   python-env.sh find-python         print the path of a fitting interpreter
#   python-env.sh sync GROUP...       make .venv hold requirements/GROUP.txt and this project, if it does not yet
#   python-env.sh lock                compile requirements/*.in to requirements/*.txt
#   python-env.sh test-programs       install the programs that tests call (Debian, as root), or say what to install
#   python-env.sh test-clients        install the official A2A clients that tests call, each in its own environment
#
# PYTHON names the interpreter to use; else pyenv's versions, the PATH and uv's own search are tried in turn.
# pip's settings (index, find-links, certificate, time-out) count for uv too, which does not read them by itself.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
VENV="${CODETETHER_VENV:-$ROOT/.venv}"
UV_HOME="$ROOT/.venv-uv"
OLD_CLIENT="$ROOT/.venv-a2a-0-3"
LOWEST="3.12"
SERIES=(3.13 3.14 3.12) # the one that the tests run on comes first
# By a program that knows --version, the package that it comes with.
TEST_PROGRAMS=(git:git rg:ripgrep chromium:chromium systemd-analyze:systemd ss:iproute2)

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Running it is the only proof: pyenv's shims exist for versions that are not selected, and fail.
fits() {
    "$1" -c "import sys; assert sys.version_info >= (${LOWEST//./, }); import ctypes, ssl, venv" >/dev/null 2>&1
}

pyenv_root() {
    if [ -n "${PYENV_ROOT:-}" ]; then
        printf '%s\n' "$PYENV_ROOT"
    else
        pyenv root 2>/dev/null || printf '%s\n' "${HOME:-/}/.pyenv"
    fi
}

candidates() {
    local versions series
    versions="$(pyenv_root)/versions"
    for series in "${SERIES[@]}"; do
        printf '%s\n' "$versions/$series".*/bin/python3 | sort -rV
    done
    for series in "${SERIES[@]}"; do
        type -ap "python$series" || true
    done
    type -ap python3 python || true
}

find_local_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        candidate="$(type -p "$PYTHON" || true)"
        [ -n "$candidate" ] && fits "$candidate" ||
            die "PYTHON=$PYTHON is not a working Python $LOWEST or newer."
        printf '%s\n' "$candidate"
        return
    fi
    while read -r candidate; do
        if [ -x "$candidate" ] && fits "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done < <(candidates)
    return 1
}

no_python() {
    die "No Python $LOWEST or newer was found (looked at pyenv's versions, the PATH and uv's): install one, or set PYTHON=/path/to/python3."
}

find_python() {
    find_local_python && return
    # A wrong PYTHON has been reported already: nothing else may be taken in its place.
    [ -z "${PYTHON:-}" ] || exit 1
    local uv found
    uv="$(uv_program)" || no_python
    found="$(UV_PYTHON_DOWNLOADS=never "$uv" python find --no-project ">=$LOWEST" 2>/dev/null)" || no_python
    fits "$found" || no_python
    printf '%s\n' "$found"
}

works() { "$@" --version >/dev/null 2>&1; }

# uv itself: from the PATH, or installed by pip into .venv-uv; any Python that has pip will do for that.
uv_program() {
    if works uv; then type -p uv; return; fi
    works "$UV_HOME/bin/uv" || bootstrap_uv || return 1
    printf '%s\n' "$UV_HOME/bin/uv"
}

require_uv() {
    uv_program || die "uv could not be installed by pip: install uv, or a Python with pip (Debian: python3-pip or python3-venv)."
}

bootstrap_uv() {
    local python output=""
    while read -r python; do
        [ -x "$python" ] || continue
        say "Installing uv with $python ..."
        rm -rf "$UV_HOME"
        # Debian's Python may lack ensurepip, and then it cannot make a venv; its pip can still fill a folder.
        if output="$({ "$python" -m venv "$UV_HOME" && "$UV_HOME/bin/python" -m pip install uv; } 2>&1)" ||
            output="$("$python" -m pip install --target "$UV_HOME" uv 2>&1)"; then
            if works "$UV_HOME/bin/uv"; then return; fi
        fi
    done < <(find_local_python 2>/dev/null || true; type -p python3 || true)
    if [ -n "$output" ]; then say "${output##*$'\n'}"; fi
    return 1
}

# pip_setting NAME: what pip would use, from PIP_* or its configuration files; empty when it has no opinion.
pip_setting() {
    local variable value words
    variable="PIP_$(tr 'a-z-' 'A-Z_' <<<"$1")"
    value="${!variable:-}"
    if [ -z "$value" ]; then
        value="$(sed -n "s/^\(global\|install\)\.$1='\(.*\)'\$/\2/p" <<<"$PIP_CONFIGURATION")"
    fi
    value="${value//\\n/ }" # how `pip config list` shows the lines of a value
    read -r -d '' -a words <<<"$value" || true
    printf '%s' "${words[*]-}"
}

# give VARIABLE VALUE: export it unless the value is empty or the user has set the variable.
give() {
    if [ -n "$2" ] && [ -z "${!1:-}" ]; then export "$1=$2"; fi
}

hand_pip_settings_to_uv() {
    local python
    python="$(type -p "$UV_HOME/bin/python" || type -p python3 || printf '%s' "$1")"
    PIP_CONFIGURATION="$("$python" -m pip config list 2>/dev/null || true)"
    give UV_DEFAULT_INDEX "$(pip_setting index-url)"
    give UV_INDEX "$(pip_setting extra-index-url)"
    give UV_FIND_LINKS "$(pip_setting find-links | tr ' ' ',')"
    give UV_INSECURE_HOST "$(pip_setting trusted-host)"
    give UV_HTTP_TIMEOUT "$(pip_setting default-timeout)"
    give SSL_CERT_FILE "$(pip_setting cert)"
    # As pip does it: all indexes are asked and the pinned version is taken wherever it is.
    give UV_INDEX_STRATEGY unsafe-best-match
    give UV_COMPILE_BYTECODE_TIMEOUT 600 # seconds; its own minute is short on a busy machine
    export UV_PYTHON_DOWNLOADS=never
}

fingerprint() {
    local group
    {
        printf '%s\n' "$ROOT" "$@"
        cat "$ROOT/pyproject.toml" "$ROOT/worker/pyproject.toml"
        for group in "$@"; do cat "$ROOT/requirements/$group.txt"; done
    } | sha256sum | cut -d' ' -f1
}

sync() {
    local group uv python stamp current files=()
    stamp="$VENV/.installed-$(IFS=-; printf '%s' "$*")"
    current="$(fingerprint "$@")"
    if [ "$(cat "$stamp" 2>/dev/null)" = "$current" ] && fits "$VENV/bin/python"; then return; fi

    if ! fits "$VENV/bin/python"; then
        python="$(find_python)"
        uv="$(require_uv)"
        say "Making ${VENV#"$ROOT"/} with $("$python" --version) ($python) ..."
        UV_PYTHON_DOWNLOADS=never "$uv" venv --quiet --clear --python "$python" "$VENV"
    fi
    uv="$(require_uv)"
    hand_pip_settings_to_uv "$VENV/bin/python"
    for group in "$@"; do files+=(-r "$ROOT/requirements/$group.txt"); done
    say "Installing the locked packages ($*) ..."
    # Compiled now: it makes every start more than twice as quick, also where Python may not write bytecode.
    "$uv" pip install --python "$VENV/bin/python" --compile-bytecode --require-hashes "${files[@]}"
    "$uv" pip install --python "$VENV/bin/python" --quiet --no-deps -e "$ROOT/worker" -e "$ROOT"
    printf '%s\n' "$current" >"$stamp"
}

lock() {
    local uv group
    uv="$(require_uv)"
    hand_pip_settings_to_uv "$(find_python)"
    cd "$ROOT/requirements"
    for group in worker base test lint a2a-0-3; do
        say "Compiling requirements/$group.txt ..."
        "$uv" pip compile --quiet --generate-hashes --universal --python-version "$LOWEST" \
            --no-emit-index-url --no-emit-find-links --no-header "$@" "$group.in" -o "$group.txt"
    done
}

test_programs() {
    local entry missing=()
    for entry in "${TEST_PROGRAMS[@]}"; do
        works "${entry%%:*}" || missing+=("${entry##*:}")
    done
    if [ ${#missing[@]} -eq 0 ]; then return; fi
    if [ "$(id -u)" = 0 ] && type -p apt-get >/dev/null; then
        say "Installing what the tests call: ${missing[*]} ..."
        if apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive \
            apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null; then
            return
        fi
    fi
    say "Missing programs: ${missing[*]}. Tests that call them will fail or be skipped; install them, e.g. with apt-get as root."
}

# The old Python client needs another release of the same package, so it cannot live in .venv.
python_client() {
    local lock="$ROOT/requirements/a2a-0-3.txt" uv
    if [ "$(cat "$OLD_CLIENT/.installed" 2>/dev/null)" = "$(sha256sum <"$lock")" ] && fits "$OLD_CLIENT/bin/python"; then
        return
    fi
    uv="$(require_uv)"
    hand_pip_settings_to_uv "$VENV/bin/python"
    say "Installing the Python client of A2A 0.3 ..."
    "$uv" venv --quiet --clear --python "$VENV/bin/python" "$OLD_CLIENT"
    "$uv" pip install --python "$OLD_CLIENT/bin/python" --quiet --compile-bytecode --require-hashes -r "$lock"
    sha256sum <"$lock" >"$OLD_CLIENT/.installed"
}

# js_client FOLDER: the locked packages of tests/clients/js/FOLDER; no package may run a script.
js_client() {
    local folder="$ROOT/tests/clients/js/$1" current
    current="$(sha256sum <"$folder/package-lock.json")"
    if [ "$(cat "$folder/node_modules/.installed" 2>/dev/null)" = "$current" ]; then return; fi
    say "Installing the JavaScript client of A2A ($1) ..."
    (cd "$folder" && npm ci --silent --ignore-scripts --no-audit --no-fund)
    printf '%s\n' "$current" >"$folder/node_modules/.installed"
}

test_clients() {
    python_client
    if works node && works npm; then
        js_client v1
        js_client v03
    else
        say "Missing programs: node and npm. Tests of the JavaScript clients will fail; install Node 20 or newer."
    fi
}

command="${1:-}"
[ $# -gt 0 ] && shift
case "$command" in
    find-python) find_python ;;
    sync) sync "$@" ;;
    lock) lock "$@" ;;
    test-programs) test_programs; test_clients ;;
    test-clients) test_clients ;;
    *) die "usage: python-env.sh find-python | sync GROUP... | lock | test-programs | test-clients" ;;
esac
