"""How long a receiver asks to be left alone (RFC 9110 §10.2.3)."""

import time
from email.utils import formatdate

import pytest

from apps.core.posting import retry_after


@pytest.mark.parametrize(("text", "seconds"), [("120", 120), ("0", 0), ("", 0), ("soon", 0), ("9" * 12, 0), ("-3", 0)])
def test_seconds(text: str, seconds: float) -> None:
    assert retry_after(text) == seconds


@pytest.mark.parametrize(("ahead", "seconds"), [(90, 90), (-90, 0)])
def test_dates(ahead: int, seconds: float) -> None:
    assert retry_after(formatdate(time.time() + ahead, usegmt=True)) == pytest.approx(seconds, abs=2)
