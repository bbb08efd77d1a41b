"""Checks of single settings, for `codetether.env`: each gives the value as it is used, or raises SettingError."""

import re
from urllib.parse import urlsplit

from apps.core.addresses import allow_list
from codetether.signing_keys import read_signing_key, read_vapid_key

RATE_LIMIT = re.compile(r"[1-9]\d*\s*(/|per)\s*([1-9]\d*\s*)?(second|minute|hour|day)s?", re.IGNORECASE)
"""One limit, as the library `limits` reads it."""


class SettingError(Exception):
    """A setting cannot be used; the message names it and says what would be right, in one line."""


def within(name: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise SettingError(f"{name}={value} is out of range: give a whole number from {least} to {most}.")
    return value


def host_and_port(name: str, value: str) -> str:
    """`host:port`, as gRPC clients take it; empty stays empty."""
    host, _, port = value.rpartition(":")
    if value and (not host or "/" in value or not port.isdecimal()):
        raise SettingError(f"{name}={value} is no address: give host:port, without a scheme.")
    return value


def signing_key(value: str) -> str:
    if not value:
        return ""
    try:
        return read_signing_key(value)
    except ValueError as error:
        raise SettingError(f"A2A_SIGNING_KEY: {error}.") from error


def vapid_key(value: str) -> str:
    if not value:
        return ""
    try:
        return read_vapid_key(value)
    except ValueError as error:
        raise SettingError(f"A2A_VAPID_PRIVATE_KEY: {error}.") from error


def contact(name: str, text: str) -> str:
    """Where to reach somebody: `mailto:` and an address, or https (RFC 8292 §2.1); or nothing."""
    parts = urlsplit(text)
    is_mail = parts.scheme == "mailto" and re.fullmatch(r"[^@\s]+@[^@\s]+", parts.path)
    if text and not (is_mail or (parts.scheme == "https" and parts.hostname)):
        raise SettingError(f"{name}={text!r} is no contact: give mailto:somebody@example.org or an https address.")
    return text


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingError(f"{name}={value} is not known: give one of {', '.join(allowed)}.")
    return value


def file_storage(text: str) -> str:
    """Empty, or `s3://bucket` with an optional `/prefix`."""
    if text and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#]*)?", text):
        raise SettingError(f"A2A_FILE_STORAGE={text!r} is not known: leave it empty, or give s3://bucket/prefix.")
    return text


def networks(name: str, entries: list[str]) -> list[str]:
    """Names of hosts, and networks; what is meant as a network must be one."""
    try:
        allow_list(tuple(entries))
    except ValueError as error:
        raise SettingError(f"{name}: {error}") from error
    return entries


def web_address(name: str, text: str) -> str:
    """An address to call (http or https, with a host), or nothing."""
    parts = urlsplit(text)
    if text and not (parts.scheme in ("http", "https") and parts.hostname and text.isprintable()):
        raise SettingError(f"{name}={text!r} is no address: give http:// or https:// and a host, or nothing.")
    return text


def named_tokens(text: str) -> dict[str, str]:
    """`name:token,name2:token2` as {name: token}; a token may itself hold colons."""
    tokens: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, colon, token = entry.partition(":")
        if not (colon and name.strip() and token.strip()):
            raise SettingError("A2A_AUTH_TOKENS: give each entry as name:token, separated by commas.")
        tokens[name.strip()] = token.strip()
    return tokens


def rate_limits(**texts: str) -> dict[str, str]:
    """The limits by the names of their policies; those that are off are left out."""
    found = {policy: text for policy, text in texts.items() if text.strip()}
    for policy, text in found.items():
        if not all(RATE_LIMIT.fullmatch(one.strip()) for one in text.split(";")):
            raise SettingError(
                f"A2A_RATE_LIMIT_{policy.upper()}={text!r} is no limit: give a number and a time such as 60/minute "
                "or 10/second;1000/hour, or nothing for no limit."
            )
    return found


def origins(name: str, entries: list[str]) -> list[str]:
    """Origins as browsers send them (`https://app.example.org`), or `*` alone."""
    for entry in entries:
        parts = urlsplit(entry)
        if entry != "*" and (parts.scheme not in ("http", "https") or entry != f"{parts.scheme}://{parts.netloc}"):
            raise SettingError(
                f"{name}: {entry!r} is no origin: give https://host or http://host:port, without a path."
            )
    if "*" in entries and len(entries) > 1:
        raise SettingError(f"{name}: '*' is for every page already: give it alone, or leave it out.")
    return [entry.lower() for entry in entries]
