"use strict";
// Keeps the shell and the last feed, to be read without a network. Nothing else of a person is kept.

const SHELL = "herald-shell";
const FEED = "herald-feed";

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const kept = await (await fetch("/shell.json")).json();
    const cache = await caches.open(SHELL);
    await cache.addAll(kept.files);
    self.skipWaiting();
  })());
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
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
    const fresh = await fetch(request);
    if (url.pathname === "/welcome") await caches.delete(FEED);
    if (fresh.ok && url.pathname === "/feed" && !url.search && !fresh.redirected) {
      (await caches.open(FEED)).put("/feed", fresh.clone());
    }
    return fresh;
  } catch {
    const feed = url.pathname === "/feed" || url.pathname === "/" ? await caches.match("/feed") : undefined;
    return feed || await caches.match("/offline") || Response.error();
  }
}
