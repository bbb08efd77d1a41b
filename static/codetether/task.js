/* The page of a task: its log as it grows, words in it, and what a person can do about it. */
import { Live, asked } from "./live.js";
import { Log } from "./log.js";

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

/* Words in the log */

const search = find("task-search");
let hits = [];
let at = -1;
let searched = "";

search.hidden = false;
search.addEventListener("submit", async (event) => {
    event.preventDefault();
    const words = search.elements.q.value.trim();
    if (words === searched && hits.length) { await go(1); return; }
    searched = words;
    hits = words ? (await asked(`${base()}search/?q=${encodeURIComponent(words)}`)).hits : [];
    at = hits.length;
    if (hits.length) await go(-1);
    tellHits();
});
search.elements.q.addEventListener("input", () => { if (!search.elements.q.value) clearHits(); });
search.addEventListener("click", (event) => {
    const step = event.target.closest("[data-step]");
    if (step) go(Number(step.dataset.step));
});

async function go(step) {
    at = (at + step + hits.length) % hits.length;
    tellHits();
    mark(await log.seek(hits[at].seq, hits[at].part));
}

function clearHits() {
    hits = [];
    searched = "";
    tellHits();
    mark(null);
}

function tellHits() {
    find("task-hits").textContent = searched ? (hits.length ? `${at + 1} of ${hits.length}` : "nothing") : "";
    for (const button of search.querySelectorAll("[data-step]")) button.disabled = hits.length === 0;
}

/* The block of the present match stands out, and the words in it. */
function mark(block) {
    for (const marked of document.querySelectorAll(".ct-hit")) marked.classList.remove("ct-hit");
    block?.classList.add("ct-hit");
    if (!globalThis.CSS?.highlights) return;
    const ranges = block && searched ? rangesOf(block, searched.toLowerCase()) : [];
    CSS.highlights.set("ct-words", new Highlight(...ranges));
}

function rangesOf(block, words) {
    const ranges = [];
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.data.toLowerCase();
        for (let from = text.indexOf(words); from >= 0; from = text.indexOf(words, from + words.length)) {
            const range = new Range();
            range.setStart(walker.currentNode, from);
            range.setEnd(walker.currentNode, from + words.length);
            ranges.push(range);
        }
    }
    return ranges;
}

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
