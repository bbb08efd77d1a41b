"""Who the caller is, and the workspace's API tokens."""

from datetime import timedelta

from apps.accounts.models import Workspace
from apps.accounts.permissions import Role, Scope
from apps.accounts.tokens import (
    Rotation,
    token_create,
    token_facts,
    token_get,
    token_revoke,
    token_rotate,
    tokens_of,
)
from apps.rest import answers
from apps.rest.bodies import RotationBody, TokenBody
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import Page

ONCE = "Keep the token: it is not shown again."


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
        return page_of(tokens_of(self.caller.workspace_id), query, "api_keys", token_facts)

    @operation(Scope.ADMIN, answers=answers.TokenMade, shown_once=frozenset({"token"}))
    def post(self, body: TokenBody) -> Answer:
        """Make a token; it holds no more than its maker, and the answer alone shows its secret.

        A worker's token with `codebases` lets its worker serve these and no others.
        """
        row, secret = token_create(
            workspace=Workspace.objects.get(id=self.caller.workspace_id),
            name=body.name,
            role=Role(body.role),
            scopes=body.scopes,
            codebases=body.codebases,
            expires_at=body.expires_at,
            maker=self.caller,
        )
        return {"success": True, "message": ONCE, "api_key": token_facts(row), "token": secret}


class OneToken(Endpoint):
    @operation(Scope.ADMIN, answers=answers.Token)
    def get(self, token_id: str) -> Answer:
        """Show a token; never its secret."""
        return token_facts(token_get(workspace_id=self.caller.workspace_id, token_id=token_id))

    @operation(Scope.ADMIN, answers=answers.Done)
    def delete(self, token_id: str) -> Answer:
        """Revoke a token; doing it twice changes nothing."""
        token_revoke(token=token_get(workspace_id=self.caller.workspace_id, token_id=token_id))
        return {"success": True, "message": "The token is revoked."}


class RotateToken(Endpoint):
    @operation(Scope.ADMIN, answers=answers.TokenMade, shown_once=frozenset({"token"}))
    def post(self, token_id: str, body: RotationBody) -> Answer:
        """Give a token a new secret, which the answer alone shows; the old one works for `overlap_seconds` more."""
        row, secret = token_rotate(
            token=token_get(workspace_id=self.caller.workspace_id, token_id=token_id),
            rotation=Rotation(timedelta(seconds=body.overlap_seconds), body.expires_at),
            maker=self.caller,
        )
        return {"success": True, "message": ONCE, "api_key": token_facts(row), "token": secret}
