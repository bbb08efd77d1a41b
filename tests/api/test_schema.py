"""What the OpenAPI description promises is so: calls made from it.

`CODETETHER_FUZZ_CASES` sets how many of each kind are made of each operation, by every role; each number makes
others, the same each time.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from schemathesis import GenerationMode

from apps.accounts.permissions import Role
from tests.api.conftest import Api
from tests.api.schema_calls import NOBODY, Crowd, operations
from tests.api.test_bad_input import furnish
from tests.factories import Cast
from tests.fakes.session_stores import opencode_tree

CASES = int(os.environ.get("CODETETHER_FUZZ_CASES", "0"))


@pytest.fixture
def crowd(api: Api, cast: Cast, tmp_path: Path, settings: Any) -> Crowd:
    settings.A2A_SECRET_ENVIRONMENT = {"HOME": str(tmp_path)}
    opencode_tree(tmp_path / ".local" / "share" / "opencode" / "storage", tmp_path)
    roles = list(Role) if CASES else [Role.ADMIN]
    return Crowd(
        {NOBODY: api.bearing(""), **{str(role): api.bearing(cast.token(role)) for role in roles}}, furnish(cast)
    )


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_every_operation_does_what_the_description_says(crowd: Crowd) -> None:
    modes = list(GenerationMode)
    for number, operation in enumerate(operations()):
        some = modes if CASES else [modes[number % 2]]
        crowd.try_operation(operation, count=CASES or 1, seed=CASES, others=CASES > 0, modes=some)
    assert not crowd.faults.found, crowd.faults.told()
