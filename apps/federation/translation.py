"""A remote task, as it tells of itself, in the events of our log. Pure: answers of the SDK's client in, events out.

- The text that it streams (its first artifact of plain text) is output, and becomes the result; other artifacts stay
  artifacts. What it says on its way is status; what it asks is a question of ours.
- Snapshots of the whole task come whenever the connection was lost. What they tell again is left out: texts and
  artifacts are told from where the telling stopped, questions and words once.
- What CodeTether says beyond A2A (usage, tools, changed files; our extension) comes over as well.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from a2a.types import StreamResponse
from google.protobuf.json_format import MessageToDict

from apps.core.whole_numbers import whole_numbers
from apps.federation.parts import TEXT_LIMIT, clean, is_plain, options_of, ours_of, part_of, pieces, text_of, usage_of
from apps.tasks.errors import UnknownEventError
from apps.tasks.services import Outcome, event_from_worker
from apps.tasks.states import State

Json = dict[str, Any]

ENDINGS: Mapping[str, State] = {
    "TASK_STATE_COMPLETED": State.COMPLETED,
    "TASK_STATE_FAILED": State.FAILED,
    "TASK_STATE_CANCELED": State.CANCELLED,
    "TASK_STATE_REJECTED": State.REJECTED,
}
ASKING = {"TASK_STATE_INPUT_REQUIRED": False, "TASK_STATE_AUTH_REQUIRED": True}
"""States in which a task waits for its client; True: for credentials."""
REPORTED = frozenset({"tool_use", "tool_result", "file_change"})
RESULT = "result"


@dataclass(slots=True)
class Heard:
    """What one answer of the agent means for our task. `events` are (kind, data) as a worker reports them.

    `question`: it waits for a person now, and has not asked this before. `is_working`: it waits for nobody.
    """

    events: list[tuple[str, Json]] = field(default_factory=list)
    question: Json | None = None
    outcome: Outcome | None = None
    task_id: str = ""
    context_id: str = ""
    is_working: bool = False
    is_asking: bool = False


class Translation:
    """What one attempt has heard of its remote task so far."""

    def __init__(self) -> None:
        self.is_whole = True
        """Whether nothing can have been missed; False after a gap, until a snapshot has come."""
        self._speech_id: str | None = None
        self._speech = ""
        self._artifacts: dict[str, list[Json]] = {}
        self._usage: Json = {}
        self._words = ""
        self._question = ""

    def take(self, response: StreamResponse) -> Heard:
        """What an answer tells that is new."""
        said: Json = whole_numbers(MessageToDict(response))
        heard = Heard()
        if "message" in said:
            self._direct(said["message"], heard)
        elif "task" in said:
            self._snapshot(said["task"], heard)
        elif "statusUpdate" in said:
            self._place(said["statusUpdate"], heard)
            self._status(said["statusUpdate"], heard)
        elif "artifactUpdate" in said:
            update = said["artifactUpdate"]
            self._place(update, heard)
            heard.events += self._artifact(update.get("artifact", {}), update)
        heard.events = [(kind, clean(data)) for kind, data in heard.events]
        return heard

    def _place(self, said: Json, heard: Heard) -> None:
        heard.task_id, heard.context_id = said.get("taskId", ""), said.get("contextId", "")

    def _snapshot(self, task: Json, heard: Heard) -> None:
        self.is_whole = True
        heard.task_id, heard.context_id = task.get("id", ""), task.get("contextId", "")
        for artifact in task.get("artifacts", []):
            heard.events += self._artifact(artifact, {})
        self._status(task, heard)

    def _direct(self, message: Json, heard: Heard) -> None:
        """An answer without a task."""
        heard.task_id, heard.context_id = message.get("taskId", ""), message.get("contextId", "")
        text, others = text_of(message), [part for part in message.get("parts", []) if "text" not in part]
        if others:
            heard.events += self._artifact({"artifactId": "answer", "parts": others}, {})
        heard.outcome = Outcome(status=State.COMPLETED, result=clean(text), direct=True)

    # Status ----------------------------------------------------------------------------------------------------------

    def _status(self, said: Json, heard: Heard) -> None:
        status = said.get("status", {})
        state, message = status.get("state", ""), status.get("message", {})
        ours = ours_of(said)
        heard.events += self._reported(ours)
        if state in ENDINGS:
            heard.outcome = self._outcome(ENDINGS[state], text_of(message), ours, heard)
        elif state in ASKING:
            heard.is_asking = True
            self._ask(message, status, heard, needs_login=ASKING[state])
        else:
            heard.is_working = state == "TASK_STATE_WORKING"
            heard.events += self._word(message)

    def _word(self, message: Json) -> list[tuple[str, Json]]:
        text, key = text_of(message), message.get("messageId") or text_of(message)
        if not text or key == self._words:
            return []
        self._words = key
        return [("status", {"message": piece}) for piece in pieces(text)]

    def _ask(self, message: Json, status: Json, heard: Heard, *, needs_login: bool) -> None:
        text = text_of(message) or "The remote agent waits for " + ("credentials." if needs_login else "an answer.")
        key = message.get("messageId") or f"{status.get('timestamp', '')} {text}"
        if key == self._question:
            return
        self._question = key
        question: Json = {"question": text[:TEXT_LIMIT], "auth": needs_login}
        if options := options_of(message):
            question["options"] = options
        heard.question = clean(question)

    def _outcome(self, state: State, text: str, ours: Json, heard: Heard) -> Outcome:
        usage = self._usage or None
        if state is State.COMPLETED:
            result = self._speech or text or self._artifact_text()
            if self._speech and text and text != self._speech:
                heard.events += [("status", {"message": piece}) for piece in pieces(text)]
            return Outcome(status=state, result=clean(result), usage=usage)
        reason = text[:TEXT_LIMIT] or f"The remote agent ended the task as {state}, and gave no reason."
        code = ours.get("errorCode") if state is State.FAILED else ""
        return Outcome(
            status=state, error=clean(reason), error_code=clean(str(code or "remote_failed"))[:200], usage=usage
        )

    def _artifact_text(self) -> str:
        texts = ["".join(part.get("text", "") for part in parts) for parts in self._artifacts.values()]
        return "\n\n".join(filter(None, texts))

    def _reported(self, ours: Json) -> list[tuple[str, Json]]:
        """What CodeTether tells by our extension: the usage so far, and what its agent does."""
        found: list[tuple[str, Json]] = []
        usage = usage_of(ours.get("usage"))
        if usage and usage != self._usage:
            self._usage = usage
            found.append(("usage", usage))
        if ours.get("event") in REPORTED:
            with suppress(UnknownEventError):
                event = event_from_worker(ours["event"], {n: v for n, v in ours.items() if n != "event"})
                found.append((event.kind, event.data))
        return found

    # Artifacts -------------------------------------------------------------------------------------------------------

    def _artifact(self, artifact: Json, update: Json) -> list[tuple[str, Json]]:
        """A whole artifact, or (`append`) the next piece of one."""
        artifact_id, parts = artifact.get("artifactId", ""), artifact.get("parts", [])
        appends = bool(update.get("append")) and (artifact_id in self._artifacts or artifact_id == self._speech_id)
        if not artifact_id or not parts:
            return []
        if self._is_speech(artifact_id, parts):
            return self._say("".join(part["text"] for part in parts), appends=appends)
        known = self._artifacts.get(artifact_id, [])
        new = parts if appends else parts[len(known) :] if parts[: len(known)] == known else None
        self._artifacts[artifact_id] = known + parts if appends else parts
        if new is None:
            new, appends = parts, False
        else:
            appends = appends or bool(known)
        return self._made(artifact, new, appends=appends, is_last=bool(update.get("lastChunk"))) if new else []

    def _is_speech(self, artifact_id: str, parts: list[Json]) -> bool:
        """The result, or the first artifact of nothing but text without a file's name."""
        is_words = all("text" in part and is_plain(part) for part in parts)
        if self._speech_id is None and is_words and artifact_id not in self._artifacts:
            self._speech_id = artifact_id
        return is_words and artifact_id == self._speech_id

    def _say(self, text: str, *, appends: bool) -> list[tuple[str, Json]]:
        """What of the text is new. A text that replaces another cannot be unsaid: it is told as the result."""
        before, self._speech = self._speech, self._speech + text if appends else text
        new = text if appends else text[len(before) :] if text.startswith(before) else ""
        return [("output", {"type": "text", "content": piece}) for piece in pieces(new)]

    def _made(self, artifact: Json, parts: list[Json], *, appends: bool, is_last: bool) -> list[tuple[str, Json]]:
        data: Json = {"artifact_id": artifact["artifactId"], "parts": [part_of(part) for part in parts]}
        data |= {"append": appends, "last_chunk": is_last}
        named = {name: artifact[name] for name in ("name", "description", "metadata") if artifact.get(name)}
        return [("artifact", data | named)]
