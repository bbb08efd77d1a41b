"""One place for each truth: settings, outbound lines, writes of the heart."""

import ast
import re

from tests.architecture.sources import PRODUCT, Source, sources

READS_THE_ENVIRONMENT = {
    "codetether/env.py",
    "worker/codetether_worker/config.py",
    "codetether/settings/test.py",  # which parallel test process this is
}
WRITES_SQL_BY_HAND = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+tasks_\w+")


def environment_reads(source: Source) -> list[int]:
    """Lines that touch os.environ or os.getenv, but for `os.environ.setdefault`, which only writes."""
    defaults = {
        id(node.func.value)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setdefault"
    }
    return [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("os.environ", "os.environb", "os.getenv")
        and id(node) not in defaults
    ]


def test_the_environment_has_one_reader_on_each_side() -> None:
    readers = {source.name for source in sources(PRODUCT) if environment_reads(source)}
    assert readers == READS_THE_ENVIRONMENT


def test_product_code_never_prints() -> None:
    printing = [
        f"{source.name}:{node.lineno}"
        for source in sources(PRODUCT)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "breakpoint")
    ]
    assert not printing


def test_hand_written_writes_of_the_heart_stand_in_one_package() -> None:
    writers = {source.name for source in sources(PRODUCT) if WRITES_SQL_BY_HAND.search(source.text)}
    assert writers == {
        f"apps/tasks/services/statements/{name}.py" for name in ("adopting", "claiming", "ended", "seeding", "writing")
    }


def test_no_model_hides_logic_in_save_and_no_signals_are_received() -> None:
    for source in sources(("apps",)):
        names = {name for name, _ in source.functions()}
        assert "save" not in names, source.name
        assert not re.search(r"^from django\.(?:db\.models\.signals|dispatch) ", source.text, re.M), source.name


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = re.compile(r"(?:^|/)(?:utils?|common|helpers?|managers?|misc|\w+_v2)(?:\.py|/)")
    assert not [source.name for source in sources(PRODUCT) if vague.search(source.name)]


def test_job_modules_only_call_services() -> None:
    """A Celery job takes ids and calls one service: it queries nothing by itself."""
    for source in sources(("apps",)):
        if source.name.endswith("/jobs.py"):
            assert ".objects" not in source.text, source.name
