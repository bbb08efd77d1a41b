"""Which models the real OpenCode says that it has credentials for."""

from __future__ import annotations

from pathlib import Path

import pytest

from codetether_worker.discovery import list_models
from tests.fakes.opencode_program import opencode_environment
from tests.worker.agents_bench import MARKS

pytestmark = [pytest.mark.opencode, *MARKS]


async def offered(environment: dict[str, str]) -> list[str]:
    models = await list_models(Path(environment["OPENCODE_BIN"]), environment)
    return [model.id for model in models]


@pytest.mark.asyncio
async def test_the_models_are_those_that_there_are_credentials_for(tmp_path: Path) -> None:
    environment = opencode_environment(tmp_path, "http://127.0.0.1:9/v1")
    del environment["OPENCODE_CONFIG_CONTENT"], environment["OPENCODE_MODELS_PATH"]
    assert await offered(environment) == []
    auth = tmp_path / ".local" / "share" / "opencode" / "auth.json"
    auth.parent.mkdir(parents=True, exist_ok=True)
    auth.write_text('{"anthropic": {"type": "api", "key": "sk-x"}}')
    providers = {model.partition("/")[0] for model in await offered(environment)}
    assert providers == {"anthropic"}
    providers = {model.partition("/")[0] for model in await offered(environment | {"OPENAI_API_KEY": "sk-y"})}
    assert providers == {"anthropic", "openai"}
