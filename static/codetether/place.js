/* The page of a codebase or a worker, kept up to date. */
import { Live } from "./live.js";
import { GATHER_MILLISECONDS, KINDS, lookAt } from "./pieces.js";

const page = document.getElementById("place");
if (page) {
    const sign = document.getElementById("place-live");
    let lastId = "";
    sign.hidden = false;
    new Live({
        address: page.dataset.stream, lastId: () => lastId, kinds: KINDS, heard: (event) => { lastId = event.lastEventId; },
        look: lookAt(page), sign, gather: GATHER_MILLISECONDS,
    }).begin();
}
