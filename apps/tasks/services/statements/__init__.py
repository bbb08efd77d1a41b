"""The hot statements, by hand: each is one statement and one round trip, and nothing else writes a task.

They run as server-side prepared statements on Django's own connection, so they join whatever transaction is open.
"""

from apps.tasks.services.statements.adopting import adopt
from apps.tasks.services.statements.claiming import Claimer, claim, peek, renew
from apps.tasks.services.statements.writing import Guard, Sql, append, insert

__all__ = ["Claimer", "Guard", "Sql", "adopt", "append", "claim", "insert", "peek", "renew"]
