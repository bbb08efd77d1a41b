"""What an operator can change keeps what it was: each model of the console, and each that REST changes."""

from typing import Any

from django.apps import apps
from django.contrib import admin

from apps.accounts.ways_in import ROUTES

KEEPS_ITSELF = {
    "accounts.Invitation": "is made once; when it was accepted or taken back stands in its row, by whom in the trail",
    "agent_sessions.AgentSession": "is told by workers; operators only read it",
    "audit.AuditEntry": "is itself the history, and never changes",
    "tasks.Task": "its log is its history, from which its row can be folded",
    "workers.Worker": "is what the worker says of itself; that it was drained, and by whom, is in the trail",
}
CHANGED_BY_REST = {
    "PATCH /v1/agents/remote/{name}": "federation.RemoteAgent",
    "PATCH /v1/opencode/codebases/{codebase_id}": "codebases.Codebase",
    "PATCH /v1/opencode/tasks/{task_id}": "tasks.Task",
    "PATCH /v1/workspaces/{workspace}/members/{user_id}": "accounts.Membership",
    "PUT /v1/opencode/codebases/{codebase_id}/variables/{name}": "codebases.Variable",
    "PUT /v1/opencode/tasks/{task_id}/status": "tasks.Task",
    "PUT /v1/queue/limits": "tasks.QueueLimit",
    "PUT /v1/worker/codebases": "workers.Worker",
    "PUT /v1/worker/working-trees": "tasks.Task",
    "PUT /v1/workspace/variables/{name}": "codebases.Variable",
}
SECRETS = ("digest", "secret", "sealed", "password", "credentials", "token", "value", "hint")


def histories() -> dict[str, Any]:
    """The model that keeps what rows were, by the model that they are of."""
    return {
        model.pgh_tracked_model._meta.label: model for model in apps.get_models() if hasattr(model, "pgh_tracked_model")
    }


def shown() -> dict[str, Any]:
    admin.autodiscover()
    registered = admin.site._registry
    return {model._meta.label: options for model, options in registered.items()}


def test_every_model_that_operators_change_has_a_history_or_a_reason() -> None:
    changed = {label for label in shown() if not label.startswith("admin.")} | set(CHANGED_BY_REST.values())
    assert changed - KEEPS_ITSELF.keys() == histories().keys() & changed


def test_no_reason_is_left_over() -> None:
    assert not KEEPS_ITSELF.keys() & histories().keys()


def test_every_way_to_change_by_rest_is_known() -> None:
    writing = {name for name in ROUTES if name.startswith(("PATCH ", "PUT "))}
    assert writing == CHANGED_BY_REST.keys()


def test_the_console_leads_to_each_history() -> None:
    for label, history in histories().items():
        assert shown()[label].history is history, label


def test_no_history_keeps_a_secret_and_none_can_be_changed() -> None:
    for label, history in histories().items():
        kept = {field.name for field in history._meta.concrete_fields if not field.name.startswith("pgh_")}
        assert not [name for name in kept for secret in SECRETS if secret in name], label
        assert history.append_only, label
