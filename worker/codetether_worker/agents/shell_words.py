"""As much of a shell's grammar as it takes to tell one simple command from anything that may run another."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

_ALWAYS_SPECIAL = frozenset("$`\\")
_SPECIAL = _ALWAYS_SPECIAL | frozenset(";&|<>(){}\n\r!#")
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ash", "ksh", "fish", "eval"})
# What runs the command that follows it.
_RUNNERS = frozenset({
    "sudo", "doas", "env", "nohup", "time", "nice", "exec", "command", "builtin", "xargs", "stdbuf", "setsid",
    "timeout", "ionice", "then", "do", "else", "if", "while", "until", "!",
})  # fmt: skip
_SPLIT = re.compile(r"[;&|<>(){}\n\r`]|\$\(")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_DEEPEST = 3


def joined(words: Sequence[str]) -> str:
    """One text for a command that comes as words; the script of a `bash -lc SCRIPT` itself."""
    if len(words) == 3 and words[0].rpartition("/")[2] in _SHELLS and re.fullmatch(r"-[a-z]*c", words[1]):
        return words[2]
    return shlex.join(words)


def is_simple(command: str) -> bool:
    """Whether a POSIX shell would run exactly one command of it, its words as they stand.

    False for anything that joins, substitutes, redirects, expands a variable or escapes a character, and for quotes
    that do not end. Whatever stands between single quotes is only text.
    """
    quote = ""
    for character in command:
        if quote == "'":
            quote = "" if character == "'" else quote
        elif character in _ALWAYS_SPECIAL or (not quote and character in _SPECIAL) or character == "\0":
            return False
        elif character in "'\"" and quote in ("", character):
            quote = "" if quote else character
    return not quote and bool(command.strip())


def parts(command: str, depth: int = 0) -> Iterator[str]:
    """Every command that may be in it, each with single spaces between its words, generously: the whole, each part
    between operators, what a runner such as `sudo` or `env` runs, and the script that is given to a shell."""
    yield from _spoken(command, depth)
    for segment in _SPLIT.split(command):
        yield from _spoken(segment, depth)


def _spoken(segment: str, depth: int) -> Iterator[str]:
    words = _words(segment)
    while words:
        yield " ".join(words)
        name = words[0].rpartition("/")[2]
        if name != words[0]:
            yield " ".join([name, *words[1:]])
        if name in _SHELLS and depth < _DEEPEST:
            for script in words[1:]:
                yield from parts(script, depth + 1)
        if name in _RUNNERS or _ASSIGNMENT.match(words[0]):
            words = words[1:]
            while words and (words[0].startswith("-") or words[0].replace(".", "").rstrip("smhd").isdigit()):
                words = words[1:]
        else:
            return


def _words(segment: str) -> list[str]:
    """Words without their quotes and escapes; split at spaces where the quotes do not end."""
    try:
        return shlex.split(segment)
    except ValueError:
        return segment.replace('"', "").replace("'", "").replace("\\", "").split()
