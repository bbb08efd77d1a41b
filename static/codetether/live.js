/* A stream of Server-Sent Events that a page follows: from where it stopped, not while nobody looks, and with a sign
   that says how it stands. What comes is only a hint; what is shown is asked for from the server. */

const POLL_MILLISECONDS = 4000;
const CALM_POLL_MILLISECONDS = 15000;
const GATHER_MILLISECONDS = 400;

export class Live {
    /* `address` (may be empty: then it only polls), `lastId` () => text, `kinds` to listen for, `heard` (event) for each,
       `look` async () => whether there may be more, at most every `gather` ms; `sign` is the element that shows the state. */
    constructor({ address, lastId, kinds, heard, look, sign, gather = GATHER_MILLISECONDS }) {
        Object.assign(this, { address, lastId, kinds, heard, look, sign, gather });
        this.stopped = false;
        this.looking = false;
        this.again = false;
        this.behind = false;
        document.addEventListener("visibilitychange", () => (document.hidden ? this.#rest() : this.begin()));
    }

    begin() {
        if (this.stopped || document.hidden) return;
        this.#listen();
        this.soon(0);
    }

    /* Nothing more will come. */
    stop() {
        this.stopped = true;
        this.#rest();
        this.sign.hidden = true;
    }

    soon(milliseconds = this.gather) {
        if (this.stopped || document.hidden) return;
        const at = Date.now() + milliseconds;
        if (this.timer && this.due <= at) return;
        clearTimeout(this.timer);
        this.due = at;
        this.timer = setTimeout(() => { this.timer = null; this.#look(); }, milliseconds);
    }

    async #look() {
        if (this.looking) { this.again = true; return; }
        this.looking = true;
        try {
            if (await this.look()) this.again = true;
            this.behind = false;
        } catch (error) {
            if (!(error instanceof TypeError || error instanceof AnswerError)) throw error;
            this.behind = true;
        } finally {
            this.looking = false;
            this.#tell();
            const hears = this.stream?.readyState === EventSource.OPEN && !this.behind;
            const wait = this.again ? this.gather : hears ? CALM_POLL_MILLISECONDS : POLL_MILLISECONDS;
            this.again = false;
            this.soon(wait);
        }
    }

    #listen() {
        if (!this.address || this.stream) return;
        const lastId = this.lastId();
        const address = new URL(this.address, location.href);
        if (lastId !== "") address.searchParams.set("last_event_id", lastId);
        this.stream = new EventSource(address);
        this.stream.addEventListener("open", () => this.#tell());
        this.stream.addEventListener("error", (event) => { if (!event.data) this.#lost(); });
        for (const kind of this.kinds) {
            this.stream.addEventListener(kind, (event) => {
                if (event.data === undefined) return;
                this.heard?.(event);
                this.soon();
            });
        }
    }

    /* The browser comes back by itself, unless the server refused. */
    #lost() {
        this.#tell();
        if (this.stream?.readyState !== EventSource.CLOSED) return;
        this.stream = null;
        setTimeout(() => { if (!document.hidden && !this.stopped) this.#listen(); }, POLL_MILLISECONDS);
    }

    #rest() {
        this.stream?.close();
        this.stream = null;
        clearTimeout(this.timer);
        this.timer = null;
    }

    #tell() {
        const lost = this.behind || (this.stream && this.stream.readyState !== EventSource.OPEN);
        this.sign.classList.toggle("ct-behind", Boolean(lost));
        const words = lost ? "disconnected, trying again" : "live";
        if (this.sign.textContent !== words) this.sign.textContent = words;
    }
}

export class AnswerError extends Error {}

/* JSON of one of our own pages. */
export async function asked(address) {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok || !answer.headers.get("content-type")?.includes("json")) throw new AnswerError(`HTTP ${answer.status}`);
    return answer.json();
}
