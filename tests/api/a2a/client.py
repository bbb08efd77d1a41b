"""A client of the JSON-RPC binding that sends exactly what a test says, and a worker that does what a test says."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from apps.core.db import in_database
from apps.core.wakeups import hub
from apps.tasks.models import Task
from apps.tasks.reports import from_worker
from apps.tasks.services import Claim, Outcome, task_claim, task_finish, task_leave_question, task_progress, task_snooze
from apps.tasks.states import State
from codetether.asgi import application
from tests.factories import Cast

PATIENCE = 8.0
Json = dict[str, Any]


class Caller:
    """One client. `send` and its likes give the `result`; `post` gives the raw answer, so that tests see refusals."""

    def __init__(self, token: str, path: str = "/a2a/jsonrpc") -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.path = path
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url="http://testserver", headers=headers, timeout=PATIENCE
        )

    async def post(self, body: object, headers: Mapping[str, str] | None = None, path: str = "") -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post(
            path or self.path, content=content, headers={"content-type": "application/json", **(headers or {})}
        )

    async def call(self, method: str, params: object, **headers: str) -> Json:
        """The whole JSON-RPC answer, which must be one to this very request."""
        response = await self.post({"jsonrpc": "2.0", "id": "r1", "method": method, "params": params}, headers)
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        assert (answer["jsonrpc"], answer["id"]) == ("2.0", "r1")
        return answer

    async def result(self, method: str, params: object, **headers: str) -> Json:
        answer = await self.call(method, params, **headers)
        assert "result" in answer, answer
        found: Json = answer["result"]
        return found

    async def code(self, method: str, params: object, **headers: str) -> int:
        """The code of the error that the call must end with."""
        found: int = (await self.call(method, params, **headers))["error"]["code"]
        return found

    async def send(self, text: str = "Calculate 25 * 4", *, blocking: bool = False, **message: Any) -> Json:
        """message/send of 0.3; `message` adds to the message."""
        said = {"role": "user", "messageId": f"m-{text}", "parts": [{"kind": "text", "text": text}]} | message
        return await self.result("message/send", {"message": said, "configuration": {"blocking": blocking}})

    async def stream(self, method: str, params: object, **headers: str) -> list[tuple[str, Json]]:
        """(event id, result) of each event of a stream that ends."""
        body = {"jsonrpc": "2.0", "id": "r1", "method": method, "params": params}
        response = await self.post(body, headers)
        assert response.headers["content-type"].startswith("text/event-stream"), response.text
        return frames(response.text)


async def subscribed(task_id: str, count: int = 1) -> None:
    """Until `count` streams wait for the task: one that comes after its end is refused."""
    async with asyncio.timeout(20):
        while len(hub()._waiters.get(f"task:{task_id}", ())) < count:  # noqa: ASYNC110 (nothing tells the outside)
            await asyncio.sleep(0.01)


def frames(text: str) -> list[tuple[str, Json]]:
    """The events in a stream's text, without keep-alives and other frames that carry no data."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.split("\n"))
        if "data" in fields:
            answer = orjson.loads(fields["data"])
            found.append((fields.get("id", ""), answer.get("result", answer)))
    return found


class Hand:
    """A worker's hand in the workspace: takes what is pending and does with it what the test says."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast

    async def take(self, **more: Any) -> Claim:
        """The next task, as soon as there is one; `more` is what the worker has besides."""
        async with asyncio.timeout(PATIENCE):
            with hub().waiting(f"workspace:{self.cast.workspace.id}") as waiter:
                while not (held := await in_database(task_claim, claimer=self.cast.claimer(**more))):
                    await waiter.wait(0.05)
        (task,) = held
        assert task.claim_token is not None
        return Claim(self.cast.workspace.id, task.id, task.claim_token)

    async def say(self, claim: Claim, *events: tuple[str, Json]) -> None:
        reported = [from_worker(kind, data) for kind, data in events]
        await in_database(task_progress, claim=claim, reported=reported)

    async def finish(self, claim: Claim, result: str = "100", status: State = State.COMPLETED, **more: Any) -> Task:
        outcome = Outcome(status=status, result=result, **more)
        return await in_database(task_finish, claim=claim, outcome=outcome)

    async def ask(self, claim: Claim, question: str = "Which one?") -> None:
        await in_database(task_leave_question, claim=claim, question=question, options=[])

    async def give_back(self, claim: Claim) -> None:
        await in_database(task_snooze, claim=claim, seconds=0, reason="drain")
