"""How each tool is called well, on what `furnish` has put there: the table of the matrix and of bad input."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.api.good_calls import Place

Json = dict[str, Any]

GOOD: Mapping[str, Callable[[Place], Json]] = {
    "send_message": lambda place: {
        "message": "Hello.", "task_id": place.task_id, "agent_type": "plan", "model": "acme/one", "priority": 1,
        "wait_seconds": 0.01,
    },
    "send_message_async": lambda place: {
        "message": "Hello.", "codebase_id": place.codebase_id, "conversation_id": "c1", "deadline_seconds": 60,
        "idempotency_key": "k1",
    },
    "send_to_agent": lambda place: {"agent_name": place.role, "message": "Hello.", "codebase_id": place.codebase_id},
    "get_messages": lambda place: {"conversation_id": place.task_id, "limit": 5, "cursor": f"{place.task_id}:1"},
    "create_task": lambda place: {
        "title": "Mend", "prompt": "Mend it.", "codebase_id": place.codebase_id, "agent_type": "build",
        "model": "acme/one", "priority": 1, "target_agent": place.role, "deadline_seconds": 60.5,
        "resume_session_id": place.session_id, "notify_email": "ada@example.org", "max_minutes": 1, "max_cost_usd": 1.5,
    },
    "get_task": lambda place: {"task_id": place.task_id},
    "get_task_updates": lambda place: {"task_id": place.task_id, "after_seq": 0, "limit": 5, "wait_seconds": 0},
    "answer_task": lambda place: {
        "task_id": place.task_id, "message": "Yes.", "approved": True, "option_id": "once",
    },
    "cancel_task": lambda place: {"task_id": place.task_id, "reason": "Not needed."},
    "list_tasks": lambda place: {
        "status": "running", "codebase_id": place.codebase_id, "worker_id": place.worker_id, "agent_type": "build",
        "conversation_id": "c1", "q": "till", "limit": 5, "cursor": place.task_id,
    },
    "list_task_runs": lambda place: {
        "task_id": place.task_id, "codebase_id": place.codebase_id, "status": "running", "limit": 5,
    },
    "discover_agents": lambda place: {"role": place.role, "limit": 5, "cursor": "1"},
    "get_agent": lambda place: {"agent_name": place.role},
    "get_agent_card": lambda place: {"role": place.role},
    "refresh_agent_heartbeat": lambda place: {"agent_name": place.role},
    "register_agent": lambda place: {
        "card_url": "https://10.1.2.3/", "name": "nephew", "token": "t", "api_key_header": "X-Key",
        "require_signature": True, "jwks_url": "https://10.1.2.3/keys", "metadata": {"a": 1}, "enabled": True,
    },
    "list_remote_agents": lambda place: {"limit": 5, "cursor": "1"},
    "remove_remote_agent": lambda place: {"agent_name": place.name},
    "list_codebases": lambda place: {
        "q": "shop", "status": "active", "worker_id": place.worker_id, "limit": 5, "cursor": place.codebase_id,
    },
    "get_codebase": lambda place: {"codebase_id": place.codebase_id},
    "create_codebase": lambda place: {
        "name": "till", "path": "/code/till", "description": "Rings.", "worker_id": place.worker_id,
        "codebase_id": "till-1", "idempotency_key": "k2",
    },
    "delete_codebase": lambda place: {"codebase_id": place.codebase_id, "force": True},
    "set_active_codebase": lambda place: {"codebase_id": place.codebase_id},
    "get_active_codebase": lambda place: {},
    "get_current_codebase": lambda place: {},
    "get_queue_stats": lambda place: {},
    "list_models": lambda place: {"provider": "acme", "limit": 5, "cursor": "1"},
    "search_tools": lambda place: {"query": "task", "limit": 5},
    "get_tool_schema": lambda place: {"tool_name": "search_tools"},
}  # fmt: skip
NAMES_ONE = (
    "send_message", "get_messages", "get_task", "get_task_updates", "answer_task", "cancel_task", "list_task_runs",
    "get_agent", "refresh_agent_heartbeat", "remove_remote_agent", "get_codebase", "delete_codebase",
    "set_active_codebase", "create_task", "send_message_async", "send_to_agent", "get_agent_card",
)  # fmt: skip
"""Tools whose good call names something of the workspace, which another one's caller must not find."""
CAPPED = {"limit", "wait_seconds"}
"""Arguments of which too much is brought down to the most."""
