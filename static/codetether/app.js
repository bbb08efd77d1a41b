/* What makes the console an app on every page: its service worker, installing it, its colour, the number on its icon,
and notifications that have been seen to. */
(() => {
    "use strict";

    const SCRIPT = "/admin/sw.js", SCOPE = "/admin/";
    const TASK = /^\/admin\/tasks\/task\/([0-9a-f-]{36})\/change\/$/;
    const TOLD = "codetether.told";
    const FORGET_MILLISECONDS = 3000;
    let offer = null;

    const registered = "serviceWorker" in navigator
        ? navigator.serviceWorker.register(SCRIPT, { scope: SCOPE, updateViaCache: "none" }).catch(() => null)
        : Promise.resolve(null);

    function token() {
        return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
    }

    function send(address, body, more = {}) {
        const headers = { "content-type": "application/json", "x-csrftoken": token() };
        return fetch(address, { method: "POST", headers, body: JSON.stringify(body), ...more });
    }

    function showOffer() {
        for (const button of document.querySelectorAll("[data-installs]")) button.hidden = offer === null;
    }

    window.addEventListener("beforeinstallprompt", (event) => {
        event.preventDefault();
        offer = event;
        showOffer();
    });
    window.addEventListener("appinstalled", () => { offer = null; showOffer(); });

    async function install() {
        const asked = offer;
        offer = null;
        showOffer();
        await asked?.prompt();
    }

    /* The frame of an installed app takes the colour that the page has, also when its theme is changed. */
    function followTheme() {
        const meta = document.head.appendChild(Object.assign(document.createElement("meta"), { name: "theme-color" }));
        const paint = () => { meta.content = getComputedStyle(document.body).backgroundColor; };
        new MutationObserver(paint).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
        paint();
    }

    /* Who looks at a task need not be told of it any more. */
    async function closeSeen() {
        const tag = TASK.exec(location.pathname)?.[1];
        const registration = tag ? await registered : null;
        for (const one of await registration?.getNotifications({ tag }) ?? []) one.close();
    }

    function countOnIcon() {
        const link = document.querySelector(`a[href="${SCOPE}tasks/task/"]`);
        if (!link || !navigator.setAppBadge) return;
        const waiting = Number.parseInt(link.parentElement.querySelector(".sidebar-badge")?.textContent ?? "0", 10) || 0;
        (waiting ? navigator.setAppBadge(waiting) : navigator.clearAppBadge()).catch(() => {});
    }

    /* Browsers change their subscription at times: a device that is turned on stays so, under its new address. */
    async function stayTold() {
        const kept = JSON.parse(localStorage.getItem(TOLD) ?? "null");
        const pushes = kept && self.Notification?.permission === "granted" ? (await registered)?.pushManager : null;
        const found = await pushes?.getSubscription();
        if (!pushes || found?.endpoint === kept.endpoint) return;
        const options = { userVisibleOnly: true, applicationServerKey: bytes(kept.key) };
        const made = found ?? (await pushes.subscribe(options));
        if ((await send("/admin/push/subscribe/", made.toJSON())).ok) remember(made.endpoint, kept.key);
    }

    function remember(endpoint, key) {
        localStorage.setItem(TOLD, JSON.stringify({ endpoint, key }));
    }

    function bytes(text) {
        return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    }

    /* Whoever signs out here is not told here any more: the next person at this device is somebody else. */
    async function forget() {
        localStorage.removeItem(TOLD);
        const registration = await navigator.serviceWorker?.getRegistration(SCOPE);
        const subscription = await registration?.pushManager?.getSubscription();
        if (!subscription) return;
        const signal = AbortSignal.timeout(FORGET_MILLISECONDS);
        await send("/admin/push/forget/", { endpoint: subscription.endpoint }, { signal });
        await subscription.unsubscribe();
    }

    document.addEventListener("DOMContentLoaded", () => {
        showOffer();
        followTheme();
        countOnIcon();
        closeSeen();
        stayTold().catch(() => {}); // a push service that is away: at the next page
    });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) closeSeen(); });
    document.addEventListener("click", (event) => {
        if (event.target.closest?.("[data-installs]")) install();
    });
    document.addEventListener("submit", (event) => {
        const form = event.target;
        if (form.id !== "logout-form" || form.dataset.forgotten || !("serviceWorker" in navigator)) return;
        event.preventDefault();
        form.dataset.forgotten = "yes";
        forget().catch(() => {}).finally(() => form.submit());
    });

    window.codetetherApp = { registered, send, bytes, forget, remember };
})();
