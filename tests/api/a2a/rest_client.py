"""A client of the REST binding that sends exactly what a test says."""

from typing import Any

import httpx
import orjson

from codetether.asgi import application
from tests.api.a2a.client import PATIENCE, Json, frames

REST = "/a2a/rest"


class RestCaller:
    """One client. `get` and `post` give the answer's body, which must be a good one; `ask` gives the raw answer."""

    def __init__(self, token: str, base: str = REST) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.base = base
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url="http://testserver", headers=headers, timeout=PATIENCE
        )

    async def ask(self, verb: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """`body` None sends none; bytes go as they are."""
        if body is None:
            return await self.http.request(verb, self.base + path, headers=headers)
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        named = {"content-type": "application/json", **headers}
        return await self.http.request(verb, self.base + path, content=content, headers=named)

    async def get(self, path: str, **headers: str) -> Json:
        return self._good(await self.ask("GET", path, **headers))

    async def post(self, path: str, body: object = None, **headers: str) -> Json:
        return self._good(await self.ask("POST", path, body, **headers))

    def _good(self, response: httpx.Response) -> Json:
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    async def send(self, text: str = "Calculate 25 * 4", **message: Any) -> Json:
        """The task of a message that does not wait; `message` adds to the message."""
        said = {"role": "ROLE_USER", "messageId": f"m-{text}", "parts": [{"text": text}]} | message
        body = {"message": said, "configuration": {"returnImmediately": True}}
        task: Json = (await self.post("/message:send", body))["task"]
        return task

    async def stream(self, verb: str, path: str, body: object = None, **headers: str) -> list[tuple[str, Json]]:
        """(event id, event) of a stream that ends."""
        response = await self.ask(verb, path, body, **headers)
        assert response.headers["content-type"].startswith("text/event-stream"), response.text
        return frames(response.text)


def refused(response: httpx.Response) -> tuple[int, str]:
    """The HTTP status of a refusal, and the error that it names, whichever version it is in."""
    body = response.json()
    assert response.headers["content-type"] == "application/json"
    if "error" not in body:
        assert set(body) == {"code", "message", "type"}
        return response.status_code, body["type"]
    error = body["error"]
    assert set(error) == {"code", "status", "message", "details"}
    assert error["code"] == response.status_code
    return response.status_code, error["details"][0]["reason"]
