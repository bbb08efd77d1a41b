"""Secrets of remote agents at rest: Fernet (AES-128-CBC with HMAC) under keys derived from Django's `SECRET_KEY`.

After a change of `SECRET_KEY` what `SECRET_KEY_FALLBACKS` still names can be opened; other secrets must be given anew.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.core.errors import UnavailableError

PURPOSE = b"codetether/federation/credentials/v1"


def seal(secret: str) -> str:
    """The secret as it is kept; empty for none."""
    return _fernet().encrypt(secret.encode()).decode() if secret else ""


def unseal(kept: str) -> str:
    """The secret; UnavailableError where it was sealed under a key that is gone."""
    if not kept:
        return ""
    try:
        return _fernet().decrypt(kept.encode()).decode()
    except InvalidToken as error:
        raise UnavailableError("The secret was kept under another SECRET_KEY: give it again.") from error


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _derived(key: str | bytes) -> bytes:
    return base64.urlsafe_b64encode(
        HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(key if isinstance(key, bytes) else key.encode())
    )
