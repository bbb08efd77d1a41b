"""Reading the bodies of the worker protocol: each field checked, each refusal naming it."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from apps.core.errors import InvalidError
from apps.core.ids import parse_id
from apps.tasks.errors import StaleClaimError
from apps.workers.services import HeldClaim, Registration

NAME_LIMIT = 200
LIST_LIMIT = 1000
TEXT_LIMIT = 1_000_000
SKILLS_LIMIT = 50
SKILL_TEXT_LIMIT = 2_000
VERSION_LIMIT = 80


def invalid(name: str, message: str) -> InvalidError:
    return InvalidError(f"{name}: {message}", errors={name: [message]})


def text(body: Mapping[str, Any], name: str, *, required: bool = False, limit: int = NAME_LIMIT) -> str:
    """A string field; empty when absent."""
    value = body.get(name)
    if value is None or value == "":
        if required:
            raise invalid(name, "This field is needed.")
        return ""
    if not isinstance(value, str):
        raise invalid(name, "Give a text.")
    if len(value) > limit:
        raise invalid(name, f"Give at most {limit} characters.")
    return value


def whole(body: Mapping[str, Any], name: str, *, default: int, least: int, most: int) -> int:
    """An integer field within bounds."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise invalid(name, f"Give a whole number from {least} to {most}.")
    return value


def flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise invalid(name, "Give true or false.")
    return value


def seconds(body: Mapping[str, Any], name: str) -> float:
    """A duration; 0 when absent."""
    value = body.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**9:
        raise invalid(name, "Give a number of seconds.")
    return float(value)


def table(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object field; empty when absent."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(name, "Give an object.")
    return value


def listed[T](body: Mapping[str, Any], name: str, read: Callable[[Any], T | None]) -> list[T]:
    """A list field whose every entry `read` understands (None: it does not); empty when absent."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > LIST_LIMIT:
        raise invalid(name, f"Give a list of at most {LIST_LIMIT} entries.")
    entries = [read(entry) for entry in value]
    if any(entry is None for entry in entries):
        raise invalid(name, "An entry has the wrong form.")
    return [entry for entry in entries if entry is not None]


def word(entry: Any) -> str | None:
    return entry if isinstance(entry, str) and 0 < len(entry) <= NAME_LIMIT else None


def model(entry: Any) -> dict[str, str] | None:
    """`{id:"provider/model", name, provider}`; a plain string is the id. Older workers say modelID and providerID."""
    said = {"id": entry} if isinstance(entry, str) else entry
    if not isinstance(said, dict):
        return None
    name = word(said.get("id") or said.get("modelID"))
    provider = said.get("provider") or said.get("provider_id") or said.get("providerID") or ""
    if name is None or not isinstance(provider, str):
        return None
    full = name if "/" in name or not provider else f"{provider}/{name}"
    label = said.get("name")
    return {
        "id": full,
        "name": label if isinstance(label, str) and label else full.rpartition("/")[2],
        "provider": provider or full.partition("/")[0],
    }


def agent(entry: Any) -> dict[str, Any] | None:
    """`{role, instance, description, tags[], skills[]}`."""
    if not isinstance(entry, dict) or word(entry.get("role")) is None:
        return None
    instance, description = entry.get("instance") or entry["role"], entry.get("description") or ""
    tags, skills = words(entry.get("tags")), entry.get("skills") or []
    if word(instance) is None or not isinstance(description, str) or tags is None or not isinstance(skills, list):
        return None
    read = [skill(one) for one in skills[:SKILLS_LIMIT]]
    if None in read:
        return None
    said = {"role": entry["role"], "instance": instance, "description": description[:TEXT_LIMIT]}
    return said | {name: value for name, value in (("tags", tags), ("skills", read)) if value}


def program(entry: Any) -> dict[str, Any] | None:
    """An agent program on the worker's machine: `{name, version, models[]}`, models by their ids."""
    if not isinstance(entry, dict) or word(entry.get("name")) is None:
        return None
    version, models = entry.get("version") or "", words(entry.get("models"), most=LIST_LIMIT)
    if not isinstance(version, str) or models is None:
        return None
    return {"name": entry["name"], "version": version[:VERSION_LIMIT], "models": models}


def skill(entry: Any) -> dict[str, Any] | None:
    """What an agent can do, as A2A's cards say it: `{id, name, description, tags[], examples[]}`."""
    if not isinstance(entry, dict) or word(entry.get("id")) is None:
        return None
    name, description = entry.get("name") or entry["id"], entry.get("description") or ""
    tags, examples = words(entry.get("tags")), words(entry.get("examples"), limit=SKILL_TEXT_LIMIT)
    if word(name) is None or not isinstance(description, str) or tags is None or examples is None:
        return None
    description = description[:SKILL_TEXT_LIMIT]
    return {"id": entry["id"], "name": name, "description": description, "tags": tags, "examples": examples}


def skills_said(value: Any) -> list[dict[str, Any]]:
    """What of an agent's skills can be read, SKILLS_LIMIT at most; what cannot is left out."""
    entries = value[:SKILLS_LIMIT] if isinstance(value, list) else []
    return [read for read in map(skill, entries) if read is not None]


def words(value: Any, limit: int = NAME_LIMIT, most: int = SKILLS_LIMIT) -> list[str] | None:
    """A short list of texts, of which none is empty; empty when absent, None for anything else."""
    value = [] if value is None else value
    if not isinstance(value, list) or len(value) > most:
        return None
    return value if all(isinstance(one, str) and 0 < len(one) <= limit for one in value) else None


def registration(body: Mapping[str, Any]) -> Registration:
    return Registration(
        worker_id=text(body, "worker_id", required=True),
        name=text(body, "name", required=True),
        hostname=text(body, "hostname"),
        version=text(body, "version", limit=64),
        capabilities=listed(body, "capabilities", word),
        models=listed(body, "models", model),
        agents=listed(body, "agents", agent),
        programs=listed(body, "programs", program),
        codebases=listed(body, "codebases", word),
        global_codebase_id=text(body, "global_codebase_id"),
        concurrency=whole(body, "concurrency", default=1, least=1, most=1000) if "concurrency" in body else None,
    )


def held_claim(entry: Any) -> HeldClaim | None:
    """`{task_id, claim_token, message_seq}`."""
    if not isinstance(entry, dict):
        return None
    task_id, token, heard = (
        parse_id(entry.get("task_id")),
        parse_id(entry.get("claim_token")),
        entry.get("message_seq"),
    )
    if task_id is None or token is None or not isinstance(heard or 0, int) or not 0 <= (heard or 0) < 2**62:
        return None
    return HeldClaim(task_id, token, heard or 0)


def token(body: Mapping[str, Any]) -> uuid.UUID | None:
    """The claim token; None when absent. What is no UUID cannot hold anything: it is stale, not malformed."""
    value = body.get("claim_token")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise invalid("claim_token", "Give a text.")
    parsed = parse_id(value)
    if parsed is None:
        raise StaleClaimError("This claim token holds no task.")
    return parsed
