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
    if (page.dataset.words) await words.find(page.dataset.words, wanted || undefined).catch(() => {});
    if (wanted) {
        const sought = words.searched ? words.wordsAt(wanted) : [];
        mark(await log.seek(wanted, partOf(wanted), sought), sought);
    } else {
        log.toEnd();
    }
}

function partOf(place) {
    return Math.floor((place - 1) / Number(page.dataset.part));
}
