"""Tiny programs in place of the real children."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from codetether.supervisor.children import Program

MakeProgram = Callable[..., Program]


@pytest.fixture
def shell(tmp_path: Path) -> MakeProgram:
    """A program that is a shell script, in a log of its own."""

    def make(script: str, *, name: str = "baker", stop_timeout: float = 5) -> Program:
        return Program(
            name=name,
            command=["/bin/sh", "-c", script],
            environment={"PATH": "/usr/bin:/bin"},
            log=tmp_path / f"{name}.log",
            stop_timeout=stop_timeout,
        )

    return make


async def eventually(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait until the condition holds, at most so long."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  (it happens in other processes)
            await asyncio.sleep(0.01)


async def within[T](work: Awaitable[T], seconds: float = 10) -> T:
    async with asyncio.timeout(seconds):
        return await work
