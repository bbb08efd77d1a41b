"""Whatever happens to a task, every face shows the same of it: one log, one projection.

Asked by the official client, whose types are 1.0's whichever version and binding it speaks; the stream is folded
again as clients fold it.
"""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import grpc.aio
import httpx
import pytest
import uvicorn
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.client.client import ClientCallContext
from a2a.types import AgentCard, AgentInterface, GetTaskRequest, Task
from django.conf import settings
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from apps.a2a.grpc.server import make_server
from apps.core.db import in_database
from apps.core.wakeups import hub
from apps.tasks import log
from apps.tasks.admin.transcript import transcript
from codetether.asgi import application
from tests.contract.a2a.conftest import Server
from tests.factories import Cast
from tests.model.one_life import LIVES, Life

PATHS = {"JSONRPC": "/a2a/jsonrpc", "HTTP+JSON": "/a2a/rest"}
VERSIONS = ("1.0", "0.3")
LIVES_TRIED = 12
Json = dict[str, Any]
Happened = tuple[str, Json]


class Faces:
    """The product on loopback ports, and a client for each of the A2A faces."""

    def __init__(self, http: httpx.AsyncClient, grpc_address: str) -> None:
        self.http = http
        self._context = ClientCallContext(service_parameters={"authorization": http.headers["authorization"]})
        base = str(http.base_url).rstrip("/")
        addresses = {name: f"{base}{path}" for name, path in PATHS.items()} | {"GRPC": grpc_address}
        self.clients = {
            (binding, version): self._client(binding, address, version)
            for binding, address in addresses.items()
            for version in VERSIONS
        }

    def _client(self, binding: str, address: str, version: str) -> Client:
        interface = AgentInterface(url=address, protocol_binding=binding, protocol_version=version)
        config = ClientConfig(
            httpx_client=self.http,
            grpc_channel_factory=grpc.aio.insecure_channel,
            supported_protocol_bindings=[binding],
        )
        return ClientFactory(config).create(AgentCard(name="codetether", supported_interfaces=[interface]))

    async def tasks(self, task_id: UUID) -> dict[tuple[str, str], Task]:
        request = GetTaskRequest(id=str(task_id))
        return {face: await client.get_task(request, context=self._context) for face, client in self.clients.items()}

    async def rest(self, task_id: UUID) -> tuple[Json, list[Json]]:
        """REST's task, and its log."""
        path = f"/v1/opencode/tasks/{task_id}"
        row = (await self.http.get(path)).json()
        return row, (await self.http.get(f"{path}/events", params={"limit": 200})).json()["events"]

    async def mcp(self, task_id: UUID) -> tuple[Json, list[Json], list[Json]]:
        """MCP's task, all of its log page by page, and what its conversation says."""
        page = await self.tool("get_task_updates", task_id=str(task_id), limit=9)
        events = page["events"]
        while page["more"]:
            page = await self.tool("get_task_updates", task_id=str(task_id), limit=9, after_seq=page["next_seq"])
            events += page["events"]
        said = await self.tool("get_messages", conversation_id=str(task_id), limit=50)
        return await self.tool("get_task", task_id=str(task_id)), events, said["messages"]

    async def tool(self, name: str, **arguments: Any) -> Json:
        params = {"name": name, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        result: Json = (await self.http.post("/mcp/v1/rpc", json=body)).json()["result"]
        structured: Json = result["structuredContent"]
        return structured

    async def stream(self, task_id: UUID) -> list[Json]:
        """The events of the whole stream of a task that has ended, from its beginning."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "SubscribeToTask", "params": {"id": str(task_id)}}
        answer = await self.http.post(PATHS["JSONRPC"], json=body, headers={"last-event-id": "1"})
        return [
            json.loads(line.removeprefix("data: "))["result"] for line in answer.text.split("\n") if "data:" in line
        ]

    async def close(self) -> None:
        for client in self.clients.values():
            await client.close()


@asynccontextmanager
async def product() -> AsyncIterator[Faces]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(uvicorn.Config(application, lifespan="off", log_level="warning", access_log=False))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        by_grpc, port = make_server("127.0.0.1", 0)
        await by_grpc.start()
        headers = {"authorization": f"Bearer {settings.A2A_AUTH_TOKENS['ci']}"}
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=10) as http:
            faces = Faces(http, f"127.0.0.1:{port}")
            yield faces
            await faces.close()
        await by_grpc.stop(1)
        server.should_exit = True
        await serving
        await hub().close()


@pytest.mark.timeout(300)
def test_every_face_shows_the_same_of_any_life(transactional_db: None, cast: Cast) -> None:
    with asyncio.Runner() as runner:
        live = product()
        faces = runner.run(live.__aenter__())

        @hypothesis_settings(
            max_examples=LIVES_TRIED, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(LIVES)
        def check(life: Any) -> None:
            runner.run(compare(faces, cast, *life))

        try:
            check()
        finally:
            runner.run(live.__aexit__(None, None, None))


async def compare(faces: Faces, cast: Cast, happenings: list[Any], ending: Any) -> None:
    """Look in the middle and at the end."""
    life = await in_database(Life, cast)
    for number, what in enumerate(happenings):
        await in_database(life.happen, what)
        if number == len(happenings) // 2:
            await assert_agreement(faces, life.task_id)
    await in_database(life.end, ending)
    task = await assert_agreement(faces, life.task_id)
    assert refolded(await faces.stream(life.task_id)) == told_by(task)


async def assert_agreement(faces: Faces, task_id: UUID) -> Json:
    """A2A's task, which every client sees, and which REST, MCP and the console tell with other words."""
    seen = await faces.tasks(task_id)
    for face, found in seen.items():
        assert found == seen["JSONRPC", "1.0"], face
    task: Json = MessageToDict(seen["JSONRPC", "1.0"])
    row, events = await faces.rest(task_id)
    by_mcp, told, said = await faces.mcp(task_id)
    assert (by_mcp, told) == (row, events)
    happened = [(event["kind"], event["data"]) for event in events]
    assert not Counter(words_in(happened)) - Counter(message["content"] for message in said)
    assert STATES[row["status"]] == task["status"]["state"]
    assert Counter(words_of(task)) == Counter(words_in(happened))
    spoken = row["result"] or spoken_in(happened)
    assert made_of(task) == made_in(happened) | ({"result": [{"text": spoken}]} if spoken else {})
    blocks = transcript(await in_database(log.read, task_id))
    shown = [block.text for block in blocks]
    assert not Counter(words_in(happened)) - Counter(shown)
    return task


STATES = {
    "pending": "TASK_STATE_SUBMITTED",
    "running": "TASK_STATE_WORKING",
    "input_required": "TASK_STATE_INPUT_REQUIRED",
    "completed": "TASK_STATE_COMPLETED",
    "failed": "TASK_STATE_FAILED",
    "cancelled": "TASK_STATE_CANCELED",
    "rejected": "TASK_STATE_REJECTED",
}


def text_of(message: Json) -> str:
    return "".join(part.get("text", "") for part in message["parts"])


def words_of(task: Json) -> list[str]:
    """What was said in A2A's task, by either side: the history, and the question that is open."""
    said = [text_of(message) for message in task["history"]]
    asking = task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    return [*said, text_of(task["status"]["message"])] if asking else said


def words_in(happened: Iterable[Happened]) -> list[str]:
    """The same as the log has it."""
    names = {"created": "prompt", "asked": "question", "answered": "message", "message": "message"}
    return [data[names[kind]] for kind, data in happened if kind in names]


def spoken_in(happened: Iterable[Happened]) -> str:
    """What the agent has said in its last attempt."""
    spoken = ""
    for kind, data in happened:
        if kind == "claimed":
            spoken = ""
        elif kind == "output" and data["type"] == "text":
            spoken += data["content"]
    return spoken


def made_of(task: Json) -> dict[str, list[Json]]:
    """The parts of each artifact by its id."""
    return {one["artifactId"]: one["parts"] for one in task.get("artifacts", [])}


def made_in(happened: Iterable[Happened]) -> dict[str, list[Json]]:
    """The parts of each artifact that the agent has reported."""
    made: dict[str, list[Json]] = {}
    for kind, data in happened:
        if kind == "artifact":
            before = made.get(data["artifact_id"], []) if data["append"] else []
            made[data["artifact_id"]] = before + data["parts"]
    return made


def refolded(events: list[Json]) -> tuple[Json, dict[str, list[Json]]]:
    """The status and the artifacts that a client ends up with. A new attempt begins with nothing said."""
    status: Json = {}
    made: dict[str, list[Json]] = {}
    for event in events:
        if update := event.get("artifactUpdate"):
            artifact = update["artifact"]
            before = made.get(artifact["artifactId"], []) if update["append"] else []
            made[artifact["artifactId"]] = joined(before + artifact["parts"])
        else:
            following = event["statusUpdate"]["status"]
            if status.get("state") == "TASK_STATE_SUBMITTED" and following["state"] == "TASK_STATE_WORKING":
                made.pop("result", None)
            status = following
    return without_time(status), made


def told_by(task: Json) -> tuple[Json, dict[str, list[Json]]]:
    """What `refolded` must come to."""
    return without_time(task["status"]), {name: joined(parts) for name, parts in made_of(task).items()}


def without_time(status: Json) -> Json:
    """The row and the log take their times apart, in the same statement."""
    return {name: value for name, value in status.items() if name != "timestamp"}


def joined(parts: list[Json]) -> list[Json]:
    """Chunks of a text make one text, however many parts they came in."""
    merged: list[Json] = []
    for part in parts:
        if merged and part.keys() == merged[-1].keys() == {"text"}:
            merged[-1] = {"text": merged[-1]["text"] + part["text"]}
        else:
            merged.append(part)
    return merged
