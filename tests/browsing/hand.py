"""What a program or a worker daemon would say to the product, said when somebody wants it said."""

from typing import Any

import httpx

Json = dict[str, Any]


class Face:
    """The product as a program calls it, with a token. Whatever is refused fails."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def post(self, path: str, /, **body: Any) -> Json:
        return self._said(self.http.post(path, json=body))

    def put(self, path: str, /, **body: Any) -> Json:
        return self._said(self.http.put(path, json=body))

    def create(self, title: str, **more: Any) -> str:
        """A new task's id."""
        said = self.post("/v1/opencode/tasks", **{"title": title, "prompt": title} | more)
        return str(said["task"]["id"])

    def register(self, worker_id: str, name: str, **more: Any) -> None:
        everything = {"worker_id": worker_id, "name": name, "global_codebase_id": "global"}
        self.post("/v1/opencode/workers/register", **everything | more)

    def take(self, task_id: str, worker_id: str) -> "Hand":
        held = self.post("/v1/worker/tasks/claim", worker_id=worker_id, task_id=task_id)
        return Hand(self, worker_id, held["task"])

    def _said(self, answer: httpx.Response) -> Json:
        assert answer.is_success, f"{answer.request.url}: {answer.text}"
        said: Json = answer.json()
        return said


class Hand:
    """One claim of a worker's."""

    def __init__(self, face: Face, worker_id: str, held: Json) -> None:
        self.face = face
        self.worker_id = worker_id
        self.task_id = str(held["id"])
        self.token = str(held["claim_token"])
        self.said = 0

    def say(self, kind: str, **data: Any) -> None:
        self.say_all((kind, data))

    def say_all(self, *events: tuple[str, Json]) -> None:
        """In one call, as a worker does that has much to say."""
        numbered = [
            {"seq": self.said + n, "kind": kind, "data": data} for n, (kind, data) in enumerate(events, start=1)
        ]
        self.said += len(events)
        self.face.post(f"/v1/worker/tasks/{self.task_id}/events", claim_token=self.token, events=numbered)

    def finish(self, result: str = "", *, status: str = "completed", **more: Any) -> None:
        end = {"task_id": self.task_id, "claim_token": self.token, "status": status, "result": result}
        self.face.post("/v1/worker/tasks/release", **end | more)
