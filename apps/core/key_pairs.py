"""Key pairs on P-256 by which others know this installation: given by a setting, else made of the secret key.

A key that follows from `SECRET_KEY` is the same in every replica, and needs no folder that lasts.
"""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""How many keys there are on P-256 (FIPS 186-5, SP 800-186 §3.2.1.3)."""


@lru_cache(maxsize=8)
def private_key(pem: str, secret: str, purpose: str) -> ec.EllipticCurvePrivateKey:
    """The key in `pem`, which was checked when the settings were read; without one, that of `purpose` (which stays for
    ever) under `secret`.

    Everybody may know the public key, so guessing the secret by it is made dear (scrypt, RFC 7914).
    """
    if pem:
        key = load_pem_private_key(pem.encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key
    seed = Scrypt(salt=purpose.encode(), length=48, n=2**15, r=8, p=1).derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(seed) % (ORDER - 1) + 1, ec.SECP256R1())
