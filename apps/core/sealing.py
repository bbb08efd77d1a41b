"""Secrets at rest: AES-256-GCM under keys that HKDF derives from Django's `SECRET_KEY`, one for each purpose.

A sealed text names its form, its key and holds a nonce: `v1.<key id>.<base64url(nonce + ciphertext)>`. It is bound to
its purpose and to its place, so one that is copied into another row, or another column, cannot be opened there.

After a change of `SECRET_KEY` what `SECRET_KEY_FALLBACKS` still names can be opened, and `manage.py rotate_secrets`
seals it anew under the present key. What no key opens must be given again.
"""

import base64
import binascii
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

from apps.core.errors import UnavailableError

if TYPE_CHECKING:  # only the stubs' class takes types
    _Text = models.TextField[str, str]
else:
    _Text = models.TextField

FORM = "v1"
_NONCE_BYTES = 12
_KEY_ID_BYTES = 6
_FERNET = "gAAAA"
"""How the sealed texts of earlier versions begin; they stand under a key of their own, bound to no place."""


class Sealing(Protocol):
    """A row with sealed fields. `sealed_place` says where it stands; a secret is opened only where it was sealed."""

    _meta: ClassVar[Any]

    def sealed_place(self) -> str: ...


class SealedField(_Text):
    """A column of sealed texts; it holds them as they are kept. `sealed` makes them, `opened` opens them.

    `purpose` names the key; it stays for ever.
    """

    def __init__(self, *args: Any, purpose: str, **kwargs: Any) -> None:
        self.purpose = purpose
        super().__init__(*args, **{"blank": True, "default": "", "editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "purpose": self.purpose}


def sealed(row: Sealing, field: str, secret: str) -> str:
    """The secret as `field` of `row` is to keep it; empty for none."""
    return seal(secret, purpose=_purpose(row, field), place=f"{row.sealed_place()}/{field}")


def opened(row: Sealing, field: str) -> str:
    """The secret in `field` of `row`; UnavailableError where no key opens it, or it was sealed for another place."""
    return unseal(getattr(row, field), purpose=_purpose(row, field), place=f"{row.sealed_place()}/{field}")


def _purpose(row: Sealing, field: str) -> str:
    purpose: str = row._meta.get_field(field).purpose
    return purpose


def seal(secret: str, *, purpose: str, place: str) -> str:
    """The secret as it is kept; empty for none."""
    if not secret:
        return ""
    key_id, key = _key(settings.SECRET_KEY, purpose)
    nonce = os.urandom(_NONCE_BYTES)
    kept = base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, secret.encode(), place.encode()))
    return f"{FORM}.{key_id}.{kept.decode()}"


def unseal(kept: str, *, purpose: str, place: str) -> str:
    """The secret; UnavailableError where no key opens it."""
    if not kept:
        return ""
    if kept.startswith(_FERNET):
        return _unseal_fernet(kept, purpose)
    form, _, rest = kept.partition(".")
    named, _, text = rest.partition(".")
    key = next((key for key_id, key in _keys(purpose) if key_id == named), None)
    if form != FORM or key is None:
        raise _lost()
    try:
        raw = base64.urlsafe_b64decode(text)
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise _lost() from error


def is_current(kept: str, *, purpose: str) -> bool:
    """Whether the text is sealed in the present form under the present key."""
    return kept.startswith(f"{FORM}.{_key(settings.SECRET_KEY, purpose)[0]}.")


def _lost() -> UnavailableError:
    return UnavailableError("The secret was kept under another SECRET_KEY, or elsewhere: give it again.")


def _keys(purpose: str) -> Iterator[tuple[str, bytes]]:
    """The present key, then the earlier ones."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield _key(secret, purpose)


@lru_cache(maxsize=64)
def _key(secret: str, purpose: str) -> tuple[str, bytes]:
    """(id, key): both follow from the secret, and neither tells anything of it or of the other."""
    made = HKDF(SHA256(), 32 + _KEY_ID_BYTES, salt=None, info=f"{purpose}/aes-256-gcm".encode()).derive(secret.encode())
    return made[32:].hex(), made[:32]


def _unseal_fernet(kept: str, purpose: str) -> str:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        key = HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret.encode())
        try:
            return Fernet(base64.urlsafe_b64encode(key)).decrypt(kept.encode()).decode()
        except InvalidToken:
            continue
    raise _lost()
