"""The installation's own secrets: given by the environment, or made at the first start and kept in the data folder."""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from codetether.env import Env, SettingError
from codetether.signing_keys import new_signing_key


def secret_key(env: Env) -> str:
    """The key from the environment, else one made at the first start and kept (mode 0600) in the data folder."""
    return env.secret_key or kept_secret(env.data_dir, "secret_key", lambda: secrets.token_urlsafe(50))


def signing_key(env: Env) -> str:
    """The private key (PEM) that signs agent cards: from the environment, else made at the first start and kept.

    Empty where `CODETETHER_SECRET_KEY` is given: then it is made of that (`apps/a2a/signing.py`), so that every
    replica signs with the same key, and none needs a folder that lasts.
    """
    if env.signing_key or env.secret_key:
        return env.signing_key
    return kept_secret(env.data_dir, "signing_key", new_signing_key)


def vapid_key(env: Env) -> str:
    """The private key (PEM) by which push services know this installation; found as that for agent cards is."""
    if env.vapid_private_key or env.secret_key:
        return env.vapid_private_key
    return kept_secret(env.data_dir, "vapid_key", new_signing_key)


def kept_secret(data_dir: Path, name: str, make: Callable[[], str]) -> str:
    """A secret of the installation by its name in `secrets.json`; made and kept there where it is not there yet."""
    path = data_dir / "secrets.json"
    return _kept(path).get(name) or _keep_secret(path, name, make)


def _kept(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise _damaged(path) from error
    if not isinstance(found, dict) or "secret_key" not in found:
        raise _damaged(path)
    return found


def _damaged(path: Path) -> SettingError:
    return SettingError(f"{path} is damaged: restore it, or remove it to sign everybody out.")


def _keep_secret(path: Path, name: str, make: Callable[[], str]) -> str:
    """Several processes may start at once: the lock's first holder makes the secret, the others read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(path.with_name("secrets.lock")):
        kept = _kept(path)
        if name not in kept:
            kept[name] = make()
            kept.setdefault("secret_key", secrets.token_urlsafe(50))
            _write_whole(path, json.dumps(kept))
        return kept[name]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write_whole(path: Path, text: str) -> None:
    """Readers, who hold no lock, see the file as it was or as it is, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
