"""The tools of the MCP face, in the order in which clients see them."""

from apps.mcp.tool import Tool
from apps.mcp.tools.active import get_active_codebase, get_current_codebase, set_active_codebase
from apps.mcp.tools.agents import discover_agents, get_agent, get_agent_card, refresh_agent_heartbeat
from apps.mcp.tools.catalogue import catalogue_of
from apps.mcp.tools.codebases import create_codebase, delete_codebase, get_codebase, list_codebases
from apps.mcp.tools.messages import send_message, send_message_async, send_to_agent
from apps.mcp.tools.queue import get_queue_stats, list_models
from apps.mcp.tools.remote import list_remote_agents, register_agent, remove_remote_agent
from apps.mcp.tools.steering import answer_task
from apps.mcp.tools.talk import get_messages
from apps.mcp.tools.tasks import cancel_task, create_task, get_task, list_task_runs, list_tasks
from apps.mcp.tools.updates import get_task_updates

TOOLS: tuple[Tool, ...] = (
    *(send_message, send_message_async, send_to_agent, get_messages),
    *(create_task, get_task, get_task_updates, answer_task, cancel_task, list_tasks, list_task_runs),
    *(discover_agents, get_agent, get_agent_card, refresh_agent_heartbeat),
    *(register_agent, list_remote_agents, remove_remote_agent),
    *(list_codebases, get_codebase, create_codebase, delete_codebase),
    *(set_active_codebase, get_active_codebase, get_current_codebase),
    *(get_queue_stats, list_models),
    *catalogue_of(lambda: TOOLS),
)
