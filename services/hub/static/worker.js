"use strict";
// Keeps the shell and the last feed, to be read without a network. Nothing else of a person is kept, and the feed only
// for the session that it was shown in: it goes with the sign-out, and with the first page of anybody else.

const SHELL = "herald-shell";
const FEED = "herald-feed";
const SESSION = "Herald-Session";
let forgotten = 0; // How often the feed was: what was asked for before that is not kept after it.

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const kept = await (await fetch("/shell.json")).json();
    const cache = await caches.open(SHELL);
    await cache.addAll(kept.files);
    self.skipWaiting();
  })());
});
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  await forget(); // An older worker kept it without its session.
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin === location.origin && url.pathname.startsWith("/auth/")) event.waitUntil(forget());
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(fromShell(request));
  else if (request.mode === "navigate") event.respondWith(page(request, url));
});

async function fromShell(request) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request);
  if (kept) return kept;
  const fresh = await fetch(request);
  if (fresh.ok) cache.put(request, fresh.clone());
  return fresh;
}

async function page(request, url) {
  try {
    const before = forgotten;
    const fresh = await fetch(request);
    if (fresh.ok && before === forgotten) await keep(fresh, url).catch(forget);
    return fresh;
  } catch {
    const feed = url.pathname === "/feed" || url.pathname === "/" ? await caches.match("/feed") : undefined;
    return feed || await caches.match("/offline") || Response.error();
  }
}

async function keep(fresh, url) {
  const session = fresh.headers.get(SESSION);
  const kept = await caches.match("/feed");
  if (kept && kept.headers.get(SESSION) !== session) await forget();
  if (session && url.pathname === "/feed" && !url.search && !fresh.redirected) {
    await (await caches.open(FEED)).put("/feed", fresh.clone());
  }
}

async function forget() {
  forgotten += 1;
  await caches.delete(FEED);
}
