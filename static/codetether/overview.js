/* The first page, kept up to date: pieces that changed are exchanged, events are listed as they come. */
import { Live } from "./live.js";
import { GATHER_MILLISECONDS, KINDS, lookAt } from "./pieces.js";

const SILENT = new Set(["usage", "session", "tool_result"]);
const FEED_ROWS = 40;
const TEXT_LENGTH = 240;

const page = document.getElementById("overview");
const feed = document.getElementById("overview-feed");
let lastId = "";

function heard(event) {
    lastId = event.lastEventId;
    const said = JSON.parse(event.data);
    if (SILENT.has(said.kind)) return;
    document.getElementById("overview-events").hidden = false;
    const text = words(said);
    const newest = feed.firstElementChild;
    if (newest?.dataset.task === said.task_id && newest.dataset.kind === "output" && said.kind === "output") {
        const shown = newest.querySelector(".ct-feed-text");
        shown.textContent = (shown.textContent + text).slice(-TEXT_LENGTH);
        return;
    }
    feed.prepend(row(said, text));
    while (feed.children.length > FEED_ROWS) feed.lastElementChild.remove();
}

function words({ data }) {
    const text = data.content ?? data.question ?? data.title ?? data.path ?? data.error ?? data.reason ?? data.message
        ?? data.tool ?? data.name ?? data.worker_id ?? "";
    return String(text).slice(-TEXT_LENGTH);
}

function row(said, text) {
    const link = document.createElement("a");
    link.className = "ct-row";
    link.href = page.dataset.task.replace("ID", said.task_id);
    link.dataset.task = said.task_id;
    link.dataset.kind = said.kind;
    link.append(
        span("ct-label", said.kind.replaceAll("_", " ")), span("ct-feed-title", said.title), span("ct-feed-text", text),
    );
    return link;
}

function span(name, text) {
    const element = document.createElement("span");
    element.className = name;
    element.textContent = text;
    return element;
}

if (page) {
    const sign = document.getElementById("overview-live");
    sign.hidden = false;
    new Live({
        address: page.dataset.stream, lastId: () => lastId, kinds: KINDS, heard, look: lookAt(page), sign,
        gather: GATHER_MILLISECONDS,
    }).begin();
}
