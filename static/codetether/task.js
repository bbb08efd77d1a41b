/* The page of a task: its log as it grows, words in it, and what a person can do about it. */
import { Live, asked } from "./live.js";
import { Log } from "./log.js";
import { Words, mark } from "./words.js";

const KINDS = ["status", "output", "tool_use", "tool_result", "file_change", "artifact", "message", "usage", "session",
    "complete", "error"];
const STANDINGS = { pending: "waits", running: "held", input_required: "held", auth_required: "held" };
const COPY_LIMIT = 20_000_000;

const page = document.getElementById("task");
const find = (id) => document.getElementById(id);
const log = new Log(find("task-log"), `${base()}part/`, Number(page.dataset.lastPart));
let lastSeq = Number(page.dataset.lastSeq);
let asking = Number(page.dataset.asking);
let seenSeq = lastSeq;
let headHtml = "";

function base() {
    return page.dataset.address.replace(/change\/$/, "");
}

log.shown = (section) => window.codetether.tellTimes(section);
log.moved = tellBelow;

function tellBelow() {
    if (log.following) seenSeq = lastSeq;
    const button = find("task-below");
    const fresh = lastSeq - seenSeq;
    button.hidden = log.following;
    button.textContent = fresh ? `${fresh} new below ↓` : "To the end ↓";
}

find("task-below").addEventListener("click", () => { log.toEnd(); find("task-log").focus(); });

/* News */

const live = new Live({
    address: page.dataset.stream,
    lastId: () => lastSeq,
    kinds: KINDS,
    look,
    sign: find("task-live"),
});

async function look() {
    const news = await asked(`${base()}tail/?after=${lastSeq}`);
    if (news.last_seq > lastSeq) {
        lastSeq = news.last_seq;
        log.grow(news.last_part);
        for (const part of news.parts) log.put(part.number, part.html);
        find("task-count").textContent = lastSeq;
        tellBelow();
    }
    tellHead(news.head);
    tellQuestion(news);
    const changed = (STANDINGS[news.state] ?? "ended") !== (STANDINGS[page.dataset.state] ?? "ended");
    if (!news.live) live.stop();
    if (changed) renew();
    return false;
}

function tellHead(html) {
    if (html === headHtml) return;
    headHtml = html;
    const head = find("task-head");
    head.innerHTML = html;
    window.codetether.tellTimes(head);
}

function tellQuestion(news) {
    if (news.asking === asking) return;
    asking = news.asking;
    const place = find("task-question");
    place.innerHTML = news.question;
    window.codetether.tellTimes(place);
    for (const button of document.querySelectorAll("[data-asking]")) {
        if (button !== page) button.hidden = !asking;
    }
}

/* The buttons of the page belong to another state now. Nobody who reads or writes is disturbed. */
function renew() {
    if (log.following && !find("say-message")?.value) { location.reload(); return; }
    const sign = find("task-live");
    sign.hidden = false;
    sign.replaceChildren(link("the task has moved on: show it anew"));
}

function link(words) {
    const element = document.createElement("a");
    element.className = "ct-link";
    element.href = page.dataset.address;
    element.textContent = words;
    return element;
}

new Words(find("task-search"), `${base()}search/`, log);

document.addEventListener("click", async (event) => {
    const seek = event.target.closest?.("[data-seek]");
    if (!seek || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const seq = Number(seek.dataset.seek);
    mark(await log.seek(seq, partOf(seq)));
    find("task-log").focus();
});

function partOf(seq) {
    return Math.floor((seq - 1) / Number(page.dataset.part));
}

/* The whole log, as markdown */

const copy = find("task-copy");
copy.hidden = !navigator.clipboard;
copy.addEventListener("click", async () => {
    const answer = await fetch(`${base()}log/?as=markdown`);
    const text = answer.ok ? await answer.text() : "";
    const isGood = text && text.length < COPY_LIMIT;
    if (isGood) await navigator.clipboard.writeText(text);
    copy.textContent = isGood ? "Copied" : "Too long: download it";
    setTimeout(() => { copy.textContent = "Copy"; }, 2500);
});

const wanted = Number(page.dataset.at);
if (wanted) {
    log.seek(wanted, partOf(wanted)).then(mark);
} else {
    log.toEnd();
}
tellBelow();
if (page.dataset.live) live.begin();
