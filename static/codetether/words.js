/* Words in a transcript: asks where they are, goes from match to match, and lets them stand out. */
import { asked } from "./live.js";

export class Words {
    /* `form` has a field `q`, a `[data-hits]` that says how many, and `[data-step]` buttons; `log` is a Log. */
    constructor(form, address, log) {
        Object.assign(this, { form, address, log });
        this.hits = [];
        this.at = -1;
        this.searched = "";
        form.hidden = false;
        form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
        form.elements.q.addEventListener("input", () => { if (!form.elements.q.value) this.#clear(); });
        form.addEventListener("click", (event) => {
            const step = event.target.closest("[data-step]");
            if (step) this.#go(Number(step.dataset.step));
        });
    }

    async #submit() {
        const words = this.form.elements.q.value.trim();
        if (words === this.searched && this.hits.length) { await this.#go(1); return; }
        await this.find(words);
        if (this.hits.length) await this.#go(-1);
    }

    /* Asks where the words are; `at` names the place to begin from, by default after the last of them. */
    async find(words, at = Infinity) {
        this.searched = words;
        this.hits = words ? (await asked(`${this.address}?q=${encodeURIComponent(words)}`)).hits : [];
        this.at = this.hits.findLastIndex((hit) => hit.seq <= at);
        if (at === Infinity) this.at = this.hits.length;
        this.#tell();
    }

    /* The words that a place has, as far as is known. */
    wordsAt(seq) {
        return this.hits.find((hit) => hit.seq === seq)?.words ?? [this.searched];
    }

    async #go(step) {
        if (!this.hits.length) return;
        const from = this.at < 0 && step < 0 ? 0 : this.at;
        this.at = (from + step + this.hits.length) % this.hits.length;
        this.#tell();
        const hit = this.hits[this.at];
        const words = this.wordsAt(hit.seq);
        mark(null);
        await this.log.seek(hit.seq, hit.part, words, (block) => mark(block, words));
    }

    #clear() {
        this.hits = [];
        this.searched = "";
        this.#tell();
        mark(null);
    }

    #tell() {
        const place = this.at >= 0 && this.at < this.hits.length ? `${this.at + 1} of ${this.hits.length}` : `${this.hits.length} found`;
        this.form.querySelector("[data-hits]").textContent = this.searched ? (this.hits.length ? place : "nothing") : "";
        for (const button of this.form.querySelectorAll("[data-step]")) button.disabled = this.hits.length === 0;
    }
}

/* The block stands out, and the words in it. */
export function mark(block, words = []) {
    for (const marked of document.querySelectorAll(".ct-hit")) marked.classList.remove("ct-hit");
    block?.classList.add("ct-hit");
    if (!globalThis.CSS?.highlights) return;
    const ranges = block ? words.filter(Boolean).flatMap((one) => rangesOf(block, one.toLowerCase())) : [];
    CSS.highlights.set("ct-words", new Highlight(...ranges));
}

export function holds(element, words) {
    const text = element.textContent.toLowerCase();
    return words.some((one) => one && text.includes(one.toLowerCase()));
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
