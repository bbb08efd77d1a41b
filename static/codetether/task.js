/* Follows a task's log. The stream only hints that something happened; what is shown always comes from the server's
   own rendering (`tail`), asked for from the first block that is still open, so nothing is shown twice or torn. */
(() => {
    "use strict";

    const POLL_MILLISECONDS = 3000;
    const GATHER_MILLISECONDS = 250;
    const LOOK_BACK = 500;
    const KINDS = ["status", "output", "tool_use", "tool_result", "file_change", "message", "usage", "session",
        "input_required", "complete", "error"];

    const page = document.getElementById("task");
    const blocks = document.getElementById("task-blocks");
    const sign = document.getElementById("task-live");
    if (!page?.dataset.live) return;

    let lastSeq = Number(page.dataset.lastSeq);
    let stream = null;
    let timer = null;
    let asking = false;
    let again = false;

    /* The seq before the first block that may still change, if it is not too long ago. */
    function openFrom() {
        const open = [...blocks.querySelectorAll("[data-open]")].map((block) => Number(block.dataset.seq));
        return (open.find((seq) => seq > lastSeq - LOOK_BACK) ?? lastSeq + 1) - 1;
    }

    function replaceFrom(after, html) {
        const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
        const unfolded = new Map();
        for (const block of blocks.querySelectorAll("article")) {
            if (Number(block.dataset.seq) <= after) continue;
            const fold = block.querySelector("details");
            if (fold) unfolded.set(block.dataset.seq, fold.open);
            block.remove();
        }
        const fresh = document.createElement("template");
        fresh.innerHTML = html;
        for (const block of fresh.content.querySelectorAll("article")) {
            const fold = block.querySelector("details");
            if (fold && unfolded.has(block.dataset.seq)) fold.open = unfolded.get(block.dataset.seq);
        }
        blocks.append(fresh.content);
        window.codetether.tellTimes(page);
        if (atEnd) scrollTo({ top: document.documentElement.scrollHeight });
    }

    async function look() {
        if (asking) { again = true; return; }
        asking = true;
        try {
            const after = openFrom();
            const answer = await fetch(`${page.dataset.tail}?after=${after}`, { headers: { Accept: "application/json" } });
            if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
            show(after, await answer.json());
        } catch {
            sign.classList.add("ct-behind");
            sign.textContent = "disconnected, trying again";
        } finally {
            asking = false;
            if (again) { again = false; soon(); }
        }
    }

    function show(after, news) {
        sign.classList.remove("ct-behind");
        sign.textContent = "live";
        if (news.last_seq > lastSeq) {
            replaceFrom(after, news.blocks);
            lastSeq = news.last_seq;
        }
        if (news.more) again = true;
        document.getElementById("task-head").innerHTML = news.head;
        window.codetether.tellTimes(document.getElementById("task-head"));
        const changed = news.asking !== Boolean(page.dataset.asking);
        const writing = document.getElementById("say-message")?.value;
        if ((!news.live || changed) && !writing) { stop(); location.reload(); }
        if (!news.live) stop();
    }

    function soon(milliseconds = GATHER_MILLISECONDS) {
        clearTimeout(timer);
        timer = setTimeout(() => { look().then(() => { if (page.dataset.live) poll(); }); }, milliseconds);
    }

    function poll() {
        if (!again) soon(POLL_MILLISECONDS);
    }

    function listen() {
        if (!page.dataset.stream) return;
        stream = new EventSource(`${page.dataset.stream}?last_event_id=${lastSeq}`);
        for (const kind of KINDS) stream.addEventListener(kind, () => soon());
    }

    function stop() {
        delete page.dataset.live;
        clearTimeout(timer);
        stream?.close();
        sign.hidden = true;
    }

    function begin() {
        if (!page.dataset.live) return;
        listen();
        soon(0);
    }

    document.addEventListener("visibilitychange", () => {
        if (document.hidden) { stream?.close(); clearTimeout(timer); } else begin();
    });
    begin();
})();
