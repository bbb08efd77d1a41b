"""The security page names tests and code that are there, and each face of the product."""

import re

from tests.unit.documents import DOCS, ROOT, rows

PAGE = (DOCS / "security.md").read_text(encoding="utf-8")


def test_what_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:tests|apps|codetether|worker|requirements)/[^`*]+)`", PAGE))
    assert len(named) > 60
    assert not {path for path in named if not (ROOT / path).exists()}


def test_each_face_says_where_it_is_tested() -> None:
    faces = rows("security.md", "Face", "What could be tried there")
    assert len(faces) > 12
    assert all("`tests/" in face["Tested in"] for face in faces)
    assert all(face["Tested in"] for face in rows("security.md", "What is refused", "By", "Tested in"))
