"""The keys that sign agent cards and pushes to browsers, as settings know them: a PEM text, or a file with one.

Programs around Web Push hand keys out as 32 bytes in base64url (RFC 8292 knows the public one so); that is read, too.
"""

import base64
import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

WANTED = "give an unencrypted private key on the curve P-256 in PEM, or the name of a file with one"
RAW = re.compile(r"[A-Za-z0-9_-]{43}=?")


def new_signing_key() -> str:
    """A fresh private key (P-256, PKCS #8, PEM)."""
    return _pem(ec.generate_private_key(ec.SECP256R1()))


def read_signing_key(value: str) -> str:
    """The PEM of a key that a setting gives as text (`\\\\n` may stand for line ends) or file; ValueError else."""
    text = value.replace("\\n", "\n") if "-----BEGIN" in value else _file(value)
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # the library's own words may quote the key
        raise ValueError(WANTED) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(WANTED)
    return text


def read_vapid_key(value: str) -> str:
    """As `read_signing_key`, also of a private key's 32 bytes in base64url."""
    if not RAW.fullmatch(value):
        return read_signing_key(value)
    number = int.from_bytes(base64.urlsafe_b64decode(value.rstrip("=") + "="))
    try:
        return _pem(ec.derive_private_key(number, ec.SECP256R1()))
    except ValueError as error:
        raise ValueError(WANTED) from error


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _file(name: str) -> str:
    try:
        return Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name} cannot be read; {WANTED}") from error
