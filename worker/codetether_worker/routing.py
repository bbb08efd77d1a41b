"""Which agent program runs a task, and in which folder."""

from __future__ import annotations

from pathlib import Path

from codetether_worker.discovery import CONFORMANCE, Inventory
from codetether_worker.errors import AgentError
from codetether_worker.protocol import Claim

# `agent` of a trigger names a way of working, not a program.
_WAYS_OF_WORKING = frozenset({"build", "plan", "explore", "general"})


class NotForThisWorker(AgentError):
    """Another worker may be able to run it; this one gives it back without burning the attempt."""


def choose_program(claim: Claim, inventory: Inventory) -> str:
    """The name of a program of the inventory. Raises NotForThisWorker when the task needs another.

    The task's own wish counts first, then the program that keeps the session to go on with, then the codebase's.
    """
    wanted = CONFORMANCE if claim.agent_type == CONFORMANCE else _named(claim)
    if wanted:
        if wanted not in inventory.capabilities:
            raise NotForThisWorker(f"{wanted} is not installed on this worker", code="agent_missing")
        return wanted
    return _for_model(claim.model_wanted, inventory) if claim.model_wanted else _usable(inventory)


def _named(claim: Claim) -> str | None:
    config = claim.codebase.agent_config if claim.codebase else {}
    wishes = (claim.metadata.get("agent"), claim.session_agent, config.get("program"))
    return next((wish for wish in wishes if isinstance(wish, str) and wish and wish not in _WAYS_OF_WORKING), None)


def _for_model(model: str, inventory: Inventory) -> str:
    """A program that offers the model, else the first one: it may know more models than it lists."""
    if not inventory.installed:
        raise NotForThisWorker("no agent program here can use a model", code="agent_missing")
    offering = (program.name for program in inventory.installed if program.offers(model))
    return next(offering, inventory.installed[0].name)


def _usable(inventory: Inventory) -> str:
    """The first program that has credentials for anything."""
    return next((program.name for program in inventory.installed if program.models), "builtin")


def working_folder(claim: Claim, *, fallback: Path, known: bool) -> Path:
    """The folder to work in: the codebase's (or its working_directory), without a codebase `fallback`.

    Raises AgentError when the folder is missing, NotForThisWorker when the codebase is not ours at all.
    """
    if claim.codebase is None:
        return fallback
    root = Path(claim.codebase.path)
    if not root.is_absolute() or not root.is_dir():
        kind = AgentError if known else NotForThisWorker
        raise kind(f"the folder {root} does not exist on this worker", code="path_missing")
    root = root.resolve()
    inside = str(claim.codebase.agent_config.get("working_directory") or "")
    folder = (root / inside).resolve()
    if not folder.is_relative_to(root) or not folder.is_dir():
        why = f"working_directory {inside!r} is not a folder inside the codebase"
        raise AgentError(why, code="path_missing")
    return folder
