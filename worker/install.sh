#!/usr/bin/env bash
# Installs the CodeTether worker as a systemd service, or a newer version of it, or takes it away again.
# Running it twice does the same as once.
set -euo pipefail
umask 022 # the service has to read what is installed

usage() {
    cat <<'END'
usage: install.sh [options]

  --from SOURCE       a wheel, a checkout of the worker, or what pip can install
                      (default: the folder of this script)
  --user NAME         who the worker runs as; a system user is made if there is none
                      (default: a2a-worker)
  --server-url URL    address of the server, for the first config.json
  --codebases A,B     folders to offer, for the first config.json
  --root DIR          install below DIR: no user, no service, for trying out
  --dry-run           say what would be done, and do nothing
  --uninstall         remove the service and the program; settings and data stay
  --purge             with --uninstall: remove settings, data and the user, too
  --help              show this

PYTHON names the interpreter to take (3.12 or newer); pip takes its own settings (PIP_INDEX_URL and so on).
END
}

say() { printf '%s\n' "$*"; }
die() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

SOURCE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
SERVICE_USER=a2a-worker
SERVER_URL=http://localhost:8000
CODEBASES=
ROOT=
DRY_RUN=
UNINSTALL=
PURGE=

# needs OPTION LEFT: a value must follow the option.
needs() { [ "$2" -ge 2 ] || die "$1 needs a value"; }

while [ $# -gt 0 ]; do
    case "$1" in
        --from) needs "$1" $#; SOURCE="$2"; shift ;;
        --user) needs "$1" $#; SERVICE_USER="$2"; shift ;;
        --server-url) needs "$1" $#; SERVER_URL="$2"; shift ;;
        --codebases) needs "$1" $#; CODEBASES="$2"; shift ;;
        --root) needs "$1" $#; ROOT="${2%/}"; shift ;;
        --dry-run) DRY_RUN=yes ;;
        --uninstall) UNINSTALL=yes ;;
        --purge) PURGE=yes ;;
        --help | -h) usage; exit 0 ;;
        *) die "unknown option $1 (see --help)" ;;
    esac
    shift
done

