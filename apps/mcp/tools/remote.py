"""Tools about remote agents: A2A agents elsewhere, which tasks may be sent to by name."""

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.federation.selectors import remote_agent_facts, remote_agents_of
from apps.federation.services import (
    NO_CREDENTIALS,
    NewRemoteAgent,
    credentials_given,
    remote_agent_register,
    remote_agent_remove,
)
from apps.federation.shapes import RemoteAgent
from apps.mcp.caller import principal
from apps.mcp.tool import tool
from apps.mcp.tools.pages import part
from apps.mcp.tools.repeating import Answer, once
from apps.mcp.tools.words import PAGE, AgentName, Cursor, Done, Key, Limit, Listed

CardUrl = Annotated[
    str,
    Field(
        description="Where its A2A card is; of a bare host, the well-known place is taken.",
        min_length=1,
        max_length=2048,
        validation_alias=AliasChoices("card_url", "url"),
    ),
]
Name = Annotated[str, Field(description="What tasks call it; left out: as its card does.", max_length=128)]
Token = Annotated[str, Field(description="Shown to the agent's server as a bearer token.", max_length=8192)]
ApiKey = Annotated[str, Field(description="Shown in api_key_header instead of a token.", max_length=8192)]
Header = Annotated[str, Field(description="The header for api_key.", max_length=100)]
Signed = Annotated[bool, Field(description="Refuse the card unless it is signed, and well.")]
Keys = Annotated[str, Field(description="Where the keys for its signature are.", max_length=2048)]
Metadata = Annotated[dict[str, Any], Field(description="Goes with every message to it.")]
Enabled = Annotated[bool, Field(description="Whether tasks go to it at once.")]


class RemoteAgents(Listed):
    agents: list[RemoteAgent]


class RemoteAgentChanged(Done):
    agent: RemoteAgent


@tool(scope=Scope.ADMIN, title="Register a remote agent")
async def register_agent(
    card_url: CardUrl,
    name: Name = "",
    token: Token = "",
    api_key: ApiKey = "",
    api_key_header: Header = "X-API-Key",
    require_signature: Signed = False,
    jwks_url: Keys = "",
    metadata: Metadata = {},  # noqa: B006 (never changed)
    enabled: Enabled = True,
    idempotency_key: Key = "",
) -> RemoteAgentChanged:
    """Register an A2A agent that runs elsewhere by its card, so that send_to_agent and create_task (target_agent) reach
    it by name. The card is fetched and checked now, its signature too; addresses inside private networks are refused
    unless the server allows them, and a refusal stores nothing. Only admins may. Workers of this server register
    themselves. Gives the agent as list_remote_agents shows it; secrets are in no answer.
    """
    given = credentials_given(token=token or None, api_key=api_key or None, header=api_key_header)
    new = NewRemoteAgent(
        card_url=card_url, name=name, credentials=given or NO_CREDENTIALS, require_signature=require_signature,
        jwks_url=jwks_url, message_metadata=metadata, enabled=enabled,
    )  # fmt: skip
    return RemoteAgentChanged.model_validate(await in_database(_register, principal(), new, idempotency_key))


def _register(caller: Principal, new: NewRemoteAgent, key: str) -> Answer:
    def make() -> Answer:
        agent = remote_agent_register(workspace_id=caller.workspace_id, new=new, by=caller.name)
        told = f"Tasks with target_agent {agent.name} go there from now on."
        return {"success": True, "message": told, "agent": remote_agent_facts(agent)}

    return once(caller, key, "register_agent", asdict(new), make)


@tool(scope=Scope.TASKS_READ, title="List remote agents", read_only=True)
async def list_remote_agents(limit: Limit = PAGE, cursor: Cursor = "") -> RemoteAgents:
    """List the A2A agents elsewhere that are registered here, by name, whether or not they answer just now: card,
    skills, address, how the card is signed, when it was fetched, when a task last went there, and the last error. Use
    it to see what send_to_agent can reach beyond this server. Their secrets are in no answer. Gives a page; next_cursor
    leads on.
    """
    return await in_database(_listed, principal(), limit, cursor)


def _listed(caller: Principal, limit: int, cursor: str) -> RemoteAgents:
    agents, place = part(list(remote_agents_of(caller.workspace_id)), limit=limit, cursor=cursor)
    return RemoteAgents.model_validate({"agents": [remote_agent_facts(agent) for agent in agents], **place})


@tool(scope=Scope.ADMIN, title="Remove a remote agent", destructive=True)
async def remove_remote_agent(agent_name: AgentName) -> Done:
    """Forget a remote agent and the credentials for it. Tasks that it works on come to their end; those that wait for
    it go on waiting until an agent of that name is registered again, or somebody cancels them. Only admins may. The
    agent itself, which runs elsewhere, hears nothing of this. Gives whether it is done.
    """
    caller = principal()
    await in_database(remote_agent_remove, workspace_id=caller.workspace_id, name=agent_name)
    return Done(success=True, message=f"The remote agent {agent_name} is removed.")
