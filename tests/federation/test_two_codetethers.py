"""CodeTether hands work to CodeTether: over real HTTP, from one workspace to another, with a worker's hand there."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.core.extension import EXTENSION
from apps.federation.models import RemoteTask
from apps.federation.services import NewRemoteAgent, bearer, remote_agent_register
from apps.tasks.models import Task
from apps.tasks.services import Claim, leases_reap, task_answer, task_cancel, task_message
from apps.workers.services import Registration, worker_register
from codetether.asgi import application
from tests.api.a2a.client import Hand
from tests.contract.a2a.conftest import Server
from tests.factories import Cast
from tests.federation.conftest import Scene, until

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest_asyncio.fixture
async def address(scene: Scene) -> AsyncIterator[str]:
    """Both sides' URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(uvicorn.Config(application, lifespan="off", log_level="warning", access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    await scene.stop_bridges()
    server.should_exit = True
    await serving


class Neighbours:
    """Two workspaces; `here` has the agent `there`, which is the other one."""

    def __init__(self, scene: Scene, address: str, theirs: Cast) -> None:
        self.scene = scene
        self.address = address
        self.theirs = theirs
        self.hand = Hand(theirs)

    async def knows(self, one: Cast, other: Cast, name: str, **metadata: Any) -> None:
        token = await in_database(other.token, Role.OPERATOR)
        new = NewRemoteAgent(card_url=self.address, name=name, credentials=bearer(token), message_metadata=metadata)
        await in_database(remote_agent_register, workspace_id=one.workspace.id, new=new, by="ada")

    async def over_there(self, claim: Claim) -> Task:
        return await in_database(Task.objects.get, id=claim.task_id)


@pytest_asyncio.fixture
async def neighbours(scene: Scene, address: str, settings: Any) -> Neighbours:
    settings.A2A_AGENT_URL = address
    settings.A2A_AGENT_URL_IS_GIVEN = True
    theirs = await in_database(scene.cast.elsewhere)
    found = Neighbours(scene, address, theirs)
    await found.knows(scene.cast, theirs, "there")
    await scene.bridge()
    return found


async def test_work_is_done_there_and_told_here(scene: Scene, neighbours: Neighbours) -> None:
    task = await scene.task("Sing", target_agent="there")
    claim = await neighbours.hand.take()
    await neighbours.hand.say(
        claim,
        ("status", {"message": "Warming up."}),
        ("output", {"content": "la "}),
        ("tool_use", {"tool": "piano", "args": {"key": "c"}, "call_id": "1"}),
        ("artifact", {"artifact_id": "score", "name": "score", "parts": [{"data": {"bars": 4}}]}),
        ("output", {"content": "li"}),
    )
    await neighbours.hand.finish(claim, "la li", usage={"input_tokens": 7, "output_tokens": 2})
    ended = await scene.ended(task)
    assert (ended.state, ended.result) == ("completed", "la li")
    assert await scene.said(task) == "la li"
    assert {"message": "Warming up."} in await scene.events(task, "status")
    assert [data["artifact_id"] for data in await scene.events(task, "artifact")] == ["score"]
    assert [data["tool"] for data in await scene.events(task, "tool_use")] == ["piano"]
    assert {name: ended.usage[name] for name in ("input_tokens", "output_tokens")} == {
        "input_tokens": 7,
        "output_tokens": 2,
    }
    there = await neighbours.over_there(claim)
    assert (there.prompt, there.workspace_id) == ("Sing", neighbours.theirs.workspace.id)
    assert ended.session_id == there.context_id


async def test_question_is_answered_across(scene: Scene, neighbours: Neighbours) -> None:
    task = await scene.task("Paint", target_agent="there")
    claim = await neighbours.hand.take()
    await neighbours.hand.ask(claim, "Which colour?")
    await scene.in_state(task, "input_required")
    await in_database(task_answer, workspace_id=task.workspace_id, task_id=task.id, message="Red", by="ada")
    claim = await neighbours.hand.take()
    await neighbours.hand.finish(claim, "It is red.")
    ended = await scene.ended(task)
    assert (ended.state, ended.result) == ("completed", "It is red.")
    assert len(await scene.events(task, "asked")) == 1


async def test_cancel_reaches_over(scene: Scene, neighbours: Neighbours) -> None:
    task = await scene.task("Sleep", target_agent="there")
    claim = await neighbours.hand.take()
    await scene.in_state(task, "running")
    await until(lambda: scene.events(task, "session"), "it is known there")
    await in_database(task_cancel, workspace_id=task.workspace_id, task_id=task.id, by="ada")

    async def cancelled() -> bool:
        return (await neighbours.over_there(claim)).state == "cancelled"

    await until(cancelled, "it is cancelled there")


