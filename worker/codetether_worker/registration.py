"""Makes this worker and its codebases known to the server, and answers register_codebase tasks."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codetether_worker import __version__
from codetether_worker.backoff import Backoff, wait_for_any
from codetether_worker.client import ControlPlane
from codetether_worker.config import Config
from codetether_worker.discovery import Inventory
from codetether_worker.errors import ServerRefused, ServerUnreachable
from codetether_worker.protocol import GLOBAL_QUEUE, Claim, Outcome, RegisteredCodebase, Registration
from codetether_worker.skills import skills_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LearnedCodebase:
    """A folder that the server asked about and that was found here; kept for the next start."""

    id: str
    name: str
    path: str


class Registrar:
    """Knows which codebases are this worker's; `codebase_ids` is what it may claim for."""

    def __init__(self, config: Config, client: ControlPlane, inventory: Inventory, *, state_dir: Path) -> None:
        self._config = config
        self._client = client
        self._inventory = inventory
        self._learned_file = state_dir / "codebases.json"
        self._learned = _read_learned(self._learned_file)
        self._confirmed: dict[str, RegisteredCodebase] = {}
        self.terms = Registration()

    @property
    def codebase_ids(self) -> list[str]:
        return list(self._confirmed)

    @property
    def folders(self) -> list[tuple[str, Path]]:
        """Its codebases as id and folder."""
        return [(known.id, Path(known.path)) for known in self._confirmed.values()]

    @property
    def agent_name(self) -> str:
        """The role under which others find this worker's agent."""
        return self._config.agent_name or self._config.name

    async def establish(self, *, stopping: asyncio.Event) -> bool:
        """Register until the server takes it; False when told to stop first. Raises ServerRefused."""
        backoff = Backoff()
        while not stopping.is_set():
            try:
                await self._register()
                return True
            except ServerUnreachable as error:
                delay = backoff.next_delay(error.retry_after)
                log.info("server not reachable, next try in %.1f s: %s", delay, error)
                await wait_for_any(stopping, limit=delay)
        return False

    async def _register(self) -> None:
        self.terms = await self._client.register(self._announcement())
        self._confirmed = {}
        for spec in self._config.codebases:
            await self._confirm(spec.name, str(spec.path), None)
        for known in list(self._learned.values()):
            if await asyncio.to_thread(Path(known.path).is_dir):
                await self._confirm(known.name, known.path, known.id)
        await self._client.set_codebases(self.codebase_ids)
        log.info(
            "registered worker=%s server=%s codebases=%d lease=%.0fs",
            self._client.worker_id, self._config.server_url, len(self._confirmed), self.terms.lease_seconds,
        )  # fmt: skip

    def _announcement(self) -> dict[str, Any]:
        return {
            "worker_id": self._client.worker_id,
            "name": self._config.name,
            "hostname": socket.gethostname(),
            "version": __version__,
            "concurrency": self._config.concurrency,
            "capabilities": list(self._inventory.capabilities),
            "programs": self._inventory.programs(),
            "models": [model.to_json() for model in self._inventory.models],
            "codebases": self.codebase_ids,
            "global_codebase_id": GLOBAL_QUEUE,
            "agents": self._agents(),
        }

    def _agents(self) -> list[dict[str, Any]]:
        if not self._config.registers_agent:
            return []
        instance = f"{self.agent_name}:{socket.gethostname()}:{self._client.worker_id}"
        description = self._config.agent_description or f"Runs {', '.join(self._inventory.capabilities)} on demand"
        said = {"role": self.agent_name, "instance": instance, "description": description}
        return [{**said, "tags": list(self._inventory.capabilities), "skills": skills_of(self._inventory)}]

    async def _confirm(self, name: str, path: str, codebase_id: str | None) -> RegisteredCodebase | None:
        """None when the server will not have this one; the others go on."""
        try:
            codebase = await self._client.confirm_codebase(name=name, path=path, codebase_id=codebase_id)
        except ServerRefused as error:
            if error.status in (401, 403):
                raise
            log.warning("codebase refused path=%s: %s", path, error)
            self._forget(codebase_id)
            return None
        self._confirmed[codebase.id] = codebase
        return codebase

    async def answer_question(self, claim: Claim) -> Outcome:
        """Handle a register_codebase task: does its path exist on this machine?"""
        path, name = str(claim.metadata.get("path") or ""), str(claim.metadata.get("name") or "")
        codebase_id = str(claim.metadata.get("codebase_id") or "") or None
        if not path or not Path(path).is_absolute() or not await asyncio.to_thread(Path(path).is_dir):
            why = f"{path or 'the path'} is not a folder on {socket.gethostname()}"
            return Outcome("pending", error=why, error_code="path_missing", retry_after=0, declined=True)
        try:
            codebase = await self._confirm(name or Path(path).name, path, codebase_id)
            if codebase is None:
                return Outcome("failed", error="the server refused the codebase", error_code="refused")
            await self._client.set_codebases(self.codebase_ids)
        except ServerRefused as error:
            return Outcome("failed", error=str(error), error_code="refused")
        except ServerUnreachable as error:
            return Outcome("failed", error=str(error), error_code="server_unreachable", retry=True)
        self._learn(codebase, path)
        return Outcome("completed", result=f"{path} is on {self._config.name} and ready for tasks")

    @property
    def first_folder(self) -> Path | None:
        """Where a task without a codebase may look around: the first folder that is this worker's."""
        given = [spec.path for spec in self._config.codebases]
        learned = [Path(known.path) for known in self._confirmed.values()]
        return next(iter(given + learned), None)

    def knows(self, codebase_id: str | None) -> bool:
        return codebase_id in self._confirmed

    def _learn(self, codebase: RegisteredCodebase, path: str) -> None:
        if all(str(spec.path) != path for spec in self._config.codebases):
            self._learned[codebase.id] = LearnedCodebase(codebase.id, codebase.name, path)
            _write_learned(self._learned_file, self._learned)

    def _forget(self, codebase_id: str | None) -> None:
        if codebase_id is not None and self._learned.pop(codebase_id, None) is not None:
            _write_learned(self._learned_file, self._learned)


def _read_learned(path: Path) -> dict[str, LearnedCodebase]:
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
        found = [LearnedCodebase(str(i["id"]), str(i["name"]), str(i["path"])) for i in items]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError) as error:
        log.warning("%s is damaged and ignored: %s", path, error)
        return {}
    return {item.id: item for item in found}


def _write_learned(path: Path, learned: dict[str, LearnedCodebase]) -> None:
    items = [{"id": item.id, "name": item.name, "path": item.path} for item in learned.values()]
    partial = path.with_suffix(".new")
    partial.write_text(json.dumps(items, ensure_ascii=True, indent=1), encoding="utf-8")
    partial.replace(path)
