/* Keeps the pages of a store's tasks, and what they are made of, at hand where there is no network. */
const KEPT = "tasks";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function keep(request, answer) {
  if (answer.ok && !answer.redirected) (await caches.open(KEPT)).put(request, answer.clone());
  return answer;
}

async function fresh(request) {
  try {
    return await keep(request, await fetch(request));
  } catch (error) {
    const kept = await caches.match(request, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

async function lasting(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? keep(request, await fetch(request));
}

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/tasks/")) event.respondWith(fresh(request));
  else if (url.pathname.startsWith("/static/") || url.pathname.startsWith("/brand/")) event.respondWith(lasting(request));
});

self.addEventListener("message", (event) => {
  const work = (event.data.keep ?? []).map((url) => fetch(url).then((answer) => keep(new Request(url), answer)).catch(() => undefined));
  event.waitUntil(Promise.all(work));
});
