"""The right to go on: a stream must not outlive what let its caller in.

`permitted(...)` is a block that ends with UnauthenticatedError or ForbiddenError once its caller may not any more: at
the moment at which a token expires, at once when somebody's access is changed in any process, and where that wake-up
was lost within RECHECK_SECONDS. Nothing of it costs the events of a stream anything.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from django.db import Error
from django.utils import timezone

from apps.accounts.open_streams import check_room, one_more
from apps.accounts.permissions import Scope
from apps.accounts.principals import Credentials, Principal, acts_as, authenticate, forget_tokens, remembered
from apps.core.db import in_database
from apps.core.errors import CodeTetherError, UnauthenticatedError
from apps.core.waiter import ACCESS
from apps.core.wakeups import hub

log = logging.getLogger(__name__)

RECHECK_SECONDS = 60.0


class Permit:
    """One block that lasts as long as its caller may go on; `refusal` is why it may not."""

    def __init__(self, credentials: Credentials, scope: Scope, principal: Principal) -> None:
        self.grounds = (credentials, scope)
        self.refusal: CodeTetherError = UnauthenticatedError("The token has expired.")
        self.until = asyncio.timeout(None)
        if principal.ends_at is not None:
            left = (principal.ends_at - timezone.now()).total_seconds()
            self.until = asyncio.timeout(max(0.0, left))

    def end(self, refusal: CodeTetherError) -> None:
        """Leave the block at the next turn of the loop."""
        if not self.until.expired():
            self.refusal = refusal
            self.until.reschedule(0)


class Watch:
    """The permits of one event loop. Its task asks for them again; it runs while `awake` blocks are open."""

    def __init__(self) -> None:
        self.permits: set[Permit] = set()
        self.changes = 0
        self._open = 0
        self._task: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    @asynccontextmanager
    async def awake(self) -> AsyncIterator[None]:
        """Hear of changes within the block, from its first moment on."""
        self._open += 1
        try:
            if self._task is None or self._task.done():
                self._listening = asyncio.Event()
                self._task = asyncio.get_running_loop().create_task(self._watch_for_ever(self._listening))
            await self._listening.wait()  # whoever comes while it begins waits, too
            yield
        finally:
            self._open -= 1
            if not self._open:
                await self._sleep()

    async def _sleep(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _watch_for_ever(self, listening: asyncio.Event) -> None:
        with hub().waiting(ACCESS) as waiter:
            listening.set()
            while True:
                if await waiter.wait(RECHECK_SECONDS):
                    forget_tokens()
                    self.changes += 1
                await self.recheck()

    async def recheck(self) -> None:
        """Ask once for each credential, however many streams it has."""
        held = defaultdict(list)
        for permit in self.permits:
            held[permit.grounds].append(permit)
        for grounds, permits in held.items():
            refusal = await _refusal(*grounds)
            if refusal is not None:
                for permit in permits:
                    permit.end(refusal)


async def _refusal(credentials: Credentials, scope: Scope) -> CodeTetherError | None:
    """Why the caller may not go on; None where it may, or where the database cannot be asked now."""
    try:
        await allowed(credentials, scope)
    except CodeTetherError as error:
        return error
    except Error as error:
        log.warning("streams go on unchecked, the database does not answer: %s", error)
    return None


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch() -> Watch:
    """The running loop's watch."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())


async def allowed(credentials: Credentials, scope: Scope) -> Principal:
    """The principal behind `credentials`, who holds `scope`, for whose workspace this context acts from here on.

    Raises UnauthenticatedError or ForbiddenError where there is none.
    """
    known = remembered(credentials)
    principal = known if known is not None else await in_database(authenticate, credentials)
    acts_as(principal)
    principal.require(scope)
    return principal


async def room_for_stream(credentials: Credentials) -> None:
    """Ask before an answer begins: TooManyStreamsError or StreamsFullError where `permitted` would have no room."""
    await check_room(remembered(credentials))


@asynccontextmanager
async def permitted(credentials: Credentials, scope: Scope) -> AsyncIterator[None]:
    """A block that lasts as long as `credentials` hold `scope`. Enter and leave it in one asyncio task.

    It is a stream, of which there may be so many; one too many is refused.
    """
    watching = watch()
    async with watching.awake():
        before = watching.changes
        principal = await allowed(credentials, scope)
        permit = Permit(credentials, scope, principal)
        try:
            async with one_more(principal), permit.until:
                watching.permits.add(permit)
                try:
                    if watching.changes != before:  # meanwhile, while nobody could end this one
                        await watching.recheck()
                    yield
                finally:
                    watching.permits.discard(permit)
        except TimeoutError:
            if permit.until.expired():
                raise permit.refusal from None
            raise
