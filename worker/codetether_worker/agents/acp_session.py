"""Drives any agent program that speaks the Agent Client Protocol over its standard streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import acp
from acp import schema
from acp.exceptions import RequestError

from codetether_sessions.redaction import redacted
from codetether_worker import events, lease
from codetether_worker.agents.acp_answers import error_code, is_progress, message_in
from codetether_worker.agents.acp_opening import SessionOpening
from codetether_worker.agents.acp_permissions import PermissionDesk
from codetether_worker.agents.acp_updates import UpdateTranslator
from codetether_worker.agents.agent_process import AgentProcess
from codetether_worker.agents.base import Answer, Assignment, Turn
from codetether_worker.agents.launch import Launch, Tokens, home_trouble
from codetether_worker.errors import AgentError
from codetether_worker.files import ARTIFACTS_VARIABLE, artifacts_folder
from codetether_worker.worktree import WorkingTree

log = logging.getLogger(__name__)

_START_LIMIT = 120.0


class AcpSession:
    """One program process with one session in it, for one attempt."""

    def __init__(self, assignment: Assignment, launch: Launch) -> None:
        self._assignment = assignment
        self._launch = launch
        # OpenCode works in $PWD, whatever its real working directory is.
        own = {"PWD": str(assignment.workdir), ARTIFACTS_VARIABLE: str(artifacts_folder(assignment.scratch))}
        self._environment = {**launch.environment, **own}
        self._tree = WorkingTree(assignment.workdir, assignment.scratch)
        self._updates = UpdateTranslator(assignment, self._tree)
        self._permissions = PermissionDesk(assignment)
        self._process: AgentProcess | None = None
        self._connection: Any = None
        self._session_id = ""
        self._replaying = True
        self._turn_usage: list[Tokens] = []
        self._cancelling = False
        self._broke = False
        self.last_activity = lease.now()
        self.trouble: str | None = None

    @property
    def session_id(self) -> str:
        return self._session_id

    @property
    def awaits_person(self) -> bool:
        return self._permissions.awaits_person

    @property
    def refused(self) -> Sequence[str]:
        return self._permissions.refused

    async def start(self) -> str | None:
        await self._spawn()
        if not await self._tree.remember():
            log.debug("folder is not compared task=%s", self._assignment.task_id)
        self._updates.start()
        try:
            async with asyncio.timeout(_START_LIMIT):
                await self._open_session()
        except TimeoutError as error:
            why = f"{self._launch.program} did not start a session in {_START_LIMIT:.0f} seconds"
            raise AgentError(why, code="agent_start", retry=True) from error
        except RequestError as error:
            raise self._not_started(AgentError(self._explain(error), code="agent_start")) from error
        except (ConnectionError, OSError) as error:
            raise self._not_started(await self._death()) from error
        self._assignment.emit(events.session(session_id=self._session_id, agent=self._launch.program))
        return self._session_id

    async def _spawn(self) -> None:
        self._process = await AgentProcess.start(
            self._launch.program, self._launch.command, folder=self._assignment.workdir,
            environment=self._environment, mark=self._assignment.mark,
        )  # fmt: skip
        client = cast(acp.Client, self)
        self._connection = acp.connect_to_agent(client, self._process.messages)

    async def _open_session(self) -> None:
        opening = SessionOpening(
            self._connection, self._assignment, self._launch, self._environment,
            explain=self._explain, last_activity=lambda: self.last_activity,
        )  # fmt: skip
        self._session_id = await opening.open()
        self._replaying = False  # what was said until now is old news

    async def prompt(self, text: str) -> Turn:
        self._updates.begin_turn()
        self._cancelling = self._broke = False
        self.last_activity = lease.now()
        try:
            prompt = self._connection.prompt(session_id=self._session_id, prompt=[acp.text_block(text)])
            answer = await self._updates.unless_broken(prompt)
        except RequestError as error:
            return await self._failed(self._explain(error), code=error_code(error))
        except (ConnectionError, OSError):
            death = await self._death()
            return await self._failed(str(death), code=death.code, retry=death.retry)
        if answer is not None:
            self._count(answer)
        await self._report_rest()
        if answer is None or self._updates.failure is not None:
            return self._not_understood()
        if self._broke:
            why = message_in(self._updates.answer_text.strip()) or f"{self._launch.program} gave up without saying why"
            return await self._failed(redacted(why, self._environment), code="agent_error")
        return self._turn(answer.stop_reason)

    def _count(self, answer: schema.PromptResponse) -> None:
        used = answer.usage
        if used is not None:
            output = used.output_tokens + (used.thought_tokens or 0)
            self._turn_usage.append(Tokens(used.input_tokens, output, used.cached_read_tokens or 0))
        elif (told := self._launch.quirks.tokens(answer.field_meta or {})) is not None:
            self._turn_usage.append(told)

    def _turn(self, stop_reason: str) -> Turn:
        text = self._updates.answer_text.strip()
        if stop_reason == "cancelled" and not self._cancelling:
            why = f"{self._launch.program} ended its turn because something that it asked for was refused"
            return Turn("failed", text, error=why, error_code="permission_denied")
        if stop_reason in ("end_turn", "cancelled"):
            return Turn("end_turn" if stop_reason == "end_turn" else "cancelled", text)
        why = f"the agent stopped before it was done: {stop_reason.replace('_', ' ')}"
        return Turn("failed", text, error=why, error_code=stop_reason)

    def _not_understood(self) -> Turn:
        """What the program does is not seen any more: nobody could tell whether its work is done."""
        failure = self._updates.failure
        log.error("an update broke its translation task=%s", self._assignment.task_id, exc_info=failure)
        why = f"{self._launch.program} reported what the worker cannot translate ({type(failure).__name__}: {failure})"
        return Turn("failed", self._updates.answer_text.strip(), error=why, error_code="agent_protocol")

    async def _failed(self, why: str, *, code: str, retry: bool = False) -> Turn:
        await self._report_rest()
        return Turn("failed", self._updates.answer_text.strip(), error=why, error_code=code, retry=retry)

    async def _report_rest(self) -> None:
        """What the agent said last, then what changed in the folder without a tool saying so."""
        await self._updates.settle()
        for event in await self._tree.remaining():
            self._assignment.emit(event)

    async def cancel(self) -> None:
        self._cancelling = True
        self._permissions.cancel()
        if self._connection is not None and self._session_id:
            with suppress(ConnectionError, OSError):
                await self._connection.cancel(session_id=self._session_id)

    def answer(self, text: str, data: Mapping[str, Any]) -> Answer:
        self.last_activity = lease.now()
        return self._permissions.answer(text, data)

    def usage(self) -> Mapping[str, Any]:
        """What the protocol itself says; a program that tells more replaces this. Costs come in during a turn."""
        if not self._turn_usage and self._updates.cost is None:
            return {}
        totals: dict[str, Any] = {
            "input_tokens": sum(used.input for used in self._turn_usage),
            "output_tokens": sum(used.output for used in self._turn_usage),
            "cached_input_tokens": sum(used.cached for used in self._turn_usage),
        }
        anew = self._launch.quirks.counts_cost_anew or not self._assignment.session_id
        if self._updates.cost is not None and anew:  # else it is that of the whole session
            totals["cost_usd"] = self._updates.cost
        return totals | ({"model": self._assignment.model} if self._assignment.model else {})

    async def measure(self) -> Mapping[str, Any]:
        return self.usage()

    async def close(self) -> None:
        self._permissions.cancel()
        await self._updates.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(ConnectionError, OSError):
                await connection.close()
        process, self._process = self._process, None
        if process is not None:
            await process.close()

    async def _death(self) -> AgentError:
        """Why there is nobody to talk to any more."""
        death = await self._process.obituary() if self._process else AgentError(f"{self._launch.program} was stopped")
        return AgentError(redacted(str(death), self._environment), code=death.code, retry=death.retry)

    def _not_started(self, error: AgentError) -> AgentError:
        """The error, or what is more likely to be the reason for it: programs keep their sessions in HOME."""
        lack = home_trouble(self._environment)
        return AgentError(f"{lack} ({error})", code="agent_home") if lack else error

    def _explain(self, error: RequestError) -> str:
        """The program's own words, without the JSON-RPC wrapping."""
        text = str(error).removeprefix("Internal error").lstrip(": ")
        data = error.data if isinstance(error.data, Mapping) else {}
        details = data.get("message") or data.get("details") or data.get("errorName")
        said = message_in(text) or details or "the agent reported an error without a text"
        return redacted(str(said), self._environment)

    # What the program calls on us (acp.Client).

    def on_connect(self, conn: Any) -> None:
        """Nothing to prepare."""

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        told = update.model_dump(mode="json", by_alias=True, exclude_none=True)
        normal = self._launch.quirks.normalised(told)
        self._permissions.hear(normal)
        if self._replaying or is_progress(told):
            self.last_activity, self.trouble = lease.now(), None
        if not self._replaying and session_id == self._session_id:
            self._broke = self._broke or self._launch.quirks.broke(told)
            self._updates.take(normal)

    async def request_permission(
        self,
        session_id: str,
        tool_call: schema.ToolCallUpdate,
        options: list[schema.PermissionOption],
        **_: Any,
    ) -> schema.RequestPermissionResponse:
        """Also for sessions of sub-agents: an unanswered request would hang the program for ever."""
        self.last_activity = lease.now()
        told = tool_call.model_dump(mode="json", by_alias=True, exclude_none=True)
        return await self._permissions.decide(self._launch.quirks.normalised(told), options)

    async def write_text_file(self, session_id: str, path: str, content: str, **_: Any) -> Any:
        """Not offered: the agent writes its files itself. OpenCode asks all the same, and takes the no."""
        raise RequestError.method_not_found("fs/write_text_file")

    async def read_text_file(
        self, session_id: str, path: str, line: int | None = None, limit: int | None = None, **_: Any
    ) -> Any:
        raise RequestError.method_not_found("fs/read_text_file")

    async def ext_method(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        raise RequestError.method_not_found(method)

    async def ext_notification(self, method: str, params: dict[str, Any]) -> None:
        """Nothing that the work would depend on; programs tell of their retries in this way, so it is no progress."""
