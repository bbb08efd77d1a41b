"""Remote agents: A2A agents elsewhere, which tasks may name as their `target_agent`."""

from apps.accounts.permissions import Scope
from apps.federation.models import RemoteAgent
from apps.federation.selectors import remote_agent_facts, remote_agent_get, remote_agents_of
from apps.federation.services import (
    NO_CREDENTIALS,
    Credentials,
    NewRemoteAgent,
    RemoteAgentChange,
    credentials_given,
    remote_agent_change,
    remote_agent_refresh,
    remote_agent_register,
    remote_agent_remove,
)
from apps.rest import answers
from apps.rest.bodies_remote import RemoteAgentBody, RemoteAgentChanges
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import Page


class RemoteAgents(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.RemoteAgentPage)
    def get(self, query: Page) -> Answer:
        """List the remote agents; their secrets are in no answer."""
        return page_of(remote_agents_of(self.caller.workspace_id), query, "agents", remote_agent_facts)

    @operation(Scope.ADMIN, answers=answers.RemoteAgentChanged)
    def post(self, body: RemoteAgentBody) -> Answer:
        """Register an agent by its card, which is fetched and checked now; refused, nothing is stored."""
        new = NewRemoteAgent(
            card_url=body.card_url,
            name=body.name,
            credentials=_credentials(body) or NO_CREDENTIALS,
            require_signature=body.require_signature,
            jwks_url=body.jwks_url,
            message_metadata=body.metadata,
            enabled=body.enabled,
        )
        agent = remote_agent_register(workspace_id=self.caller.workspace_id, new=new, by=self.caller.name)
        return _changed(agent, f"Tasks with target_agent {agent.name} go there from now on.")


class OneRemoteAgent(Endpoint):
    @operation(Scope.TASKS_READ, answers=answers.RemoteAgent)
    def get(self, name: str) -> Answer:
        """Show a remote agent."""
        return remote_agent_facts(remote_agent_get(workspace_id=self.caller.workspace_id, name=name))

    @operation(Scope.ADMIN, answers=answers.RemoteAgentChanged)
    def patch(self, name: str, body: RemoteAgentChanges) -> Answer:
        """Change what is said of an agent; its card is fetched anew where that matters."""
        change = RemoteAgentChange(
            card_url=body.card_url,
            credentials=_credentials(body),
            require_signature=body.require_signature,
            jwks_url=body.jwks_url,
            message_metadata=body.metadata,
            enabled=body.enabled,
        )
        agent = remote_agent_change(workspace_id=self.caller.workspace_id, name=name, change=change)
        return _changed(agent, "The agent is changed.")

    @operation(Scope.ADMIN, answers=answers.Done)
    def delete(self, name: str) -> Answer:
        """Forget an agent; tasks that name it wait until there is one of its name."""
        remote_agent_remove(workspace_id=self.caller.workspace_id, name=name)
        return {"success": True, "message": f"The remote agent {name} is removed."}


class RefreshRemoteAgent(Endpoint):
    @operation(Scope.ADMIN, answers=answers.RemoteAgentChanged)
    def post(self, name: str) -> Answer:
        """Fetch the agent's card anew; refused, the one that was known stays."""
        agent = remote_agent_refresh(workspace_id=self.caller.workspace_id, name=name)
        return _changed(agent, "The card is up to date.")


def _credentials(body: RemoteAgentBody | RemoteAgentChanges) -> Credentials | None:
    return credentials_given(token=body.token, api_key=body.api_key, header=body.api_key_header)


def _changed(agent: RemoteAgent, message: str) -> Answer:
    return {"success": True, "message": message, "agent": remote_agent_facts(agent)}