async def test_cancel_over_there_ends_it_here(scene: Scene, neighbours: Neighbours) -> None:
    task = await scene.task("Sleep", target_agent="there")
    claim = await neighbours.hand.take()
    await in_database(task_cancel, workspace_id=claim.workspace_id, task_id=claim.task_id, by="bob")
    ended = await scene.ended(task)
    assert (ended.state, ended.error) == ("cancelled", "cancelled by bob")


async def test_message_is_heard_there(scene: Scene, neighbours: Neighbours) -> None:
    task = await scene.task("Sing", target_agent="there")
    claim = await neighbours.hand.take()
    await until(lambda: scene.events(task, "session"), "it is known there")
    await in_database(task_message, workspace_id=task.workspace_id, task_id=task.id, message="Louder", by="ada")

    async def heard() -> list[dict[str, Any]]:
        return await scene.events(await neighbours.over_there(claim), "message")

    (said,) = await until(heard, "it is heard")
    assert said["message"] == "Louder"
    await neighbours.hand.finish(claim, "LA", heard_seq=10**6)
    assert (await scene.ended(task)).result == "LA"


async def test_same_message_makes_one_task_there(scene: Scene, neighbours: Neighbours) -> None:
    """The bridge dies after the message has gone out and before it has heard what the task is called there."""
    task = await scene.task("Sing", target_agent="there")
    claim = await neighbours.hand.take()
    await until(lambda: scene.events(task, "session"), "it is known there")
    await scene.kill_bridge()

    def forget() -> None:
        RemoteTask.objects.update(remote_task_id="", remote_context_id="")
        Task.objects.filter(id=task.id).update(lease_expires_at="2020-01-01T00:00:00Z")
        leases_reap()
        Task.objects.filter(id=task.id).update(available_at="2020-01-01T00:00:00Z")

    await in_database(forget)
    await scene.bridge("bridge-2")
    await neighbours.hand.finish(claim, "la")
    assert (await scene.ended(task)).result == "la"
    assert await in_database(Task.objects.filter(workspace=neighbours.theirs.workspace).count) == 1


async def test_ring_of_agents_is_refused(scene: Scene, neighbours: Neighbours, settings: Any) -> None:
    settings.A2A_MAX_HOPS = 3
    await neighbours.knows(scene.cast, neighbours.theirs, "round", target_agent="about")
    await neighbours.knows(neighbours.theirs, scene.cast, "about", target_agent="round")
    task = await scene.ended(await scene.task("Do it", target_agent="round"))
    assert task.state == "failed"
    assert "A2A_MAX_HOPS=3" in task.error
    made = await in_database(lambda: list(Task.objects.order_by("created_at")))
    assert [one.state for one in made] == ["failed"] * 4
    ways = [one.metadata["a2a"]["metadata"][EXTENSION] for one in made[1:]]
    assert [way["hops"] for way in ways] == [1, 2, 3]
    assert len(set(ways[-1]["via"])) == 1  # both are one installation


async def test_signature_of_a_codetether_holds(scene: Scene, neighbours: Neighbours) -> None:
    url = f"{neighbours.address}/.well-known/agent-card.json?signed=true"
    new = NewRemoteAgent(card_url=url, name="signed", require_signature=True)
    agent = await in_database(remote_agent_register, workspace_id=scene.cast.workspace.id, new=new, by="ada")
    assert (agent.signature, agent.protocol_version) == ("verified", "1.0")


async def test_card_of_a_role_leads_to_that_role(scene: Scene, neighbours: Neighbours) -> None:
    role = [{"role": "reviewer", "instance": "reviewer:w1", "description": "Reviews."}]
    said = Registration(worker_id="w1", name="w1", global_codebase_id="global", agents=role)
    await in_database(worker_register, workspace_id=neighbours.theirs.workspace.id, registration=said)
    new = NewRemoteAgent(
        card_url=f"{neighbours.address}/a2a/agents/reviewer/.well-known/agent-card.json",
        name="their-reviewer",
        credentials=bearer(await in_database(neighbours.theirs.token, Role.OPERATOR)),
        require_signature=True,
    )
    await in_database(remote_agent_register, workspace_id=scene.cast.workspace.id, new=new, by="ada")
    task = await scene.task("Review it", target_agent="their-reviewer")
    await until(lambda: scene.events(task, "session"), "it is known there")
    there = await in_database(Task.objects.get, workspace=neighbours.theirs.workspace)
    assert (there.target_agent, there.prompt) == ("reviewer", "Review it")
