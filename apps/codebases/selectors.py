"""Reading codebases; every query is bound to a workspace."""

import uuid

from django.db.models import QuerySet

from apps.codebases.models import Codebase
from apps.core.errors import NotFoundError


def codebases_of(workspace_id: uuid.UUID) -> QuerySet[Codebase]:
    """All codebases of a workspace, newest first."""
    return Codebase.objects.filter(workspace_id=workspace_id)


def codebase_get(*, workspace_id: uuid.UUID, codebase_id: str) -> Codebase:
    """The codebase, or NotFoundError where the workspace has none of that id."""
    found = codebases_of(workspace_id).filter(id=codebase_id).first()
    if found is None:
        raise NotFoundError("There is no such codebase.", code="codebase_not_found")
    return found
