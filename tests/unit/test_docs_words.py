"""States, events, scopes, roles and error codes: the documented ones are the existing ones."""

import ast
import importlib
import re
from collections.abc import Iterator
from typing import get_args

import pytest
from acp.schema import PromptResponse

from apps.accounts.permissions import ROLE_SCOPES, Role, Scope
from apps.core.errors import CodeTetherError
from apps.tasks.events import FOLDS
from apps.tasks.reports import WORKER_EVENTS
from apps.tasks.states import EDGES, State
from tests.architecture.sources import Source, sources
from tests.unit.documents import marked, names, rows

SERVER, WORKER = ("apps", "codetether"), ("worker/codetether_worker",)
ACCESS, TASKS, ERRORS = "concepts/access.md", "concepts/tasks.md", "reference/errors.md"
MESSAGE_KINDS = {"message", "compacted"}
"""Kinds that move nothing and are not a worker's."""


def calls(source: Source) -> Iterator[tuple[str, dict[str, str]]]:
    """(name of what is called, its keyword arguments that are constant texts) of each call."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            texts = {k.arg: k.value.value for k in node.keywords if k.arg and isinstance(k.value, ast.Constant)}
            constants = {name: value for name, value in texts.items() if isinstance(value, str)}
            yield ast.unparse(node.func).rpartition(".")[2], constants


def tree_of(error: type[CodeTetherError]) -> Iterator[type[CodeTetherError]]:
    yield error
    for child in error.__subclasses__():
        yield from tree_of(child)


def module_of(source: Source) -> str:
    return source.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def refusals() -> dict[str, int]:
    """Code and status of all errors that a client may see."""
    found = {}
    for source in sources(SERVER):
        if re.search(r"^class \w+Error\(", source.text, re.MULTILINE):
            importlib.import_module(module_of(source))
        for name, constants in calls(source):
            if "code" in constants and name.endswith("Error"):
                found[constants["code"]] = getattr(importlib.import_module(module_of(source)), name).status
    return found | {error.code: error.status for error in tree_of(CodeTetherError) if error.__module__[:5] == "apps."}


def test_every_refusal_is_documented_with_its_status_and_exists() -> None:
    documented = {marked(row["Code"])[0]: int(row["Status"]) for row in rows(ERRORS, "Code", "Status")}
    assert documented == refusals() | {"not_ready": 503}  # /health/ready answers this one by itself


def test_every_failure_of_the_server_is_documented_and_exists() -> None:
    existing = {c.get("code") for source in sources(("apps/tasks",)) for name, c in calls(source) if name == "failed"}
    table = [row for row in rows(ERRORS, "Error code", "Meaning") if "Another attempt" not in row]
    assert {marked(row["Error code"])[0] for row in table} == existing - {None}


def worker_codes() -> set[str]:
    """Constants given as `code=` or `error_code=`, or to an Outcome, and those of functions that choose a code."""
    found = {"agent_error"}  # AgentError's default
    for source in sources(WORKER):
        for _, constants in calls(source):
            found |= {constants[name] for name in ("code", "error_code") if constants.get(name)}
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef) and node.name.endswith("error_code"):
                found |= {str(n.value) for n in ast.walk(node) if isinstance(n, ast.Constant) and _is_code(n.value)}
    return found | (set(get_args(PromptResponse.model_fields["stop_reason"].annotation)) - {"end_turn", "cancelled"})


def _is_code(value: object) -> bool:
    return isinstance(value, str) and value.replace("_", "").isalpha() and value.islower()


def test_every_failure_of_the_worker_is_documented_and_exists() -> None:
    assert set(names(ERRORS, "Error code", "Meaning", "Another attempt")) == worker_codes()


def test_every_state_and_edge_is_documented_and_exists() -> None:
    assert names(TASKS, "State", "What it means") == [str(state) for state in State]
    edges = {marked(row["From"])[0]: set(marked(row["To"])) for row in rows(TASKS, "From", "To")}
    assert edges == {str(state): set(map(str, after)) for state, after in EDGES.items() if after}


def test_every_kind_of_event_is_documented_and_exists() -> None:
    assert set(names(TASKS, "Kind", "Meaning", "Data")) == FOLDS.keys() | WORKER_EVENTS.keys() | MESSAGE_KINDS


@pytest.mark.parametrize("kind", WORKER_EVENTS)
def test_every_field_of_a_workers_event_is_documented(kind: str) -> None:
    row = next(row for row in rows(TASKS, "Kind", "Meaning", "Data") if marked(row["Kind"]) == [kind])
    assert set(marked(row["Data"])) == WORKER_EVENTS[kind].keys() | values_of(kind)


def values_of(kind: str) -> set[str]:
    return {value for field in WORKER_EVENTS[kind].values() for value in field.one_of}


def test_the_roles_hold_the_documented_scopes() -> None:
    table = rows(ACCESS, "Scope", *(str(role) for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN, Role.WORKER)))
    assert [marked(row["Scope"])[0] for row in table] == [str(scope) for scope in Scope]
    for role in Role:
        documented = {marked(row["Scope"])[0] for row in table if row[role] == "yes"}
        assert documented == set(map(str, ROLE_SCOPES[role])), role
