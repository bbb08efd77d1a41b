"""The active codebase of a caller: where its tasks go that name none. It ends with the codebase."""

from django.db import transaction

from apps.accounts.principals import Principal
from apps.codebases.models import ActiveCodebase, Codebase
from apps.codebases.selectors import codebase_get, codebases_of


def active_codebase(caller: Principal) -> Codebase | None:
    """The codebase that the caller has made active; None where it has not."""
    return codebases_of(caller.workspace_id).filter(active_for__caller=_name(caller)).first()


def active_codebase_set(*, caller: Principal, codebase_id: str) -> Codebase:
    """Make a codebase the caller's active one; NotFoundError where the workspace has none of that id."""
    with transaction.atomic():
        codebase = codebase_get(workspace_id=caller.workspace_id, codebase_id=codebase_id, for_update=True)
        ActiveCodebase.objects.update_or_create(
            workspace_id=caller.workspace_id, caller=_name(caller), defaults={"codebase": codebase}
        )
    return codebase


def active_codebase_clear(*, caller: Principal) -> None:
    """The caller's tasks that name no codebase go to any worker again."""
    ActiveCodebase.objects.filter(workspace_id=caller.workspace_id, caller=_name(caller)).delete()


def _name(caller: Principal) -> str:
    """A token or a person by its id; a token of the settings by its name, which is its own."""
    return caller.identity or f"name:{caller.name}"
