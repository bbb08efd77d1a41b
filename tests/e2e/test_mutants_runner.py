"""The machine behind `make mutants`, on faults of pure code: it tells a caught one from a survivor and a broken one."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.mutants.fault import Edit, Mutant
from tests.mutants.field import ROOT, Field
from tests.mutants.verdict import BROKEN, CAUGHT, SURVIVED

pytestmark = pytest.mark.slow

STATES, TESTS = "apps/tasks/states.py", ("tests/unit/test_states.py",)


@pytest.fixture
def field(tmp_path: Path) -> Field:
    database = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/mutants".format(**connection.settings_dict)
    return Field(tmp_path, database, settings.REDIS_URL)


def mutant(old: str, new: str) -> Mutant:
    return Mutant("of-states", "A test's own.", (Edit(STATES, old, new),), TESTS)


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        ("return after in EDGES[before]", "return True", CAUGHT),
        ('"""Whether there is an edge from `before` to `after`."""', '"""An edge?"""', SURVIVED),
        ("from enum import StrEnum", "from enumeration import StrEnum", BROKEN),
    ],
    ids=["fault", "harmless", "not importable"],
)
def test_the_verdict_is_about_the_fault(field: Field, old: str, new: str, outcome: str) -> None:
    before = (ROOT / STATES).read_bytes()
    verdict = field.grow(mutant(old, new))
    assert verdict.outcome == outcome, verdict.why
    assert (outcome == CAUGHT) is ("test_states.py::" in verdict.by and "Assertion" in verdict.why)
    assert (ROOT / STATES).read_bytes() == before, "the working tree is not touched"
    assert not list(field.home.iterdir()), "no copy is left behind"
