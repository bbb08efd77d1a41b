"""The planted faults have not rotted: each still fits the product, is Python, and names tests that are there."""

import ast

import pytest

from tests.architecture.sources import ROOT
from tests.mutants.fault import Edit, Mutant
from tests.mutants.planted import MUTANTS
from tests.mutants.verdict import BROKEN, CAUGHT, SURVIVED, judge
from tests.unit.documents import names

EACH = pytest.mark.parametrize("mutant", [pytest.param(mutant, id=mutant.name) for mutant in MUTANTS])


def planted(mutant: Mutant) -> dict[str, str]:
    """The changed files' texts."""
    texts: dict[str, str] = {}
    for edit in mutant.edits:
        text = texts.get(edit.file) or (ROOT / edit.file).read_text(encoding="utf-8")
        texts[edit.file] = edit.made_in(text)
    return texts


@EACH
def test_the_fault_still_fits_the_product(mutant: Mutant) -> None:
    for file, text in planted(mutant).items():
        assert file.startswith(("apps/", "codetether/", "worker/"))
        ast.parse(text, file)


@EACH
def test_its_tests_are_there(mutant: Mutant) -> None:
    for name in mutant.tests:
        file, _, test = name.partition("::")
        assert f"def {test.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8") if test else ROOT / file


def test_every_fault_is_documented_and_exists() -> None:
    assert names("development/mutants.md", "Fault", "What its author thought") == [mutant.name for mutant in MUTANTS]


def test_an_edit_that_fits_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="2 times"):
        Edit("apps/x.py", "a", "b").made_in("a a")


LINE = '{"test": "tests/t.py::test_x", "when": "%s", "kinds": ["%s", "Exception"], "message": "no"}\n'


@pytest.mark.parametrize(
    ("exit_code", "when", "kind", "outcome"),
    [
        (0, "", "", SURVIVED),
        (1, "call", "AssertionError", CAUGHT),
        (1, "teardown", "AssertionError", CAUGHT),
        (1, "call", "NameError", BROKEN),
        (1, "setup", "AssertionError", BROKEN),
        (1, "", "", BROKEN),
        (2, "call", "AssertionError", BROKEN),
    ],
)
def test_a_red_test_counts_only_if_it_ran_properly(
    tmp_path_factory: pytest.TempPathFactory, exit_code: int, when: str, kind: str, outcome: str
) -> None:
    witness = tmp_path_factory.mktemp("run") / "witness.jsonl"
    if when:
        witness.write_text(LINE % (when, kind))
    assert judge(exit_code, witness, "").outcome == outcome
