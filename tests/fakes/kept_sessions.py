"""What the fake control plane keeps of agents' sessions, as the server does: an upsert by the program's ids."""

from __future__ import annotations

from typing import Any

from tests.fakes.control_plane_http import Refusal


class KeepsSessions:
    """`sessions` by id; `messages` by session and id; `told` the ids of each batch of messages, in order.

    A message whose id is in `unwanted` is refused, with its whole batch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sessions: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, dict[str, dict[str, Any]]] = {}
        self.told: list[list[str]] = []
        self.unwanted: set[str] = set()

    def sync_sessions(self, body: dict[str, Any], codebase_id: str) -> dict[str, Any]:
        for session in body["sessions"]:
            facts = {**session, "source": body["source"], "codebase_id": codebase_id, "worker_id": body["worker_id"]}
            self.sessions[session["id"]] = facts
        return {"success": True, "synced": len(body["sessions"])}

    def sync_messages(self, body: dict[str, Any], codebase_id: str, session_id: str) -> dict[str, Any]:
        if self.sessions.get(session_id, {}).get("codebase_id") != codebase_id:
            raise Refusal(404, "session_not_found")
        ids = [message["id"] for message in body["messages"]]
        if self.unwanted.intersection(ids):
            raise Refusal(400, "invalid")
        self.told.append(ids)
        kept = self.messages.setdefault(session_id, {})
        kept.update({message["id"]: message for message in body["messages"]})
        return {"success": True, "synced": len(ids)}
