"""Any program of the Agent Client Protocol runs tasks when the worker's settings say how it is started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codetether_worker.acp_agents import acp_agents
from codetether_worker.checks.agents import check_agents
from codetether_worker.errors import ConfigError
from tests.fakes.control_plane import FakeControlPlane
from tests.worker.conftest import StartWorker
from tests.worker.test_check import config

GOOSE = {"command": ["goose", "acp"], "modes": {"plan": "chat"}, "models": ["a/b"], "env": {"X": "1"}}


def told(settings: dict[str, Any]) -> str:
    return json.dumps({"goose": settings})


def test_a_task_that_names_it_is_run_by_it(
    server: FakeControlPlane, start_worker: StartWorker, scripted_agent: Path, shop: Path
) -> None:
    start_worker("--codebases", str(shop), "--acp-agents", told({"command": [str(scripted_agent), "acp"]}))
    task = server.wait_ended(server.add_codebase_task("echo honk", str(shop), metadata={"agent": "goose"}))
    assert (task.status, task.text) == ("completed", "honk ")
    assert [event["agent"] for event in task.events("session")] == ["goose"]
    [worker] = server.workers.values()
    assert "goose" in worker["capabilities"]
    planned = server.add_codebase_task("write new.txt x", str(shop), metadata={"agent": "goose"}, agent_type="plan")
    assert server.wait_ended(planned).release["error_code"] == "mode_unavailable"
    assert not (shop / "new.txt").exists()


def test_a_command_alone_is_enough() -> None:
    [spec] = acp_agents({"goose": ["goose", "acp"]}, "x")
    assert (spec.command, spec.models, spec.modes) == (("goose", "acp"), (), {})
    [whole] = acp_agents(told(GOOSE), "x")
    assert (whole.modes, whole.models, whole.env) == ({"plan": "chat"}, ("a/b",), {"X": "1"})


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be an object of programs"),
        ({"claude": ["x"]}, "'claude' cannot be an agent's name"),
        ({"Goose!": ["x"]}, "cannot be an agent's name"),
        ({"goose": []}, "command must be a list that begins with a program"),
        ({"goose": "goose acp"}, "command must be a list of texts"),
        ({"goose": {**GOOSE, "mode": {}}}, "has no setting mode"),
        ({"goose": {**GOOSE, "models": [1]}}, "models must be a list of texts"),
        ({"goose": {**GOOSE, "env": {"X": 1}}}, "env must be an object of texts"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(value: object, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as refusal:
        acp_agents(value, "A2A_ACP_AGENTS")
    assert str(refusal.value).startswith("A2A_ACP_AGENTS")


@pytest.mark.asyncio
async def test_the_check_finds_it_or_says_that_it_is_not_there() -> None:
    found = await check_agents(config(A2A_ACP_AGENTS=told({"command": ["true"]}), PATH="/usr/bin:/bin"))
    assert [finding.area for finding in found if finding.area == "agent goose"]
    [missing] = await check_agents(config(A2A_ACP_AGENTS=told({"command": ["no-such-goose"]}), PATH="/nowhere"))
    assert "A2A_ACP_AGENTS: goose: no-such-goose is not a program" in missing.text
