"""What is kept of a random secret: its SHA-256. It cannot be guessed, so a plain digest is enough."""

import hashlib


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
