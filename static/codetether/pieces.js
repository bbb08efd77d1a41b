/* A page made of pieces: it is asked for again, and only what has changed is exchanged. */
import { AnswerError } from "./live.js";

/* What may happen to tasks, as the streams of one task, of a codebase and of the workspace name it. */
export const KINDS = ["created", "claimed", "requeued", "asked", "answered", "completed", "failed", "cancelled", "rejected",
    "reprioritised", "declined", "lease_lost", "status", "output", "tool_use", "tool_result", "file_change", "artifact",
    "message", "session", "usage", "done"];
export const GATHER_MILLISECONDS = 2000;
const TOKEN = /name="csrfmiddlewaretoken" value="[^"]*"/g;

/* `look` for Live: the pieces of `page` (its `data-address` gives them) as they are now. */
export function lookAt(page) {
    const written = new Map();
    return async () => {
        const answer = await fetch(page.dataset.address, { headers: { Accept: "text/html" } });
        if (!answer.ok || answer.redirected) throw new AnswerError(`HTTP ${answer.status}`);
        const fresh = document.createElement("template");
        fresh.innerHTML = await answer.text();
        for (const piece of fresh.content.querySelectorAll("[data-piece]")) exchange(page, piece, written);
        return false;
    };
}

/* Nobody loses what they are about to press or to write. */
function exchange(page, piece, written) {
    const name = piece.dataset.piece;
    const html = piece.innerHTML.replace(TOKEN, "");
    const old = page.querySelector(`[data-piece="${name}"]`);
    if (written.get(name) === html || !old) return;
    if (old.contains(document.activeElement) || old.querySelector("details[open]")) return;
    written.set(name, html);
    old.replaceChildren(...piece.childNodes);
    window.codetether.tellTimes(old);
    window.htmx?.process(old);
}
