"""What is changed by hand at the console, in the audit trail: which row and which of its fields, never their values."""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from apps.accounts.refusals import trail_of
from apps.audit.actions import Action
from apps.audit.recording import record

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Any]
else:
    Base = object


class Logged(Base):
    """A ModelAdmin whose log goes into the audit trail too. Django calls these in the transaction of the change."""

    def trail(self, obj: Any) -> uuid.UUID | None:
        """The workspace in whose trail a row's changes are told; None: the default one's."""
        return None

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, [obj], "added", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, [obj], "changed", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        self._record(request, queryset, "removed", [])
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, rows: Iterable[Any], how: str, message: Any) -> None:
        fields = [name for said in message if isinstance(said, dict) for name in said.get(how, {}).get("fields", [])]
        told = sorted(((trail_of(self.trail(row)), row) for row in rows), key=lambda one: one[0])
        for workspace_id, row in told:
            target, by = f"{row._meta.model_name}:{row.pk}", request.user.get_username()
            details = {"how": how, "row": str(row), **({"fields": fields} if fields else {})}
            record(Action.ROW_CHANGE, workspace_id=workspace_id, by=by, target=target, details=details)
