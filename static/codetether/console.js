/* What every page of the console does: times in the reader's zone, copying, and forms that send themselves. */
(() => {
    "use strict";

    const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
    const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto", style: "narrow" });
    const REFRESH_MILLISECONDS = 20000;
    const ZONE_SECONDS = 31536000;
    const SPOKEN = { hub: "Overview", search: "Search" };

    /* So that what the server writes agrees with what is written here. */
    function tellZone() {
        const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
        const secure = location.protocol === "https:" ? "; secure" : "";
        if (zone) document.cookie = `codetether_zone=${zone}; path=/admin/; max-age=${ZONE_SECONDS}; samesite=lax${secure}`;
    }

    function ago(at) {
        const seconds = (at.getTime() - Date.now()) / 1000;
        if (Math.abs(seconds) < 1) return "now";
        const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
        return words.format(Math.trunc(seconds / size), unit);
    }

    function tellTimes(root) {
        for (const element of root.querySelectorAll("time.ct-ago, time.ct-clock")) {
            const at = new Date(element.dateTime);
            if (Number.isNaN(at.getTime())) continue;
            element.title = at.toLocaleString([], { dateStyle: "medium", timeStyle: "long" });
            element.textContent = element.classList.contains("ct-ago") ? ago(at) : at.toLocaleTimeString();
        }
    }

    /* Icons are words in a font of their own: read aloud they say "chevron_right". Where one is all that a link has, its
       word stays, or a better one is given. */
    function hushIcons(root) {
        for (const icon of root.querySelectorAll(".material-symbols-outlined")) {
            const control = icon.closest("a, button");
            const is_alone = control && control.textContent.trim() === icon.textContent.trim();
            if (is_alone && SPOKEN[icon.textContent.trim()]) control.ariaLabel = SPOKEN[icon.textContent.trim()];
            if (!is_alone || control.ariaLabel || control.title) icon.ariaHidden = "true";
        }
    }

    async function copy(button) {
        const text = document.getElementById(button.dataset.copies).textContent;
        const before = button.textContent;
        try {
            await navigator.clipboard.writeText(text);
            button.textContent = "Copied";
        } catch {
            getSelection().selectAllChildren(document.getElementById(button.dataset.copies));
            button.textContent = "Selected: press Ctrl-C";
        }
        setTimeout(() => { button.textContent = before; }, 2500);
    }

    tellZone();
    document.addEventListener("DOMContentLoaded", () => {
        tellTimes(document);
        hushIcons(document);
        setInterval(() => { if (!document.hidden) tellTimes(document); }, REFRESH_MILLISECONDS);
    });
    document.addEventListener("click", (event) => {
        const button = event.target.closest?.("[data-copies]");
        if (button) copy(button);
    });
    document.addEventListener("change", (event) => {
        if (event.target.matches?.("[data-submits]")) event.target.form.requestSubmit();
    });

    window.codetether = { tellTimes };
})();
