"""`codetether-worker status` for people and for programs."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

from codetether_worker.status import Facts, outbox_size, read_status
from codetether_worker.trees.record import read_records

_INTERNAL = {"process_started"}
_TIMES = ("started_at", "last_heartbeat_at")


def status_of(folder: Path) -> Facts:
    """What is known of the folder: `running`, the outbox, and all that a running worker tells.

    Raises OSError when the folder belongs to somebody else.
    """
    told = read_status(folder)
    claims, size = outbox_size(folder)
    known = {key: value for key, value in (told or {}).items() if key not in _INTERNAL}
    own = {"outbox": {"claims": claims, "bytes": size}, "working_trees": _trees(folder)}
    return {"running": told is not None, "state_dir": str(folder), **known, **own}


def _trees(folder: Path) -> list[Facts]:
    """The working trees of tasks of which something is left."""
    left = [record for record in read_records(folder / "trees") if record.is_there]
    names = ("id", "branch", "folder", "state", "dirty", "left", "files", "insertions", "deletions", "held_by")
    return [{name: getattr(record, name) for name in names} for record in left]


def as_json(facts: Facts) -> str:
    """Times as ISO 8601 in UTC."""
    body = {**facts, **{key: _iso(facts[key]) for key in _TIMES if facts.get(key)}}
    body["tasks"] = [{**task, "since": _iso(task["since"])} for task in facts.get("tasks", ())]
    if trouble := facts.get("last_trouble"):
        body["last_trouble"] = {**trouble, "at": _iso(trouble["at"])}
    return json.dumps(body, indent=2) + "\n"


def as_text(facts: Facts) -> str:
    if not facts["running"]:
        return _nobody(facts)
    now = time.time()
    rows = [
        ("worker", f"{facts['name']} ({facts['worker_id']}), version {facts['version']}"),
        ("process", f"{facts['pid']}, since {_iso(facts['started_at'])} ({_span(now - facts['started_at'])})"),
        ("server", _server(facts, now)),
        ("phase", facts["phase"]),
        ("tasks", f"{len(facts['tasks'])} of {facts['concurrency']}"),
        *(("", _task(task, now)) for task in facts["tasks"]),
        *(("tree", _tree(tree)) for tree in facts["working_trees"]),
        ("outbox", _outbox(facts)),
        ("trouble", _trouble(facts, now)),
        ("state", facts["state_dir"]),
    ]
    return "".join(f"{name:<8}  {text}\n" for name, text in rows)


def _nobody(facts: Facts) -> str:
    lines = [f"No worker is running on {facts['state_dir']}."]
    if facts["outbox"]["claims"]:
        lines.append(f"The next one delivers what the last one still owes the server: {_outbox(facts)}.")
    lines.extend(f"A working tree is kept: {_tree(tree)}" for tree in facts["working_trees"])
    lines.append("Another name, server or --state-dir means another folder; a service's is in its config.json.")
    return "\n".join(lines) + "\n"


def _server(facts: Facts, now: float) -> str:
    beat = facts.get("last_heartbeat_at")
    heard = f"last heartbeat {_span(now - beat)} ago" if beat else "no heartbeat yet"
    failing = f"; now: {facts['server_trouble']}" if facts.get("server_trouble") else ""
    return f"{facts['server_url']}, {heard}{failing}"


def _task(task: Facts, now: float) -> str:
    doing = "working" if task["working"] else "delivering its end"
    return f"{task['task_id']}  {task['agent'] or '-'}  {_span(now - task['since'])}  {doing}  {task['title']}"


def _tree(tree: Facts) -> str:
    left = f", not committed: {', '.join(tree['left'])}" if tree["left"] else ""
    counted = f"{tree['files']} files, +{tree['insertions']} -{tree['deletions']}{left}"
    return f"{tree['branch']}  {tree['state']}  {counted}  {tree['folder']}"


def _outbox(facts: Facts) -> str:
    claims, size = facts["outbox"]["claims"], facts["outbox"]["bytes"]
    if not claims:
        return "empty"
    return f"{claims} {'claim' if claims == 1 else 'claims'}, {size} bytes, kept until their end is acknowledged"


def _trouble(facts: Facts, now: float) -> str:
    trouble = facts.get("last_trouble")
    return f"{_span(now - trouble['at'])} ago: {trouble['text']}" if trouble else "none"


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _span(seconds: float) -> str:
    """A duration in its two largest units."""
    left, parts = max(int(seconds), 0), list[str]()
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
