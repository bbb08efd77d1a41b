"""Pytest plugin of a mutant's run: vouches that the copy is tested, and writes down what failed and why.

`-p tests.mutants.witness --witness=FILE --mutated=MODULE …`; the file gets one JSON object a line, in order.
"""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--witness", type=Path, required=True, help="where to write what failed")
    parser.addoption("--mutated", action="append", default=[], help="a module that must come from this tree")


def pytest_collection_finish(session: pytest.Session) -> None:
    """An installed copy of the product (the working tree is one) must not stand in for the changed one."""
    for name in session.config.getoption("--mutated"):
        origin = Path(str(importlib.import_module(name).__file__)).resolve()
        if not origin.is_relative_to(_ROOT):
            raise pytest.UsageError(f"{name} was imported from {origin}, not from {_ROOT}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report = yield
    if report.failed and call.excinfo is not None:
        kinds = [kind.__name__ for kind in type(call.excinfo.value).__mro__]
        message = str(call.excinfo.value).strip().splitlines() or [""]
        failure = {"test": item.nodeid, "when": call.when, "kinds": kinds, "message": message[0]}
        with item.config.getoption("--witness").open("a", encoding="utf-8") as file:
            file.write(json.dumps(failure) + "\n")
    return report
