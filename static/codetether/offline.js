/* The page without a network goes on to what was asked for as soon as the server can be reached again. */
(() => {
    "use strict";

    const EVERY_MILLISECONDS = 15000;

    async function look() {
        try {
            if ((await fetch("/health", { cache: "no-store" })).ok) location.reload();
        } catch {
            // not yet
        }
    }

    window.addEventListener("online", look);
    setInterval(look, EVERY_MILLISECONDS);
})();
