"""Become the right user, promise to die with the launcher, then exec a program.

Run by path as its own tiny program (``python -I -S child.py …``) and not as a ``preexec_fn``, because code
between fork and exec of a threaded process may deadlock. Standard library only, to start at once.

Usage: child.py IDENTITY UID GID LAUNCHER_PID DEATH_SIGNAL COMMAND [ARGUMENT ...]
"""

import ctypes
import os
import sys
from pathlib import Path

# linux/prctl.h and linux/capability.h
PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

LAUNCHER_IS_GONE = 75


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _prctl(*arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0, 0)[1:5]]
    _check(libc.prctl(ctypes.c_int(arguments[0]), *padded))


def _become(uid: int, gid: int) -> None:
    os.setgroups([gid])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _become_with_file_access(uid: int, gid: int) -> None:
    """Change the user, but keep (across exec) the one right that reaches below folders of root."""
    # Capabilities outlive the change of uid, and access(2), by which PostgreSQL finds itself, honours them.
    _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    _become(uid, gid)
    bit = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    _check(ctypes.CDLL(None, use_errno=True).capset(header, sets))
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def _enter_namespace(uid: int, gid: int) -> None:
    """Look like uid inside a user namespace, while files see the user that we really are."""
    real_uid, real_gid = os.geteuid(), os.getegid()
    os.unshare(os.CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {real_uid} 1"),
        ("gid_map", f"{gid} {real_gid} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="ascii")


IDENTITIES = {
    "user": _become,
    "user-with-file-access": _become_with_file_access,
    "namespace": _enter_namespace,
}


def _die_with(launcher_pid: int, signal_number: int) -> None:
    """Ask the kernel for a signal when the launcher ends (Linux only), and notice that it already has."""
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != launcher_pid:
        sys.exit(LAUNCHER_IS_GONE)


def main(arguments: list[str]) -> None:
    identity, uid, gid, launcher_pid, signal_number, *command = arguments
    if identity != "same":
        IDENTITIES[identity](int(uid), int(gid))
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
    # After the change of user: changing credentials clears the death signal.
    _die_with(int(launcher_pid), int(signal_number))
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
