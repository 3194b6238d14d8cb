import { all, keysOn, on, one, typing } from "./10-core.js";
import { toast } from "./20-toast.js";

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

let leaving = [];
document.addEventListener("htmx:before:request", (event) => {
  const form = event.target.closest?.("form[data-act]");
  if (!form || !list()) return;
  const gone = chosen().length ? chosen() : [current()].filter(Boolean);
  if (form.dataset.act === "stay" || !gone.length) return;
  const seen = rows();
  const next = seen.slice(seen.indexOf(gone.at(-1)) + 1).find((row) => !gone.includes(row)) ?? seen.findLast((row) => !gone.includes(row));
  leaving = gone;
  gone.forEach((row) => { row.hidden = true; one(".why", row)?.remove(); });
  choose(next);
});
function comeBack(reason) {
  const back = leaving;
  leaving = [];
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
  leaving.forEach((row) => { const box = one("input", row); if (box) box.checked = false; });
  bulk();
  document.dispatchEvent(new CustomEvent("ui:toast", { detail: { text, undo } }));
  const home = list()?.dataset.home; // the last row is gone: what is left to do is known there
  if (home && !rows().length) setTimeout(() => { if (!rows().length) location.assign(home); }, undo ? 8000 : 1500);
});
document.addEventListener("ui:refused", (event) => { comeBack(event.detail?.text); toast(event.detail?.text ?? "", { tone: "bad" }); });
document.addEventListener("ui:undone", (event) => { if (event.detail.ok) comeBack(""); });

// a letter means the case that is marked: while another one still stands beside the list, it waits for its own
let later = "";
const stale = (button) => {
  const stands = one("#detail [data-shows]")?.dataset.shows;
  const meant = current()?.id.replace("item-", "");
  return Boolean(button.closest("#detail") && stands && meant && stands !== meant);
};
function press(key) {
  const within = chosen().length ? one("[data-bulk]") : document;
  const button = all(`[data-key="${CSS.escape(key)}"]`, within ?? document).find((found) => found.offsetParent && !found.disabled);
  if (!button) return false;
  if (stale(button)) { later = key; return true; }
  button.focus({ preventScroll: true });
  button.click();
  return true;
}
document.addEventListener("htmx:after:swap", () => { const key = later; later = ""; if (key) press(key); });

document.addEventListener("keydown", (event) => {
  if (!keysOn() || typing(event) || event.metaKey || event.ctrlKey || event.altKey || one("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (list()) {
    if (key === "j") { move(1); return; }
    if (key === "k") { move(-1); return; }
    if (key === "x") { one("input", current() ?? document.createElement("p"))?.click(); return; }
    if (key === "enter" && event.target.matches("body, .item")) { one("a", current() ?? document.createElement("p"))?.click(); return; }
  }
  if (press(key)) event.preventDefault();
});
