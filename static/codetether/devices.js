/* The page of notifications: whether this browser is told, and the buttons for it. Permission is asked upon a click. */
const { registered, send, bytes, forget, remember } = window.codetetherApp;
const root = document.getElementById("devices");
const state = document.getElementById("device-state");
const hint = document.getElementById("device-hint");
const on = document.getElementById("device-on");
const off = document.getElementById("device-off");

const HINTS = {
    insecure: "Browsers allow notifications for pages that come by https, or from this very machine, only.",
    home: "On iPhone and iPad, add CodeTether to the Home Screen first (Share → Add to Home Screen), and open it from there.",
    unable: "This browser knows no Web Push.",
    denied: "You have refused notifications from here. Allow them in the browser's settings for this site, then come back.",
};

function say(words, tone, why = "") {
    state.textContent = words;
    state.className = `ct-label ct-${tone}`;
    hint.textContent = why;
    hint.hidden = !why;
}

function obstacle() {
    if (!window.isSecureContext) return "insecure";
    const isApple = /iPhone|iPad/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
    if (!("PushManager" in window) || !("Notification" in window)) {
        return isApple && !matchMedia("(display-mode: standalone)").matches ? "home" : "unable";
    }
    return Notification.permission === "denied" ? "denied" : "";
}

async function digest(text) {
    const raw = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Array.from(new Uint8Array(raw), (one) => one.toString(16).padStart(2, "0")).join("");
}

function sameKey(subscription) {
    const key = new Uint8Array(subscription.options.applicationServerKey ?? []);
    const ours = bytes(root.dataset.key);
    return key.length === ours.length && key.every((one, at) => one === ours[at]);
}

/* The browser's subscription, where it is bound to this installation's present key. */
async function subscription() {
    const found = await (await registered)?.pushManager.getSubscription();
    if (found && !sameKey(found)) {
        await found.unsubscribe();
        return null;
    }
    return found ?? null;
}

async function look() {
    on.hidden = off.hidden = true;
    const why = obstacle();
    if (why) return say("not possible here", "warning", HINTS[why]);
    const found = await subscription();
    const own = found ? root.querySelector(`[data-digest="${await digest(found.endpoint)}"]`) : null;
    own?.querySelector("[data-here]")?.removeAttribute("hidden");
    on.hidden = Boolean(own);
    off.hidden = !own;
    say(own ? "on" : "off", own ? "success" : "default");
}

async function turnOn() {
    if (await Notification.requestPermission() !== "granted") return look();
    const registration = await navigator.serviceWorker.ready;
    await (await subscription())?.unsubscribe(); // one that the server does not know may be dead
    const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(root.dataset.key) });
    const answer = await send(root.dataset.subscribe, made.toJSON());
    if (answer.ok) {
        remember(made.endpoint, root.dataset.key);
        return location.reload();
    }
    await made.unsubscribe();
    const problem = await answer.json().catch(() => ({}));
    say("off", "danger", problem.detail ?? `The server answered with ${answer.status}.`);
}

async function turnOff() {
    await forget();
    location.reload();
}

async function guarded(button, act) {
    button.disabled = true;
    try {
        await act();
    } catch (error) {
        say("off", "danger", `It did not work: ${error.message}`);
    } finally {
        button.disabled = false;
    }
}

if (on) {
    on.addEventListener("click", () => guarded(on, turnOn));
    off.addEventListener("click", () => guarded(off, turnOff));
    look();
}
