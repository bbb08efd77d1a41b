"""A call with an idempotency key is done once: the same again within 24 hours is answered as it was then."""

from collections.abc import Callable, Mapping
from typing import Any

from apps.accounts.idempotency import answer_once, digest_of
from apps.accounts.principals import Principal
from apps.core import jsontext

Answer = Mapping[str, Any]


def once(caller: Principal, key: str, tool: str, said: Mapping[str, Any], work: Callable[[], Answer]) -> Answer:
    """The answer of `work`, or that of the same call before; UnprocessableError where the key came with another one.

    `said` are the arguments but for the key. Runs on a database thread.
    """
    if not key:
        return work()
    digest = digest_of("MCP", tool, said)
    answer: Answer = jsontext.loads(answer_once(workspace_id=caller.workspace_id, key=key, digest=digest, work=work))
    return answer
