"""The files of one attempt: those that came with its messages, and those that its agent has made.

Neither is ever put into the working tree: what comes in lies in a folder of the attempt, which goes when it ends, and
so does the folder that the agent may fill for whoever asked.
"""

from __future__ import annotations

import asyncio
import codecs
import mimetypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from codetether_worker import events
from codetether_worker.client import ControlPlane
from codetether_worker.errors import AgentError, ServerRefused, ServerUnreachable, StaleClaim
from codetether_worker.events import Event
from codetether_worker.picking import Made, Picked, changed_files, left_files
from codetether_worker.protocol import Attachment, Claim

ARTIFACTS_VARIABLE = "CODETETHER_ARTIFACTS_DIR"
_TRIES = 3
_NAME_BYTES = 200
_SNIFFED = 8192


def artifacts_folder(scratch: Path) -> Path:
    """Where the agent of an attempt puts what is meant for whoever asked."""
    return scratch / "artifacts"


@dataclass(slots=True)
class TaskFiles:
    """`scratch` is the attempt's own folder, `root` the codebase's, `workdir` the agent's within it.

    `emit` takes the agent's events on their way to the server; the files that they name as changed are remembered.
    An agent that `talks` is told where it may leave files.
    """

    client: ControlPlane
    claim: Claim
    scratch: Path
    root: Path
    workdir: Path
    report: Callable[[Event], None]
    talks: bool = True
    _saved: dict[str, str] = field(default_factory=dict)
    _changed: dict[str, str] = field(default_factory=dict)

    def emit(self, event: Event) -> None:
        if event.kind == "file_change":
            self._changed.pop(event.data["path"], None)
            self._changed[event.data["path"]] = event.data["action"]
        self.report(event)

    def prepare(self) -> None:
        """Make the folder for what the agent hands over; blocks for an instant."""
        artifacts_folder(self.scratch).mkdir(mode=0o700)

    async def introduced(self, text: str, attachments: Sequence[Attachment], *, first: bool = False) -> str:
        """What to say to the agent: the text, and where the files are that came with it.

        Raises AgentError where they cannot be fetched now.
        """
        notes = [await self._note(attachment) for attachment in attachments]
        said = [text, "Files that came with this message:\n" + "\n".join(notes)] if notes else [text]
        if first and self.talks and self.claim.wants_files:
            said.append(
                f"Put files that are meant for whoever asked into {artifacts_folder(self.scratch)} "
                f"(${ARTIFACTS_VARIABLE}); they are handed over when you are done."
            )
        return "\n\n".join(filter(None, said))

    async def _note(self, attachment: Attachment) -> str:
        if attachment.id not in self._saved:
            try:
                self._saved[attachment.id] = str(await self._fetch(attachment))
            except ServerUnreachable as error:
                why = f"{attachment.name} cannot be fetched: {error}"
                raise AgentError(why, code="files_unreachable", retry=True) from error
            except ServerRefused as error:
                self.report(events.status(f"The file {attachment.name} cannot be fetched: {error.detail}"))
                return f"- {attachment.name}: cannot be fetched ({error.detail})"
            except OSError as error:
                why = f"{attachment.name} cannot be saved: {error.strerror}"
                raise AgentError(why, code="worker_disk", retry=True) from error
        return f"- {self._saved[attachment.id]} ({attachment.media_type}, {attachment.size} bytes)"

    async def _fetch(self, attachment: Attachment) -> Path:
        """The file on this machine, its content checked; each lies in a folder of its own, under its own name."""
        folder = self.scratch / "attachments" / str(len(self._saved) + 1)
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        target = folder / _plain_name(attachment.name)
        for _ in range(_TRIES):
            if await self.client.download(attachment.id, target, limit=attachment.size) == attachment.sha256:
                return target
        raise ServerRefused(200, "damaged", "its content is not what was announced")

    async def hand_in(self) -> None:
        """Send what the agent has made. What cannot be sent is said in the log, and costs the task nothing."""
        picked = await asyncio.to_thread(left_files, artifacts_folder(self.scratch))
        if self.claim.wants_files:
            picked = picked.and_also(await changed_files(self.root, self._changed_paths()))
        skipped = [*picked.skipped, *await self._send_all(picked)]
        if skipped:
            self.report(events.status("Files that are not handed over: " + "; ".join(skipped)))

    def _changed_paths(self) -> list[Path]:
        return [self.workdir / path for path, action in self._changed.items() if action != "deleted"]

    async def _send_all(self, picked: Picked) -> list[str]:
        """Returns what could not be sent, and why. A server that is away is not asked for each file anew."""
        failed: list[str] = []
        for number, made in enumerate(picked.files):
            try:
                await self._send(made)
            except StaleClaim:
                return []
            except ServerUnreachable as error:
                left = ", ".join(one.name for one in picked.files[number:])
                return [*failed, f"{left}: the server is out of reach ({error})"]
            except ServerRefused as error:
                failed.append(f"{made.name}: {error.detail}")
            except OSError as error:
                failed.append(f"{made.name}: {error.strerror}")
        return failed

    async def _send(self, made: Made) -> None:
        with await asyncio.to_thread(made.open) as content:
            media_type = await asyncio.to_thread(_media_type, made.path.name, content)
            file_id = await self.client.upload(
                self.claim.task_id, self.claim.claim_token, name=made.name, media_type=media_type, content=content
            )
        part = {"file_id": file_id, "filename": made.path.name, "media_type": media_type}
        self.report(events.artifact(artifact_id=f"file:{made.name}", name=made.name, parts=[part]))


def _media_type(name: str, content: BinaryIO) -> str:
    """By the name; where that says nothing, text is told from the rest by how it begins."""
    guessed = mimetypes.guess_type(name)[0]
    if guessed:
        return guessed
    content.seek(0)
    beginning = content.read(_SNIFFED)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)  # a character may be cut at the end
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "application/octet-stream" if b"\0" in beginning else "text/plain"


def _plain_name(name: str) -> str:
    """A name for one file in one folder, whatever the server says."""
    last = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable()).strip()
    cut = last.encode("utf-8", "replace")[-_NAME_BYTES:].decode("utf-8", "ignore")
    return cut if cut not in ("", ".", "..") else "file"
