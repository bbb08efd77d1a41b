"""Bad input to every argument of every tool: an error that names it, and nothing changes.

`CODETETHER_FUZZ_CASES` sets how many calls are made with whatever comes.
"""

import os
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.accounts.permissions import Role
from apps.mcp.errors import META
from apps.mcp.tool import Tool
from apps.mcp.tools import TOOLS
from tests.api.conftest import Api
from tests.api.good_calls import Place
from tests.api.matrix import http
from tests.api.test_bad_input import furnish
from tests.api.test_matrix import Watched
from tests.api.tools.conftest import Caller, text_of
from tests.api.tools.good_calls import CAPPED, GOOD
from tests.factories import Cast

CASES = int(os.environ.get("CODETETHER_FUZZ_CASES", "100"))
WORST = ("\0", "a\0b", "\ud800")
WRONG: dict[str, tuple[Any, ...]] = {
    "string": (5, True, ["a"], {"a": 1}, *WORST),
    "integer": ("many", 1.5, True, [], {}, "\0", 10**400),
    "number": ("many", True, [], {}, "\0", float("nan"), -1e300),
    "boolean": ("perhaps", 7, [], {}, "\0"),
    "object": ("text", 5, ["a"], {"a": "\0"}, {"\0": "a"}),
}
IDS = {"task_id", "codebase_id", "agent_name", "cursor"}
NOTHING = ("nothing", "00000000-0000-7000-8000-000000000000", "../../etc", "'; DROP TABLE tasks_task; --", "é" * 150)


def bad_values(name: str, schema: dict[str, Any], is_needed: bool) -> Iterator[Any]:
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    for kind in kinds:
        yield from WRONG[kind["type"]]
        if "enum" in kind:
            yield from ("nonsense", "")
        if "maxLength" in kind:
            yield "x" * (kind["maxLength"] + 1)
        if kind.get("minLength"):
            yield ""
        if name not in CAPPED:
            yield from (kind[limit] + 1 for limit in ("maximum", "exclusiveMaximum") if limit in kind)
        yield from (kind[limit] - 1 for limit in ("minimum", "exclusiveMinimum") if limit in kind)
    if is_needed:
        yield None


def spoilt(tool: Tool, place: Place) -> Iterator[tuple[str, dict[str, Any]]]:
    """(argument, a call in which it is wrong) for each way to be wrong."""
    good, needed = GOOD[tool.name](place), tool.sdk.parameters.get("required", [])
    for name, schema in tool.sdk.parameters.get("properties", {}).items():
        for bad in bad_values(name, schema, name in needed):
            yield name, good | {name: bad}
        if name in needed:
            yield name, {other: value for other, value in good.items() if other != name}


@pytest.fixture
def place(cast: Cast) -> Place:
    return furnish(cast)


@pytest.fixture
def root(ada: Caller, cast: Cast) -> Caller:
    caller = ada.bearing(cast.token(Role.ADMIN))
    ada.api.runner.run(http("GET", "/v1/auth/me", caller.token))
    return caller


def test_bad_arguments_are_named_and_nothing_happens(root: Caller, api: Api, place: Place) -> None:
    watch = Watched(api)
    for tool in TOOLS:
        for name, arguments in spoilt(tool, place):
            result = root.result(tool.name, arguments)
            what = f"{tool.name}({name}={str(arguments.get(name, 'missing'))[:40]!r})"
            assert result.is_error, what
            told = (result.meta or {})[META]
            assert told["code"] == "invalid", f"{what}: {told}"
            assert name in text_of(result), f"{what}: {text_of(result)[:300]}"
        watch.unchanged(tool.name)
    watch.assert_refused()


def test_ids_of_nothing_are_not_found(root: Caller, api: Api, place: Place) -> None:
    watch = Watched(api)
    for name, arguments in ((name, good(place)) for name, good in GOOD.items()):
        for argument in IDS & arguments.keys():
            for nothing in NOTHING if (name, argument) not in FREE else ():
                result = root.result(name, arguments | {argument: nothing})
                assert result.is_error, f"{name}({argument}={nothing!r})"
                code = (result.meta or {})[META]["code"]
                assert code == "invalid" or code.endswith("_not_found"), f"{name}({argument}={nothing!r}): {code}"
        watch.unchanged(name)
    watch.assert_refused()


FREE = {
    ("create_codebase", "codebase_id"),
    ("list_tasks", "codebase_id"),
    ("list_task_runs", "codebase_id"),
    ("send_to_agent", "agent_name"),
}
"""An id of the caller's choice, what narrows a list, and an agent that is still to come."""


def test_whatever_else_comes_along_is_let_pass(root: Caller, place: Place) -> None:
    result = root.result("get_task", {"task_id": place.task_id, "x": {"y": [1, None]}, "": 1})
    assert not result.is_error


REFUSED = {
    "answer_task": "the task does not ask",
    "register_agent": "such addresses are not called",
    "set_active_codebase": "it was removed before",
}


def test_a_result_fits_the_schema_that_tells_of_it(root: Caller, place: Place) -> None:
    """The clients of the SDK refuse one that does not."""
    refused = set()
    for tool in TOOLS:
        good = {name: value for name, value in GOOD[tool.name](place).items() if name != "cursor"}
        result = root.result(tool.name, good)
        if result.is_error:
            refused.add(tool.name)
        else:
            jsonschema.validate(result.structured_content, tool.sdk.output_schema or {})
    assert refused == REFUSED.keys()


TEXTS = st.one_of(
    st.sampled_from(["", "%", "{}", "null", "global", "__pending__", "\x00", "0:0", "\U0001f600"]), st.text()
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)


@hypothesis_settings(max_examples=CASES, deadline=None, database=None, derandomize=True)
@given(data=st.data())
def some_calls(root: Caller, place: Place, data: st.DataObject) -> None:
    """Calls that are good but for some of their arguments; what they do is taken back."""
    tool = data.draw(st.sampled_from(TOOLS))
    names = sorted(tool.sdk.parameters.get("properties", {}).keys() - CAPPED)
    odd = data.draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=3)) if names else {}
    with transaction.atomic():
        result = root.result(tool.name, GOOD[tool.name](place) | odd)
        transaction.set_rollback(True)
    assert not result.is_error or (result.meta or {})[META]["code"] not in OURS


OURS = {"internal_error", "database_unavailable"}


def test_whatever_comes_is_answered_or_refused(root: Caller, place: Place, settings: Any) -> None:
    settings.A2A_BLOCKING_TIMEOUT = 0.001
    some_calls(root, place)
