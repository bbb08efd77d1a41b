"""Choose as whom the servers run.

PostgreSQL refuses to run as root, and an unprivileged user cannot reach a clone or an interpreter below a
closed folder such as /root. So, started by root, the servers run as the first of these that really works:

1. ``user``: an unprivileged user. Needs every folder above to be open to it.
2. ``user-with-file-access``: the same user, keeping the right to pass closed folders (CAP_DAC_OVERRIDE).
   Works in ordinary containers too, whose root may not make namespaces.
3. ``namespace``: an unprivileged uid inside a user namespace that is root's own uid outside. Works where only
   one uid exists (rootless containers without a range of sub-uids).

Started by anyone else they run as that user.
"""

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from codetether.embedded import processes
from codetether.embedded.errors import EmbeddedError
from codetether.embedded.processes import Identity

PREFERRED_USERS = ("nobody", "postgres")
# All that a server needs: write below $1 and run $2, which looks for its own files and at its uid.
PROBE = 'cd "$1" && : > postgresql.conf && exec "$2" -D "$1" -C port'


def choose(data_dir: Path, program: Path) -> Identity:
    """Find an identity that can run ``program`` and write below ``data_dir``.

    Raises EmbeddedError when root has no way to give up being root.
    """
    if os.geteuid() != 0:
        return Identity("same", os.geteuid(), os.getegid(), os.geteuid())
    answers = []
    for identity in _candidates():
        problem = _problem(identity, data_dir, program)
        if problem is None:
            return identity
        answers.append(f"{identity.kind}: {problem}")
    raise EmbeddedError(
        f"PostgreSQL does not run as root and no unprivileged way was found ({'; '.join(answers)}); "
        "start this as an ordinary user, or set DATABASE_URL and A2A_REDIS_URL."
    )


def own(folder: Path, identity: Identity) -> None:
    """Give ``folder`` and everything in it to the identity; nothing to do when it has it already."""
    if folder.stat().st_uid == identity.owner:
        return
    # The top folder comes last: it is what tells a finished change of owner from an interrupted one.
    for parent, folders, files in folder.walk(top_down=False):
        for name in (*folders, *files):
            os.chown(parent / name, identity.owner, identity.gid, follow_symlinks=False)
    os.chown(folder, identity.owner, identity.gid)


def _candidates() -> Iterator[Identity]:
    user = _unprivileged_user()
    yield Identity("user", user.pw_uid, user.pw_gid, user.pw_uid)
    yield Identity("user-with-file-access", user.pw_uid, user.pw_gid, user.pw_uid)
    yield Identity("namespace", user.pw_uid, user.pw_gid, os.geteuid())


def _unprivileged_user() -> pwd.struct_passwd:
    """A user that has a passwd entry: initdb looks its own uid up and fails without one."""
    entries = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in PREFERRED_USERS:
        if name in entries:
            return entries[name]
    if not entries:
        raise EmbeddedError("PostgreSQL does not run as root, and this system has no other user to run it as.")
    return max(entries.values(), key=lambda entry: entry.pw_uid)


def _problem(identity: Identity, data_dir: Path, program: Path) -> str | None:
    """None when the identity can do what a server must, else the reason that it gave."""
    folder = data_dir / f"probe-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        own(folder, identity)
        command = ["/bin/sh", "-c", PROBE, "sh", str(folder), str(program)]
        answer = processes.run(identity, command, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if answer.returncode == 0:
        return None
    return answer.stdout.strip().rpartition("\n")[2] or f"exit code {answer.returncode}"
