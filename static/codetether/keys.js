/* Keys of ours beside unfold's: "g" and a letter goes to a page of the menu, "/" searches also where there is no list. */
(() => {
    "use strict";

    const PLACES = {
        o: "/admin/", t: "/admin/tasks/task/", s: "/admin/agent_sessions/agentsession/", c: "/admin/codebases/codebase/",
        w: "/admin/workers/worker/", a: "/admin/audit/auditentry/",
    };
    const NEEDS_A_PERSON = "?needs=person";
    const WAIT_MILLISECONDS = 1500;
    let begunAt = -Infinity;

    /* Where letters are text, or the page lies below a dialog. */
    function isElsewhere(target) {
        return target.closest?.("input, textarea, select, [contenteditable], [role=dialog]") !== null;
    }

    function go(letter) {
        const place = PLACES[letter === "n" ? "t" : letter];
        const link = place && document.querySelector(`#nav-sidebar-apps a[href="${place}"]`);  // only what the menu offers
        if (link) location.assign(letter === "n" ? place + NEEDS_A_PERSON : place);
    }

    function search(event) {
        if (document.getElementById("searchbar")) return;  // unfold goes there
        event.preventDefault();
        const log = document.querySelector("#task-search:not([hidden]) input");
        if (log) log.focus();
        else window.dispatchEvent(new CustomEvent("opencommand"));
    }

    window.addEventListener("keydown", (event) => {
        if (event.metaKey || event.ctrlKey || event.altKey || isElsewhere(event.target)) return;
        const begun = event.timeStamp - begunAt < WAIT_MILLISECONDS;
        begunAt = event.key === "g" && !begun ? event.timeStamp : -Infinity;
        if (begun) {
            event.preventDefault();
            event.stopImmediatePropagation();  // by itself the letter may mean something else to unfold
            go(event.key);
        } else if (event.key === "/") {
            search(event);
        }
    }, true);
})();
