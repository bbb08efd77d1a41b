"""The shape of a codebase as clients see it: what `codebase_facts` holds, and every face's schema."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class Codebase(BaseModel):
    id: str
    name: str
    path: str
    description: str
    worker_id: str | None
    status: str
    agent_config: dict[str, Any]
    created_at: datetime
    updated_at: datetime
