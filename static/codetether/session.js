/* The page of a session: its transcript, of which only the parts about the reader's place are in the page. */
import { Log } from "./log.js";
import { Words, holds, mark } from "./words.js";

const page = document.getElementById("session");
const box = document.getElementById("session-log");
if (box) begin(page.dataset.address.replace(/change\/$/, ""));

async function begin(base) {
    const log = new Log(box, `${base}part/`, Number(page.dataset.lastPart));
    const below = document.getElementById("session-below");
    const words = new Words(document.getElementById("session-search"), `${base}search/`, log);
    log.shown = (section) => window.codetether.tellTimes(section);
    log.moved = () => { below.hidden = log.following; };
    log.unfolds = (fold, sought) => holds(fold, sought);
    below.addEventListener("click", () => { log.toEnd(); box.focus(); });

    const wanted = Number(page.dataset.at);
    const found = page.dataset.words ? words.find(page.dataset.words, wanted || undefined).catch(() => {}) : null;
    if (!wanted) { log.toEnd(); return; }
    const block = await log.seek(wanted, partOf(wanted)); // at once: what is far from the reader's place is taken out
    await found;
    const sought = words.searched ? words.wordsAt(wanted) : [];
    for (const fold of block?.querySelectorAll("details") ?? []) fold.open ||= holds(fold, sought);
    mark(block, sought);
}

function partOf(place) {
    return Math.floor((place - 1) / Number(page.dataset.part));
}
