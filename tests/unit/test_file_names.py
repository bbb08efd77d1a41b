"""Names and media types of files, as strangers give them and as we keep them."""

import pytest

from apps.files.naming import NAME_LIMIT, last_step, safe_media_type, safe_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.txt", "a.txt"),
        ("out/a b.txt", "out/a b.txt"),
        ("/etc/passwd", "etc/passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a/./../b", "a/b"),
        ("x\r\nSet-Cookie: a\0b.txt", "xSet-Cookie: ab.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        ("Übersicht.pdf", "Übersicht.pdf"),
        ("", "file"),
        ("../..", "file"),
        (" / ", "file"),
    ],
)
def test_name_is_a_plain_relative_path(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_long_name_keeps_its_end() -> None:
    kept = safe_name("folder/" * 100 + "report.csv")
    assert len(kept) <= NAME_LIMIT
    assert last_step(kept) == "report.csv"


@pytest.mark.parametrize(
    ("given", "name", "kept"),
    [
        ("text/csv", "a", "text/csv"),
        ("Text/CSV; Charset=UTF-8; x=y", "a", "text/csv; charset=utf-8"),
        ("image/svg+xml", "a", "image/svg+xml"),
        ("", "out/a.png", "image/png"),
        ("", "a", "application/octet-stream"),
        ("nonsense", "a.json", "application/json"),
        ("text/html\r\nX-Evil: 1", "a", "application/octet-stream"),
        ("text/" + "x" * 300, "a", "application/octet-stream"),
    ],
)
def test_media_type_is_one_or_is_guessed(given: str, name: str, kept: str) -> None:
    assert safe_media_type(given, name) == kept
