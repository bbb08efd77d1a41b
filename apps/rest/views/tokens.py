"""Who the caller is, and the workspace's API tokens."""

from typing import Any

from django.utils import timezone

from apps.accounts.models import ApiToken, Workspace
from apps.accounts.permissions import Role, Scope, scopes_of
from apps.accounts.services import token_create, token_revoke
from apps.core.errors import ForbiddenError, InvalidError, NotFoundError
from apps.core.ids import parse_id
from apps.rest import answers
from apps.rest.bodies import TokenBody
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import Page


class Me(Endpoint):
    @operation(answers=answers.Me)
    def get(self) -> Answer:
        """Who the caller is, and what it may do."""
        workspace = Workspace.objects.get(id=self.caller.workspace_id)
        return {
            "name": self.caller.name,
            "role": self.caller.role,
            "scopes": sorted(self.caller.scopes),
            "user_id": str(self.caller.user_id) if self.caller.user_id else None,
            "workspace": {"id": str(workspace.id), "slug": workspace.slug, "name": workspace.name},
        }


class Tokens(Endpoint):
    @operation(Scope.ADMIN, answers=answers.TokenPage)
    def get(self, query: Page) -> Answer:
        """List the workspace's tokens, newest first; never their secrets."""
        found = ApiToken.objects.filter(workspace_id=self.caller.workspace_id).order_by("-created_at", "-id")
        return page_of(found, query, "api_keys", _facts)

    @operation(Scope.ADMIN, answers=answers.TokenMade, shown_once=frozenset({"token"}))
    def post(self, body: TokenBody) -> Answer:
        """Make a token. Nobody can give away more than they hold themselves."""
        role = Role(body.role)
        _check(body)
        if not scopes_of(role, body.scopes) <= self.caller.scopes:
            raise ForbiddenError("A token cannot hold scopes that its maker does not hold.")
        row, secret = token_create(
            workspace=Workspace.objects.get(id=self.caller.workspace_id),
            name=body.name,
            role=role,
            scopes=body.scopes,
            expires_at=body.expires_at,
        )
        message = "Keep the token: it is not shown again."
        return {"success": True, "message": message, "api_key": _facts(row), "token": secret}


class OneToken(Endpoint):
    @operation(Scope.ADMIN, answers=answers.Done)
    def delete(self, token_id: str) -> Answer:
        """Revoke a token; doing it twice changes nothing."""
        known = parse_id(token_id)
        found = ApiToken.objects.filter(workspace_id=self.caller.workspace_id, id=known).first() if known else None
        if found is None:
            raise NotFoundError("There is no such token.", code="token_not_found")
        token_revoke(token=found)
        return {"success": True, "message": "The token is revoked."}


def _check(body: TokenBody) -> None:
    unknown = [name for name in body.scopes if name not in Scope]
    if unknown:
        message = f"Give some of {', '.join(Scope)}."
        raise InvalidError(f"There is no scope {unknown[0]}.", errors={"scopes": [message]})
    if body.expires_at is not None and body.expires_at <= timezone.now():
        raise InvalidError("The token would have expired already.", errors={"expires_at": ["Give a time to come."]})


def _facts(token: ApiToken) -> dict[str, Any]:
    return {
        "id": str(token.id),
        "name": token.name,
        "role": token.role,
        "scopes": token.scopes,
        "hint": token.hint,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    }
