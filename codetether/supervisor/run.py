"""The supervisor's event loop: start the children in order, watch them and the services, stop in reverse."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from codetether import embedded
from codetether.supervisor import plan as plans
from codetether.supervisor.banner import banner
from codetether.supervisor.children import Child, Program
from codetether.supervisor.errors import StartError
from codetether.supervisor.plan import Plan

FIRST_ANSWER_TIMEOUT = 60.0  # seconds
SERVICE_CHECK_PAUSE = 1.0  # seconds between looks at the embedded servers; doubles while they keep dying
LONGEST_SERVICE_PAUSE = 30.0


class _StopAsked(Exception):
    """Ctrl-C or SIGTERM came while something was still starting."""


class Run:
    """One run of the children, on services and sockets that the caller opens and closes."""

    def __init__(
        self,
        plan: Plan,
        environment: Mapping[str, str],
        services: embedded.Services,
        listeners: Sequence[socket.socket],
        *,
        report: Callable[[str], None],
        show: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._environment = environment
        self._services = services
        self._listeners = listeners
        self._report = report
        self._show = show
        self._children: list[Child] = []
        self._stop = asyncio.Event()

    async def main(self, began: float) -> None:
        """Run until a signal asks to stop; ``began`` is the time.monotonic() of the start, for the banner."""
        self._handle_signals()
        try:
            with contextlib.suppress(_StopAsked):
                await self._start(began)
                await self._watch_services()
        finally:
            for child in reversed(self._children):
                await child.stop()

    async def _start(self, began: float) -> None:
        read_end, gate = os.pipe()
        listeners = [one.fileno() for one in self._listeners]
        program = plans.web(self._plan, self._environment, listeners=listeners, gate=read_end)
        self._report("preparing the database and loading the web server")
        web = await self._add(program, restarts=False)
        login = await self._unless_it_ends(web, self._prepare())
        os.close(gate)
        await self._unless_it_ends(web, self._first_answer())
        web.restarts = True
        is_new = bool(login.pop("created", False))
        if self._plan.is_whole:
            if self._plan.has_grpc:
                await self._add(plans.grpc(self._plan, self._environment))
            await self._add(plans.jobs(self._plan, self._environment))
            await self._add(plans.clock(self._plan, self._environment))
            await self._add(plans.bridge(self._plan, self._environment))
            await self._add_worker(login.get("worker_token", ""))
        self._show(banner(self._plan, login, is_new=is_new, seconds=time.monotonic() - began))

    async def _add(self, program: Program, *, restarts: bool = True) -> Child:
        child = Child(program, self._report, restarts=restarts)
        self._children.append(child)
        await child.start()
        return child

    async def _add_worker(self, token: str) -> None:
        if not self._plan.has_worker:
            return
        if not token:
            self._report("no local worker: there is no token for it")
            return
        worker = await self._add(plans.worker(self._plan, token))
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, worker.restart)

    async def _prepare(self) -> dict[str, Any]:
        """Run the migrations; returns the login (what `manage.py bootstrap --json` prints)."""
        program = plans.prepare(self._plan, self._environment)
        prepare = Child(program, self._report, restarts=False)
        output = await prepare.run_to_end()
        if prepare.exit_code != 0:
            raise StartError(f"The database cannot be used: {prepare.last_line()} (log: {program.log})")
        login: dict[str, Any] = json.loads(output)
        return login

    async def _first_answer(self) -> None:
        """Ask the web server for its health: one request, that waits in the socket until it serves."""
        address = urlsplit(self._plan.url)
        async with asyncio.timeout(FIRST_ANSWER_TIMEOUT):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            try:
                writer.write(f"GET /health HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
            finally:
                writer.close()
        if b" 200 " not in status:
            raise StartError(f"The web server's first answer is {status.decode(errors='replace').strip()!r}.")

    async def _unless_it_ends[T](self, child: Child, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``; StartError when the child ends before, _StopAsked when a signal comes."""
        task = asyncio.create_task(work)
        others = [asyncio.create_task(event.wait()) for event in (child.ended_once, self._stop)]
        try:
            await asyncio.wait([task, *others], return_when=asyncio.FIRST_COMPLETED)
            if self._stop.is_set():
                raise _StopAsked
            if not task.done():
                raise StartError(f"The {child.program.name} process {child.describe_end()}.")
            return task.result()
        finally:
            for each in (task, *others):
                each.cancel()
            await asyncio.wait([task, *others])

    async def _watch_services(self) -> None:
        """Until a stop is asked for, start embedded servers again that ended by themselves."""
        pause = SERVICE_CHECK_PAUSE
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
                return
            restarted = self._services.restart_dead()
            for name in restarted:
                self._report(f"{name} ended by itself; started again")
            pause = min(pause * 2, LONGEST_SERVICE_PAUSE) if restarted else SERVICE_CHECK_PAUSE

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._on_signal)
        loop.add_signal_handler(signal.SIGTERM, self._on_signal)
        # Under nohup a lost terminal is no reason to stop.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGHUP, self._on_signal)

    def _on_signal(self) -> None:
        if not self._stop.is_set():
            self._report("stopping; once more to kill")
            self._stop.set()
            return
        for child in self._children:
            child.kill()
