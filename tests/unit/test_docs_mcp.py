"""The documented tools are those of the MCP face, with their scopes, and none of the contract's is missing."""

import re

import pytest

from apps.accounts.permissions import Scope
from apps.mcp.tool import Tool
from apps.mcp.tools import TOOLS
from tests.unit.documents import marked, rows

PAGE = "reference/mcp.md"
CONTRACT = """
send_message send_message_async send_to_agent get_messages create_task get_task list_tasks cancel_task get_task_updates
discover_agents get_agent register_agent refresh_agent_heartbeat get_agent_card list_codebases create_codebase
get_codebase delete_codebase set_active_codebase get_active_codebase get_current_codebase search_tools get_tool_schema
list_models get_queue_stats list_task_runs
""".split()
"""What clients of earlier releases call, but for Ralph's tools, which come with Ralph."""
WORDS = {word for tool in TOOLS for word in re.findall(r"\w+", f"{tool.sdk.parameters} {tool.sdk.output_schema}")}
STATES = {"input_required", "auth_required"}


def each_tool() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)


def scopes_of(tool: Tool) -> set[str]:
    """None where any token will do."""
    return set() if set(tool.scopes) == set(Scope) else {str(scope) for scope in tool.scopes}


def test_every_tool_is_documented_with_its_scope_and_exists() -> None:
    documented = {marked(row["Tool"])[0]: set(marked(row["Scope"])) for row in rows(PAGE, "Tool", "Scope")}
    assert documented == {tool.name: scopes_of(tool) for tool in TOOLS}


def test_every_tool_of_the_contract_exists_and_each_once() -> None:
    names = [tool.name for tool in TOOLS]
    assert set(CONTRACT) <= set(names)
    assert len(names) == len(set(names))


@each_tool()
def test_a_tool_says_what_it_is_in_few_words_and_names_only_what_there_is(tool: Tool) -> None:
    text = tool.sdk.description
    assert 200 <= len(text) <= 450
    assert tool.sdk.title
    assert set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text)) <= {one.name for one in TOOLS} | WORDS | STATES


@each_tool()
def test_every_argument_is_described_and_bounded(tool: Tool) -> None:
    for name, schema in tool.sdk.parameters.get("properties", {}).items():
        assert schema.get("description"), name
        for kind in schema.get("anyOf", [schema]):
            assert kind.get("type") != "string" or kind.keys() & {"enum", "maxLength"}, f"{name} is without bounds"


@each_tool()
def test_the_hints_agree_with_the_scopes(tool: Tool) -> None:
    hints = tool.sdk.annotations
    assert hints is not None
    assert not (hints.read_only_hint and hints.destructive_hint)
    writes = {Scope.TASKS_WRITE, Scope.CODEBASES_WRITE, Scope.ADMIN, Scope.WORKER}
    assert not (hints.read_only_hint and set(tool.scopes) <= writes)


def test_the_list_of_all_tools_is_short_enough_to_be_read() -> None:
    """At about four characters a token: clients read what all tools are and take before their first call."""
    read = sum(len(tool.sdk.description) + len(str(tool.sdk.parameters)) for tool in TOOLS)
    assert read < 32_000
