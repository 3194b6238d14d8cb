import { all, make, on, one, say, word } from "./10-core.js";
import { toast } from "./20-toast.js";

/* A store's tasks: answers wait in the browser's own database until the portal has them; a task is done once anyway. */
const place = one("[data-store]");

function opened() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("store", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("outbox", { keyPath: "url" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function outbox(mode, act) {
  const base = await opened();
  return new Promise((resolve, reject) => {
    const moved = base.transaction("outbox", mode), asked = act(moved.objectStore("outbox"));
    moved.oncomplete = () => resolve(asked.result);
    moved.onerror = () => reject(moved.error);
  });
}

const kept = () => outbox("readonly", (store) => store.getAll());
const waiting = async () => (await kept()).filter((item) => !item.refused);
let busy = false;

async function shown() {
  const items = await waiting(), note = one("[data-outbox]");
  note.hidden = items.length === 0;
  one("[data-outbox-count]", note).textContent = items.length;
  const urls = items.map((item) => item.url);
  const refused = (await kept()).find((item) => item.refused && item.url === one("form[data-answer]")?.getAttribute("action"));
  if (refused) say(refused.refused);
  all("[data-task]").forEach((row) => { row.toggleAttribute("data-waits", urls.includes(row.dataset.task)); });
}

async function send(item) {
  const body = new FormData();
  for (const [name, value] of item.fields) body.append(name, value);
  const answer = await fetch(item.url, { method: "POST", body, headers: { "X-CSRFToken": document.body.dataset.csrf, "X-Outbox": "1", "Idempotency-Key": item.key } });
  if (answer.redirected || answer.status === 401 || answer.status === 403 || answer.status >= 500) return false;
  const said = await answer.json().catch(() => ({}));
  if ([400, 413, 422].includes(answer.status)) {
    // what the portal does not take is not thrown away: the task says why, and answering it again puts this right
    await outbox("readwrite", (store) => store.put({ ...item, refused: said.text ?? String(answer.status) }));
    toast(said.text ?? word("failed", "That did not work. Nothing was changed."), { tone: "bad" });
    return true;
  }
  await outbox("readwrite", (store) => store.delete(item.url));
  if (said.text) toast(said.text, { tone: answer.ok ? "ok" : "bad" });
  if (answer.ok) all(`[data-task="${CSS.escape(item.url)}"]`).forEach((row) => row.remove());
  return true;
}

async function flush() {
  if (busy) return;
  busy = true;
  try {
    for (const item of await waiting()) if (!(await send(item))) break;
  } catch {
    say(word("offline", "The portal did not answer. Check your connection and try again."));
  } finally {
    busy = false;
    await shown();
  }
}

async function start() {
  if ("serviceWorker" in navigator) {
    await navigator.serviceWorker.register("/tasks/sw.js", { scope: "/tasks/" });
    const worker = (await navigator.serviceWorker.ready).active;
    const made = performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => name.startsWith(location.origin));
    worker.postMessage({ keep: [location.pathname, ...made, ...all("[data-task] a").map((link) => link.href)] });
  }
  addEventListener("online", flush);
  setInterval(flush, 15_000);
  await flush();
}

on("submit", "form[data-answer]", async (event, form) => {
  event.preventDefault();
  form.dataset.sent = "1";
  const fields = [...new FormData(form)].filter(([name, value]) => name !== "csrfmiddlewaretoken" && !(value instanceof File && !value.size));
  await outbox("readwrite", (store) => store.put({ url: new URL(form.action).pathname, key: crypto.randomUUID?.() ?? String(Math.random()), fields, at: Date.now() }));
  form.hidden = true;
  one("[data-kept]").hidden = false;
  await flush();
  const here = (await kept()).find((item) => item.url === new URL(form.action).pathname);
  if (here?.refused) { form.hidden = false; one("[data-kept]").hidden = true; } else if (!here) location.assign("/tasks/");
}, true);

// leaving: what was kept here is nobody else's to see
on("submit", "form[action$='/sign-out']", () => { globalThis.caches?.delete("tasks"); indexedDB.deleteDatabase("store"); });

// a code in front of the camera, where the browser can read one
async function scan(input) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const video = make("video", { autoplay: "", playsinline: "", class: "scan" });
  video.srcObject = stream;
  input.after(video);
  const reader = new BarcodeDetector();
  for (let turn = 0; turn < 300 && video.isConnected; turn += 1) {
    const [found] = video.readyState >= 2 ? await reader.detect(video) : [];
    if (found) { input.value = found.rawValue; input.focus(); break; }
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  stream.getTracks().forEach((track) => track.stop());
  video.remove();
}

if (place) {
  start();
  if ("BarcodeDetector" in globalThis && navigator.mediaDevices)
    for (const input of all("form[data-answer] input[name*='code'], form[data-answer] input[name*='sku']")) {
      const button = make("button", { type: "button", class: "btn" }, word("scan", "Scan"));
      button.addEventListener("click", () => scan(input));
      input.after(button);
    }
}
