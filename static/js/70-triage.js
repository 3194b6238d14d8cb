import { all, keysOn, on, one, typing } from "./10-core.js";
import { toast, undoNow } from "./20-toast.js";

/* Working through a list by keyboard. A page gives `[data-triage]` around `.items > .item` and its detail; letters are
   wherever an enabled element has `data-key`. A form with `data-act` takes its rows away at once; the answer's
   `HX-Trigger: {"ui:acted": {"text", "undo"}}` confirms with an undo, a refusal brings the rows back with the reason. */
const list = () => one("[data-triage]");
const rows = () => all(".item:not([hidden])", list() ?? document);
const current = () => one(".item[aria-current=true]", list() ?? document);
const chosen = () => all(".item:not([hidden]):has(input:checked)", list() ?? document);

function choose(row) {
  if (!row) return;
  current()?.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  const link = one("a", row);
  link.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  link.click();
}

function move(step) {
  const seen = rows();
  const at = seen.indexOf(current());
  choose(seen[Math.max(0, Math.min(seen.length - 1, at < 0 ? 0 : at + step))]);
}

on("click", ".item .t a", (event, link) => {
  current()?.removeAttribute("aria-current");
  link.closest(".item").setAttribute("aria-current", "true");
  link.closest(".split")?.classList.add("open");
});

function bulk() {
  const bar = one("[data-bulk]");
  if (!bar) return;
  const count = all(".item input:checked", list()).length;
  bar.hidden = count === 0;
  one("[data-bulk-count]", bar).textContent = String(count);
  const more = one("[data-bulk-all]", bar); // "all 231 that match" is a second, explicit step
  if (more) more.hidden = count < rows().length;
}
on("change", ".item input[type=checkbox]", bulk);

// rows leave at once; each request remembers its own, since the next letter may be quicker than the answer to this one
const going = new Map(), answered = [];
let undoable = { address: "", rows: [] };
document.addEventListener("htmx:before:request", (event) => {
  const form = event.target.closest?.("form[data-act]");
  if (!form || !list()) return;
  const gone = chosen().length ? chosen() : [current()].filter(Boolean);
  if (form.dataset.act === "stay" || !gone.length) return;
  const seen = rows();
  const next = seen.slice(seen.indexOf(gone.at(-1)) + 1).find((row) => !gone.includes(row)) ?? seen.findLast((row) => !gone.includes(row));
  going.set(event.detail.ctx, gone);
  gone.forEach((row) => { row.hidden = true; one(".why", row)?.remove(); });
  choose(next);
});
document.addEventListener("htmx:after:request", (event) => { if (going.has(event.detail.ctx)) answered.push(event.detail.ctx); });
document.addEventListener("htmx:finally:request", (event) => { // no word came with the answer, or no answer at all
  const gone = settled(event.detail.ctx);
  if (gone.length && !event.detail.ctx.response?.raw.ok) comeBack(gone, "");
  setTimeout(drain);
});
function settled(ctx) {
  const gone = going.get(ctx) ?? [];
  going.delete(ctx);
  if (answered.includes(ctx)) answered.splice(answered.indexOf(ctx), 1);
  return gone;
}
function comeBack(back, reason) {
  back.forEach((row) => {
    row.hidden = false;
    row.classList.add("back");
    if (reason) { const why = document.createElement("p"); why.className = "why"; why.textContent = reason; row.append(why); }
  });
  choose(back[0]);
  bulk();
}
document.addEventListener("ui:acted", (event) => {
  const { text, undo } = event.detail ?? {};
  const gone = settled(answered[0]);
  gone.forEach((row) => { const box = one("input", row); if (box) box.checked = false; });
  bulk();
  undoable = { address: undo, rows: gone };
  document.dispatchEvent(new CustomEvent("ui:toast", { detail: { text, undo } }));
  const home = list()?.dataset.home; // the last row is gone: what is left to do is known there
  if (home && !rows().length) setTimeout(() => { if (!rows().length) location.assign(home); }, undo ? 8000 : 1500);
});
document.addEventListener("ui:refused", (event) => {
  comeBack(settled(answered[0]), event.detail?.text);
  queue = []; // what was typed after it counted on it
  toast(event.detail?.text ?? "", { tone: "bad" });
});
document.addEventListener("ui:undoing", () => { held = true; });
document.addEventListener("ui:undone", (event) => {
  held = false;
  if (!event.detail.ok) queue = [];
  else if (event.detail.address === undoable.address) comeBack(undoable.rows, "");
  setTimeout(drain);
});

/* Letters are done in the order in which they were typed, each to the case that it meant: one that is marked while another
   still stands beside the list waits for its own, Z waits for the answer that it takes back, and what comes after Z for it. */
let queue = [], held = false, coming = 0;
const MOVES = new Set(["j", "k", "x"]);
const ofDetail = (event) => list() && event.detail.ctx.target?.id === "detail";
const beside = () => one("#detail [data-shows]")?.dataset.shows;
const marked = () => current()?.id.replace("item-", "");
document.addEventListener("htmx:before:request", (event) => { if (ofDetail(event)) coming += 1; });
document.addEventListener("htmx:finally:request", (event) => {
  if (!ofDetail(event)) return;
  coming = Math.max(0, coming - 1);
  if (coming === 0 && beside() && marked() && beside() !== marked() && event.detail.ctx.response?.raw.ok) one("a", current()).click(); // overtaken
});
function ready(key) {
  if (held) return false;
  if (key === "z") return going.size === 0;
  if (MOVES.has(key) || chosen().length) return true;
  return coming === 0 && (!beside() || !marked() || beside() === marked());
}
function drain() {
  if (!queue.length || !ready(queue[0])) return;
  act(queue.shift());
  setTimeout(drain);
}
function act(key) {
  if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "x") one("input", current() ?? document.createElement("p"))?.click();
  else if (key !== "z" || !undoNow()) return press(key);
  return true;
}
function press(key) {
  const within = chosen().length ? one("[data-bulk]") : document;
  const button = all(`[data-key="${CSS.escape(key)}"]`, within ?? document).find((found) => found.offsetParent && !found.disabled);
  button?.focus({ preventScroll: true });
  button?.click();
  return Boolean(button);
}
function meant(key) {
  if (!list()) return press(key);
  if (!queue.length && ready(key)) return act(key);
  queue.push(key);
  return true;
}
document.addEventListener("htmx:after:swap", drain);
document.addEventListener("htmx:error", () => { queue = []; });
on("click", ".item .t a", (event) => { if (event.isTrusted) queue = []; });

document.addEventListener("keydown", (event) => {
  if (!keysOn() || typing(event) || event.metaKey || event.ctrlKey || event.altKey || one("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (key === "enter") {
    if (list() && event.target.matches("body, .item")) one("a", current() ?? document.createElement("p"))?.click();
  } else if (key.length === 1 && meant(key)) event.preventDefault();
});
