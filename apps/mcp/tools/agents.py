"""Tools about agents: who there is, what they can do, and that they live."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.errors import ConflictError, NotFoundError
from apps.federation.errors import RemoteAgentNotFoundError
from apps.federation.selectors import remote_agent_facts, remote_agent_get
from apps.federation.services import remote_agent_refresh
from apps.federation.shapes import RemoteAgent
from apps.mcp.caller import principal
from apps.mcp.handed_over import agent_card
from apps.mcp.tool import tool
from apps.mcp.tools.pages import part
from apps.mcp.tools.words import NAME_LIMIT, PAGE, AgentName, Cursor, Done, Limit, Listed
from apps.workers.bounds import check_acts_as
from apps.workers.monitor import workers_of_agent
from apps.workers.offers import discoverable_agents
from apps.workers.roles import role_get
from apps.workers.services import worker_seen


class Agent(BaseModel):
    """An agent of a connected worker. `name` is this one's own; work is sent to its `role`."""

    name: str
    role: str
    description: str
    skills: list[dict[str, Any]]
    card: str
    worker_id: str
    models: list[str]
    last_seen: datetime


class Agents(Listed):
    agents: list[Agent]


class AgentDetail(BaseModel):
    """`agents` are those of the role that are connected; `remote` is set where it is a registered remote agent."""

    role: str
    description: str
    tags: list[str]
    skills: list[dict[str, Any]]
    models: list[str]
    connected: bool
    agents: list[Agent]
    remote: RemoteAgent | None


class AgentCard(BaseModel):
    """An A2A agent card, for clients of A2A 0.3 and 1.0."""

    model_config = ConfigDict(extra="allow")

    name: str
    description: str
    version: str
    url: str
    skills: list[dict[str, Any]]


class Beat(Done):
    agent_name: str
    worker_id: str | None
    remote: RemoteAgent | None


@tool(scope=Scope.TASKS_READ, title="Discover agents", read_only=True)
async def discover_agents(
    role: Annotated[str, Field(description="Only agents of this role.", max_length=NAME_LIMIT)] = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
) -> Agents:
    """List the agents that are here now and take work: those of connected workers, and remote A2A agents that are being
    served. Each has a role, a description, skills and models. Use it to choose whom to hand work to with send_to_agent,
    by role. An agent that has not been heard of for two minutes is not listed. Gives a page; next_cursor leads on.
    """
    agents = await in_database(discoverable_agents, principal().workspace_id)
    wanted = [agent for agent in agents if role in ("", agent["role"])]
    shown, place = part(wanted, limit=limit, cursor=cursor)
    return Agents.model_validate({"agents": shown, **place})


@tool(scope=Scope.TASKS_READ, title="Show an agent", read_only=True)
async def get_agent(agent_name: AgentName) -> AgentDetail:
    """Show what is known of an agent, by its role, its own name, or the name of a remote agent: description, skills,
    models, whether it is connected and on which workers; of a remote agent also its card, address, signature and last
    error. Use it after discover_agents, or to see why an agent takes nothing. Not found where nobody ever had that
    role.
    """
    return AgentDetail.model_validate(await in_database(_detail, principal(), agent_name))


def _detail(caller: Principal, name: str) -> dict[str, Any]:
    here = discoverable_agents(caller.workspace_id)
    role = next((agent["role"] for agent in here if agent["name"] == name), name)
    remote = _remote(caller, role)
    known = _role(caller, role)
    if known is None and remote is None:
        raise NotFoundError("There is no such agent.", code="agent_not_found")
    told = known or {
        "description": remote["description"] if remote else "", "tags": [], "models": [], "connected": False,
        "skills": remote["skills"] if remote else [],
    }  # fmt: skip
    agents = [agent for agent in here if agent["role"] == role]
    return {"role": role, **told, "agents": agents, "remote": remote}


def _role(caller: Principal, role: str) -> dict[str, Any] | None:
    try:
        found = role_get(caller.workspace_id, role)
    except NotFoundError:
        return None
    return {name: getattr(found, name) for name in ("description", "tags", "skills", "models", "connected")}


def _remote(caller: Principal, name: str) -> dict[str, Any] | None:
    try:
        return remote_agent_facts(remote_agent_get(workspace_id=caller.workspace_id, name=name))
    except RemoteAgentNotFoundError:
        return None


@tool(scope=Scope.TASKS_READ, title="Show an agent card", read_only=True)
async def get_agent_card(
    role: Annotated[
        str, Field(description="The role of one agent; left out, all of this server's.", max_length=NAME_LIMIT)
    ] = "",
) -> AgentCard:
    """Show the A2A agent card of this server as you may see it, or that of one agent by its role: name, description,
    skills, the addresses at which other agents reach it by A2A, and how they must sign in. Use it to tell another A2A
    agent where to find this one, or to register this server elsewhere. Gives the card as A2A 0.3 and 1.0 read it.
    """
    return AgentCard.model_validate(await agent_card(role))


@tool(scope=(Scope.WORKER, Scope.ADMIN), title="Say that an agent lives", idempotent=True)
async def refresh_agent_heartbeat(agent_name: AgentName) -> Beat:
    """Say that an agent is still there, so that it stays in discover_agents. Of a worker's agent this is a sign of life
    of its worker, which only that worker's token (or an admin) may give; workers give it by themselves, so programs of
    your own need it every 30 to 60 seconds. Of a remote agent its card is fetched anew, which only admins may ask for.
    """
    return Beat.model_validate(await in_database(_beat, principal(), agent_name))


def _beat(caller: Principal, name: str) -> dict[str, Any]:
    workers = [worker for worker in workers_of_agent(caller.workspace_id, name) if not worker.is_bridge]
    if not workers:
        return _fetched(caller, name)
    if len(workers) > 1:
        ours = ", ".join(sorted(agent["instance"] for worker in workers for agent in worker.agents))[:500]
        raise ConflictError(f"Several workers have this agent; name one of: {ours}.", code="agent_ambiguous")
    (worker,) = workers
    check_acts_as(caller, worker.worker_id)
    worker_seen(workspace_id=caller.workspace_id, worker_id=worker.worker_id)
    told = f"Worker {worker.worker_id} was seen just now."
    return {"success": True, "message": told, "agent_name": name, "worker_id": worker.worker_id, "remote": None}


def _fetched(caller: Principal, name: str) -> dict[str, Any]:
    if Scope.ADMIN not in caller.scopes or _remote(caller, name) is None:
        raise NotFoundError("There is no such agent.", code="agent_not_found")
    facts = remote_agent_facts(remote_agent_refresh(workspace_id=caller.workspace_id, name=name))
    told = "The card is up to date."
    return {"success": True, "message": told, "agent_name": name, "worker_id": None, "remote": facts}
