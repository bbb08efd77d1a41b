/* A long log of which only the parts about the reader's place are in the page. Each part is a section; one that is far
   away is empty and as high as it was (or as such parts usually are). The HTML is the server's, which escapes all
   that agents say. */
import { asked } from "./live.js";

const USUAL_HEIGHT = 3000;
const NEAR = "1500px 0px";
const AT_END_PIXELS = 40;
const KEPT = 60;
const TURNS = 25;
const CALM_TURNS = 3;
const GOING = ["wheel", "touchmove", "keydown"];

export class Log {
    constructor(box, partAddress, lastPart) {
        this.box = box;
        this.partAddress = partAddress;
        this.sections = new Map();
        this.kept = new Map();
        this.asking = new Map();
        this.following = true;
        this.sought = null;
        this.moved = () => {};
        this.shown = () => {};
        this.unfolds = () => true;
        this.watcher = new IntersectionObserver((entries) => this.#seen(entries), { root: box, rootMargin: NEAR });
        for (const section of box.querySelectorAll(".ct-part")) {
            this.sections.set(Number(section.dataset.number), section);
            section.dataset.full = "1";
        }
        this.grow(lastPart);
        box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    }

    /* There is a section for each part up to `lastPart`. */
    grow(lastPart) {
        const before = this.box.scrollHeight;
        const height = `${this.#usual()}px`; // asked once: after each change the browser would lay out the page for it
        let next = null;
        let earlier = 0;
        for (let number = lastPart; number >= 0; number -= 1) {
            if (!this.sections.has(number)) {
                this.#add(number, height, next);
                if (next) earlier += 1;
            }
            next = this.sections.get(number);
        }
        if (earlier) this.box.scrollTop += this.box.scrollHeight - before;
        for (const section of this.sections.values()) this.watcher.observe(section);
    }

    #add(number, height, next) {
        const section = document.createElement("section");
        section.className = "ct-part";
        section.dataset.number = number;
        section.style.height = height;
        this.sections.set(number, section);
        this.box.insertBefore(section, next);
    }

    /* Puts new HTML of a part in place; what has not changed stays, with its folds and what is selected in it. */
    put(number, html) {
        this.#keep(number, html);
        const section = this.sections.get(number);
        if (!section) return;
        this.#steady(section, () => {
            section.style.height = "";
            fill(section, html);
            section.dataset.full = "1";
        });
        this.shown(section);
    }

    toEnd() {
        this.following = true;
        this.box.scrollTop = this.box.scrollHeight;
        this.moved();
    }

    /* Brings the block that holds an event into view, with the folds in it that `unfolds` (fold, words) says, tells
       `found` of it, and resolves to it once it rests; to null where its part has none. */
    async seek(seq, number, words = [], found = () => {}) {
        this.following = false;
        for (const near of [number, number - 1]) {
            if (!this.sections.has(near)) continue;
            await this.#load(near);
            const block = blockOf(this.sections.get(near), seq);
            if (!block) continue;
            for (const fold of block.querySelectorAll("details")) fold.open ||= this.unfolds(fold, words);
            found(block);
            block.scrollIntoView({ block: "center" });
            await this.#settled(block, this.sections.get(near));
            this.following = false;
            this.moved();
            return block;
        }
        return null;
    }

    /* Parts about the block load and push it; it is brought back until it rests, or until the reader goes elsewhere.
       Its own part stays meanwhile, also while it is far away. */
    async #settled(block, section) {
        let calm = 0;
        const leave = () => { calm = CALM_TURNS; };
        for (const kind of GOING) this.box.addEventListener(kind, leave, { passive: true });
        this.sought = section;
        for (let turn = 0; turn < TURNS && calm < CALM_TURNS; turn += 1) {
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 60)));
            await Promise.allSettled([...this.asking.values()]);
            if (calm === CALM_TURNS || this.sought !== section) break;
            const before = this.box.scrollTop;
            block.scrollIntoView({ block: "center" });
            calm = Math.abs(this.box.scrollTop - before) < 1 ? calm + 1 : 0;
        }
        if (this.sought === section) this.sought = null;
        for (const kind of GOING) this.box.removeEventListener(kind, leave);
    }

    #seen(entries) {
        for (const { target, isIntersecting } of entries) {
            const number = Number(target.dataset.number);
            if (isIntersecting) this.#load(number).catch(() => {});
            else if (target.dataset.full && target.offsetHeight) this.#empty(target);
        }
    }

    #empty(section) {
        if (section === this.sought || section === this.box.lastElementChild || section.contains(getSelection()?.anchorNode)) return;
        const height = section.offsetHeight;
        section.style.height = `${height}px`;
        section.replaceChildren();
        delete section.dataset.full;
    }

    async #load(number) {
        const section = this.sections.get(number);
        if (!section || section.dataset.full) return;
        if (!this.kept.has(number)) {
            if (!this.asking.has(number)) this.asking.set(number, asked(`${this.partAddress}?number=${number}`));
            try {
                this.#keep(number, (await this.asking.get(number)).html);
            } finally {
                this.asking.delete(number);
            }
        }
        if (!section.dataset.full) this.put(number, this.kept.get(number));
    }

    #keep(number, html) {
        this.kept.delete(number);
        this.kept.set(number, html);
        if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
    }

    /* Changes a section without moving what the reader sees. */
    #steady(section, change) {
        const isAbove = section.offsetTop + section.offsetHeight <= this.box.scrollTop + 1;
        const before = section.offsetHeight;
        change();
        if (this.following) this.box.scrollTop = this.box.scrollHeight;
        else if (isAbove) this.box.scrollTop += section.offsetHeight - before;
    }

    #scrolled() {
        this.following = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < AT_END_PIXELS;
        this.moved();
    }

    #usual() {
        const full = [...this.sections.values()].filter((section) => section.dataset.full);
        const heights = full.map((section) => section.offsetHeight).filter(Boolean);
        return heights.length ? Math.max(...heights) : USUAL_HEIGHT;
    }
}

/* The article that shows an event: a call for its result, a text for any of its pieces. */
function blockOf(section, seq) {
    const blocks = [...section.querySelectorAll("article")];
    const spans = (block) => Number(block.dataset.seq) <= seq && seq <= Number(block.dataset.last);
    return blocks.find((block) => Number(block.dataset.last) === seq && spans(block))
        ?? blocks.find((block) => Number(block.dataset.seq) === seq)
        ?? blocks.filter(spans).at(-1)
        ?? null;
}

function fill(section, html) {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const old = new Map([...section.children].map((block) => [block.dataset.seq, block]));
    const blocks = [...fresh.content.children].map((block) => {
        const written = block.outerHTML;
        const before = old.get(block.dataset.seq);
        if (before?.written === written) return before;
        block.written = written;
        const was = before?.querySelector("details");
        const fold = block.querySelector("details");
        if (was && fold) fold.open = was.open;
        return block;
    });
    for (const [at, block] of blocks.entries()) {
        if (section.children[at] !== block) section.insertBefore(block, section.children[at] ?? null);
    }
    while (section.children.length > blocks.length) section.lastElementChild.remove();
}