[[ "$SERVICE_USER" =~ ^[a-z_][a-z0-9_-]{0,30}$ ]] || die "--user: $SERVICE_USER is not a user's name"
[ "$SERVICE_USER" != root ] || die "--user: agents run as this user; root is too much"
[ -z "$ROOT" ] || [[ "$ROOT" = /* ]] || ROOT="$PWD/$ROOT"
[ -z "$PURGE" ] || [ -n "$UNINSTALL" ] || die "--purge goes with --uninstall"
[ "$(id -u)" = 0 ] || [ -n "$ROOT$DRY_RUN" ] || die "must be run as root (sudo), or with --root DIR or --dry-run"

UNIT_NAME=a2a-agent-worker.service
OPT="$ROOT/opt/a2a-worker"
ETC="$ROOT/etc/a2a-worker"
STATE="$ROOT/var/lib/a2a-worker"
UNIT="$ROOT/etc/systemd/system/$UNIT_NAME"
COMMAND="$ROOT/usr/local/bin/codetether-worker"
MADE_USER="$ETC/.made-user"
CHANGED=

# run COMMAND...: do it, or say that it would be done.
run() {
    if [ -n "$DRY_RUN" ]; then say "would run: $*"; else "$@"; fi
}

# The machine's own users and services are left alone below another root.
is_real() { [ -z "$ROOT" ]; }
systemd_runs() { is_real && [ -d /run/systemd/system ]; }
user_exists() { getent passwd "$1" >/dev/null; }

# put FILE MODE [GROUP]: make FILE hold what comes in, if it does not yet.
put() {
    local content
    content="$(cat)"
    if [ -f "$1" ] && [ "$(cat "$1")" = "$content" ]; then return; fi
    CHANGED=yes
    if [ -n "$DRY_RUN" ]; then
        say "would write: $1"
        return
    fi
    mkdir -p "$(dirname "$1")"
    # Never readable by others, not even for a moment: it may hold secrets.
    (umask 077 && printf '%s\n' "$content" >"$1.new")
    if [ -n "${3:-}" ] && is_real; then chown "root:$3" "$1.new"; fi
    chmod "$2" "$1.new"
    mv -f "$1.new" "$1"
    say "wrote $1"
}

fits() { "$1" -c 'import sys; assert sys.version_info >= (3, 12); import ensurepip, ssl, venv' >/dev/null 2>&1; }

find_python() {
    local name path
    for name in ${PYTHON:+"$PYTHON"} python3.13 python3.14 python3.12 python3; do
        path="$(type -P "$name" || true)"
        if [ -n "$path" ] && fits "$path"; then
            path="$("$path" -c 'import os, sys; print(os.path.realpath(sys._base_executable))')"
            if is_real && [[ "$path" = /root/* || "$path" = /home/* ]]; then
                die "$path lies in a home folder, where a service cannot run it: install Python for the whole machine, and name it with PYTHON="
            fi
            printf '%s\n' "$path"
            return
        fi
        [ -z "${PYTHON:-}" ] || die "PYTHON=$PYTHON is not a working Python 3.12 or newer with venv"
    done
    die "no Python 3.12 or newer with venv was found: install one (Debian: python3-venv), or set PYTHON=/path/to/python3"
}

# What is installed from: its content for files and folders, its name for the rest.
fingerprint() {
    {
        printf '%s\n' "$PYTHON_FOUND"
        if [ -d "$SOURCE" ]; then
            (cd "$SOURCE" && find codetether_worker codetether_sessions pyproject.toml -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum)
        elif [ -f "$SOURCE" ]; then
            sha256sum <"$SOURCE"
        else
            printf '%s\n' "$SOURCE"
            # What is not pinned may mean something newer today.
            [[ "$SOURCE" = *==* ]] || date +%s%N
        fi
    } | sha256sum | cut -c 1-16
}

# Each version has a folder of its own, so that a running worker never sees half of another one.
install_program() {
    local release
    release="$OPT/releases/$(fingerprint)"
    if [ ! -f "$release/.complete" ]; then
        CHANGED=yes
        run rm -rf "$release"
        run mkdir -p "$OPT/releases"
        run "$PYTHON_FOUND" -m venv "$release"
        run "$release/bin/python" -m pip install --quiet --disable-pip-version-check "$SOURCE"
        run touch "$release/.complete"
    fi
    try_program "$release"
    if [ "$(readlink "$OPT/current" || true)" != "$release" ]; then
        CHANGED=yes
        run ln -sfn "$release" "$OPT/current.new"
        run mv -Tf "$OPT/current.new" "$OPT/current"
    fi
    if [ "$(readlink "$COMMAND" || true)" != "$OPT/current/bin/codetether-worker" ]; then
        run mkdir -p "$(dirname "$COMMAND")"
        run ln -sfn "$OPT/current/bin/codetether-worker" "$COMMAND"
    fi
}

# Before the change takes effect: an interpreter may lean on what only root can read.
try_program() {
    if ! is_real || [ -n "$DRY_RUN" ]; then return; fi
    runuser -u "$SERVICE_USER" -- "$1/bin/codetether-worker" --version >/dev/null ||
        die "$SERVICE_USER cannot run $1/bin/codetether-worker: name a Python for the whole machine with PYTHON="
}

# A worker that nobody has restarted yet goes on with its own version.
is_run() { grep -aqsF "$1/" /proc/[0-9]*/cmdline; }

remove_old_releases() {
    local release
    for release in "$OPT"/releases/*; do
        if [ ! -d "$release" ] || [ "$release" = "$(readlink "$OPT/current" || true)" ] || is_run "$release"; then
            continue
        fi
        run rm -rf "$release"
    done
}

make_user() {
    if ! is_real || user_exists "$SERVICE_USER"; then return; fi
    run useradd --system --user-group --home-dir /var/lib/a2a-worker --no-create-home \
        --shell /usr/sbin/nologin "$SERVICE_USER"
    run mkdir -p "$ETC"
    put "$MADE_USER" 0600 <<<"$SERVICE_USER"
}

# systemd would make it at the first start; it is the user's home, and wanted before that.
make_state() {
    if ! is_real || [ -d "$STATE" ]; then return; fi
    run install -d -m 0700 -o "$SERVICE_USER" -g "$(user_group)" "$STATE"
}

user_group() { if is_real && user_exists "$SERVICE_USER"; then id -gn "$SERVICE_USER"; fi; }
user_home() {
    local home=""
    if is_real; then home="$(getent passwd "$SERVICE_USER" | cut -d: -f6)"; fi
    printf '%s\n' "${home:-/var/lib/a2a-worker}"
}

first_config() {
    "$PYTHON_FOUND" -c '
import json, sys
url, codebases, state_dir = sys.argv[1:]
folders = [item.strip() for item in codebases.split(",") if item.strip()]
print(json.dumps({"server_url": url, "codebases": folders, "state_dir": state_dir}, indent=2))
' "$SERVER_URL" "$CODEBASES" /var/lib/a2a-worker/state
}

write_settings() {
    local group
    group="$(user_group)"
    if [ ! -e "$ETC/config.json" ]; then first_config | put "$ETC/config.json" 0640 "$group"; fi
    if [ ! -e "$ETC/env" ]; then
        put "$ETC/env" 0640 "$group" <<'END'
# Variables for the worker and its agents, a line each, as systemd's EnvironmentFile has them.
# A2A_TOKEN is a token of the server with the role worker; agents do not get it.
A2A_TOKEN=
#ANTHROPIC_API_KEY=
END
    fi
}

# KillMode=mixed: at a stop the worker alone is asked, so that it can let its agents end or hand their tasks back.
# Delegate=yes: each attempt gets a control group below the service's, so that nothing an agent starts outlives it.
# Not asked for: ProtectControlGroups (see Delegate), MemoryDenyWriteExecute (agents compile as they run), RestrictNamespaces (their sandboxes use
# namespaces), PrivateNetwork (models are called over it), PrivateUsers (git looks at who owns a repository).
unit() {
    cat <<END
[Unit]
Description=CodeTether worker: runs coding agents on this machine
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=$SERVICE_USER
EnvironmentFile=$ETC/env
ExecStart=$OPT/current/bin/codetether-worker --config $ETC/config.json
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
KillMode=mixed
Delegate=yes
StateDirectory=a2a-worker
StateDirectoryMode=0700
UMask=0027
OOMPolicy=continue

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
LockPersonality=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
END
}

write_unit() {
    local paths
    unit | put "$UNIT" 0644
    if [ -n "$DRY_RUN" ] && [ ! -x "$OPT/current/bin/python" ]; then
        say "would write: $UNIT.d/paths.conf"
        return
    fi
    paths="$("$OPT/current/bin/python" -m codetether_worker.service_unit "$ETC/config.json" "$ETC/env" "$(user_home)")" ||
        die "the settings in $ETC cannot be used, as said above: correct them, and run this again"
    put "$UNIT.d/paths.conf" 0644 <<<"$paths"
}

start_service() {
    if ! systemd_runs; then
        say "systemd does not run here. To start the worker, as $SERVICE_USER: $COMMAND --config $ETC/config.json --env-file $ETC/env"
        return
    fi
    local was_active=""
    if systemctl --quiet is-active "$UNIT_NAME"; then was_active=yes; fi
    if [ -n "$CHANGED" ] && [ -n "$was_active" ]; then
        say "Stopping the worker: what it runs gets its drain_grace to end, and is handed back after that ..."
        # Before systemd reads the new unit: the worker was started with the old one's time to stop.
        run systemctl stop "$UNIT_NAME"
    fi
    run systemctl daemon-reload
    run systemctl --quiet enable "$UNIT_NAME"
    if [ -n "$was_active" ] || grep -Eq '^(A2A_TOKEN|A2A_TOKEN_FILE)=.' "$ETC/env" 2>/dev/null; then
        run systemctl start "$UNIT_NAME" # nothing happens where it runs already
    else
        say "Put a token into $ETC/env (A2A_TOKEN=...), and then: systemctl restart $UNIT_NAME"
    fi
}

# What would stop the installation half-way is looked at before anything is made.
look_first() {
    [ ! -d "$SOURCE" ] || [ -d "$SOURCE/codetether_worker" ] || die "--from: $SOURCE is not a checkout of the worker"
    PYTHON_FOUND="$(find_python)"
}

install_all() {
    look_first
    make_user
    make_state
    install_program
    write_settings
    write_unit
    start_service
    remove_old_releases
    if [ -n "$CHANGED" ]; then say "Settings: $ETC/config.json, $ETC/env"; else say "Nothing has changed."; fi
    say "To look whether all is well, as $SERVICE_USER: $COMMAND --check --config $ETC/config.json --env-file $ETC/env"
}

uninstall_all() {
    local made=""
    if systemd_runs && [ -e "$UNIT" ]; then run systemctl --quiet disable --now "$UNIT_NAME"; fi
    run rm -rf "$UNIT" "$UNIT.d"
    if systemd_runs; then run systemctl daemon-reload; fi
    if [ "$(readlink "$COMMAND" || true)" = "$OPT/current/bin/codetether-worker" ]; then run rm -f "$COMMAND"; fi
    run rm -rf "$OPT"
    if [ -z "$PURGE" ]; then
        say "Kept: $ETC and $STATE (--uninstall --purge removes them, too)"
        return
    fi
    if [ -f "$MADE_USER" ]; then made="$(cat "$MADE_USER")"; fi
    run rm -rf "$ETC" "$STATE"
    if is_real && [ -n "$made" ] && user_exists "$made"; then run userdel "$made"; fi
}

if [ -n "$UNINSTALL" ]; then uninstall_all; else install_all; fi
