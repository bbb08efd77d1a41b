/* The console's service worker: shows what it is told by Web Push, and says so when the server cannot be reached.

Nothing of anybody's is ever kept: only the page that says "offline", with its look. The server writes `CODETETHER`
(what to keep, and its version) before this text. */
(() => {
    "use strict";

    const { version, kept, offline, icon, badge } = self.CODETETHER;
    const CACHE = `codetether-${version}`;
    const HOME = "/admin/";

    self.addEventListener("install", (event) => {
        event.waitUntil((async () => {
            const cache = await caches.open(CACHE);
            await cache.addAll(kept.map((address) => new Request(address, { cache: "reload" })));
            await self.skipWaiting();
        })());
    });

    self.addEventListener("activate", (event) => {
        event.waitUntil((async () => {
            const names = await caches.keys();
            await Promise.all(names.filter((name) => name.startsWith("codetether-") && name !== CACHE).map((name) => caches.delete(name)));
            await self.registration.navigationPreload?.enable();
            await self.clients.claim();
        })());
    });

    self.addEventListener("fetch", (event) => {
        const { request } = event;
        if (request.mode === "navigate" && request.method === "GET") event.respondWith(fromNetwork(event));
        else if (kept.includes(new URL(request.url).pathname)) event.respondWith(fromNetworkOrKept(request));
    });

    async function fromNetwork(event) {
        try {
            return (await event.preloadResponse) ?? (await fetch(event.request));
        } catch {
            return (await caches.match(offline)) ?? Response.error();
        }
    }

    async function fromNetworkOrKept(request) {
        try {
            return await fetch(request);
        } catch {
            return (await caches.match(request, { ignoreSearch: true })) ?? Response.error();
        }
    }

    self.addEventListener("push", (event) => {
        event.waitUntil(show(event.data?.json() ?? {}));
    });

    async function show({ title = "CodeTether", body = "Something needs you.", tag = "", url = HOME, waiting = 0 }) {
        await Promise.all([
            self.registration.showNotification(title, { body, tag, renotify: Boolean(tag), icon, badge, data: { url } }),
            waiting ? navigator.setAppBadge?.(waiting).catch(() => {}) : undefined,
        ]);
    }

    self.addEventListener("notificationclick", (event) => {
        event.notification.close();
        event.waitUntil(open(event.notification.data?.url ?? HOME));
    });

    async function open(path) {
        const url = new URL(path, self.location.origin);
        if (url.origin !== self.location.origin || !url.pathname.startsWith(HOME)) return;
        const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
        const there = pages.find((page) => new URL(page.url).pathname === url.pathname);
        if (there) await there.focus();
        else await self.clients.openWindow(url.href);
    }
})();
