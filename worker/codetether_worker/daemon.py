"""The worker as a whole: starts the parts in order, watches them, and stops them in order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

import httpx

from codetether_sessions.redaction import Redactor
from codetether_sessions.stores import find_stores
from codetether_worker.agents.programs import Programs
from codetether_worker.attempts import Attempts
from codetether_worker.client import ControlPlane
from codetether_worker.config import Config
from codetether_worker.discovery import Inventory, take_inventory
from codetether_worker.errors import ServerRefused, ServerUnreachable
from codetether_worker.heartbeat import Heartbeat
from codetether_worker.intake import Intake
from codetether_worker.logs import hide_in_logs
from codetether_worker.processes import instance_mark, reap
from codetether_worker.registration import Registrar
from codetether_worker.sessions.sync import SessionSync
from codetether_worker.state import State, open_state
from codetether_worker.status import Facts, StatusBoard
from codetether_worker.stream import Hints, StreamListener
from codetether_worker.trees.keeper import Trees

log = logging.getLogger(__name__)

_REAP_GRACE = 2.0
_FLUSH_LIMIT = 5.0
EXIT_OK = 0
EXIT_BROKEN = 1


class Daemon:
    """One worker process. The first stop request drains, the second one stops at once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stopping = asyncio.Event()
        self._stop_now = asyncio.Event()
        self._owned: set[asyncio.Task[None]] = set()
        self._broken = False

    def stop(self) -> None:
        """Asked to stop by a signal, or by one of the parts breaking."""
        if self._stopping.is_set():
            log.info("second stop request: stopping now")
            self._stop_now.set()
        else:
            log.info("stopping: no new tasks, running ones get %.0f s", self._config.drain_grace)
            self._stopping.set()

    async def run(self) -> int:
        """Work until stopped; returns the exit code. Raises WorkerError when it could not start."""
        state = open_state(self._config.state_dir, worker_id=self._config.worker_id)
        board = StatusBoard(self._config, state)
        try:
            board.write()
            with _signals(self.stop):
                leftovers = await reap(instance_mark(state.instance), grace=_REAP_GRACE)
                if leftovers:
                    log.warning("ended agent processes of an earlier run count=%d", leftovers)
                await asyncio.to_thread(state.clear_scratch)
                inventory = await take_inventory(self._config)
                return await self._connect(state, inventory, board)
        finally:
            board.close()
            state.close()

    async def _connect(self, state: State, inventory: Inventory, board: StatusBoard) -> int:
        client = ControlPlane(self._config.server_url, self._config.token, worker_id=state.worker_id)
        async with client:
            registrar = Registrar(self._config, client, inventory, state_dir=state.root)
            if not await registrar.establish(stopping=self._stopping):
                return EXIT_OK
            await self._serve(state, client, registrar, inventory, board)
        return EXIT_BROKEN if self._broken else EXIT_OK

    async def _serve(
        self, state: State, client: ControlPlane, registrar: Registrar, inventory: Inventory, board: StatusBoard
    ) -> None:
        programs = Programs(self._config, inventory)
        trees = Trees(state, client)
        redactor = Redactor(self._config.environment)
        hide_in_logs(redactor.text)
        sessions = self._session_sync(state, client, registrar, trees, redactor)
        attempts = Attempts(
            self._config, state, client, registrar, inventory, programs, trees, redactor,
            on_free=lambda: _wake(intake.wake, sessions.wake),
        )  # fmt: skip
        halted = asyncio.Event()  # the heart goes on beating while tasks drain
        heartbeat = Heartbeat(
            client, attempts, registrar, stopping=halted, on_return=lambda: intake.wake.set(),
            ending=self._stopping.is_set,
        )  # fmt: skip
        listener = StreamListener(
            lambda: _open_stream(client, registrar, inventory),
            Hints(task_available=lambda: intake.wake.set(), attention=heartbeat.wake.set),
            stopping=self._stopping,
        )
        intake = Intake(
            client, attempts, poll_interval=self._config.poll_interval, stopping=self._stopping,
            stream_up=listener.connected.is_set, drain_asked=lambda: heartbeat.drain_asked,
            on_forgotten=heartbeat.wake.set,
        )  # fmt: skip
        await trees.reap()
        attempts.recover()
        board.show(lambda: self._told(attempts, heartbeat, listener))
        for part in (board.run(), heartbeat.run(), listener.run(), intake.run(), sessions.run(), trees.news.run()):
            self._own(part)
        await self._stopping.wait()
        heartbeat.wake.set()  # what waits for this worker is told so at once
        await self._drain(state, attempts)
        halted.set()
        await self._end_parts()
        await self._say_goodbye(client)

    def _session_sync(
        self, state: State, client: ControlPlane, registrar: Registrar, trees: Trees, redactor: Redactor
    ) -> SessionSync:
        environment, limits = self._config.environment, self._config.sessions
        return SessionSync(
            client, state_dir=state.root, limits=limits, redactor=redactor,
            folders=lambda: [*registrar.folders, *trees.folders],
            find=lambda: find_stores(environment, limits.opencode_storage),
        )  # fmt: skip

    def _told(self, attempts: Attempts, heartbeat: Heartbeat, listener: StreamListener) -> Facts:
        """What people may want to know of the running worker."""
        phase = "stopping" if self._stopping.is_set() else "draining" if heartbeat.drain_asked else "working"
        return {
            "phase": phase, "tasks": attempts.told(), "stream_connected": listener.connected.is_set(),
            "last_heartbeat_at": heartbeat.last_at, "server_trouble": heartbeat.trouble,
        }  # fmt: skip

    def _own(self, part: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(part)
        self._owned.add(task)
        task.add_done_callback(self._part_ended)

    def _part_ended(self, task: asyncio.Task[None]) -> None:
        """A part that breaks takes the worker down in good order; a service manager starts it anew."""
        self._owned.discard(task)
        if task.cancelled() or task.exception() is None:
            return
        log.critical("a part of the worker broke", exc_info=task.exception())
        self._broken = True
        if not self._stopping.is_set():
            self.stop()

    async def _drain(self, state: State, attempts: Attempts) -> None:
        """Let tasks end, give back the rest, and tell the server all of it while there is time."""
        await self._unless_now(attempts.wait_worked(limit=self._config.drain_grace))
        attempts.drain()
        await self._unless_now(attempts.wait_worked())
        if self._stop_now.is_set():
            await reap(instance_mark(state.instance), grace=0)
            await attempts.wait_worked()
        await self._unless_now(attempts.wait_delivered(limit=_FLUSH_LIMIT))
        await attempts.abandon_delivery()

    async def _say_goodbye(self, client: ControlPlane) -> None:
        """After the last heartbeat, since a heartbeat says that the worker lives."""
        if self._stop_now.is_set():
            return
        try:
            await asyncio.wait_for(client.unregister(), _FLUSH_LIMIT)
        except (ServerUnreachable, ServerRefused, TimeoutError) as error:
            log.info("not unregistered: %s", error)

    async def _unless_now(self, waiting: Coroutine[Any, Any, bool]) -> None:
        task = asyncio.create_task(waiting)
        now = asyncio.create_task(self._stop_now.wait())
        await asyncio.wait({task, now}, return_when=asyncio.FIRST_COMPLETED)
        for pending in (task, now):
            pending.cancel()
        await asyncio.gather(task, now, return_exceptions=True)

    async def _end_parts(self) -> None:
        for task in list(self._owned):
            task.cancel()
        await asyncio.gather(*self._owned, return_exceptions=True)


def _wake(*events: asyncio.Event) -> None:
    for event in events:
        event.set()


def _open_stream(
    client: ControlPlane, registrar: Registrar, inventory: Inventory
) -> AbstractAsyncContextManager[httpx.Response]:
    return client.open_stream(
        agent_name=registrar.agent_name,
        codebases=registrar.codebase_ids,
        capabilities=inventory.capabilities,
        silence_limit=StreamListener.SILENCE_LIMIT,
    )


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
