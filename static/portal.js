const root = document.documentElement;
root.classList.add("js");
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
function on(type, selector, act, capture = false) {
  document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(event, found);
  }, capture);
}
const typing = (event) =>
  event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") != null;
const keysOn = () => root.dataset.keys !== "off";
let words = {};
try { words = JSON.parse(document.body.dataset.words ?? "{}"); } catch { /* the English below stands */ }
const word = (key, fallback, value = "") => (words[key] ?? fallback).replace("%s", value);
function say(text) {
  const place = one("#say");
  if (place) place.textContent = text;
}
function post(url, fields = {}) {
  return fetch(url, {
    method: "POST",
    body: new URLSearchParams(fields),
    credentials: "same-origin",
    headers: { "X-CSRFToken": document.body.dataset.csrf ?? "", "HX-Request": "true", "HX-Request-Type": "partial" },
  });
}
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}
const SECONDS = 8;
let undoNewest = null;
function toast(text, { tone = "ok", undo = null } = {}) {
  const box = make("div", { class: `toast ${tone}`, role: "status" }, icon(tone === "bad" ? "octagon-alert" : "circle-check"), make("span", {}, text));
  undoNewest = null;
  if (undo) {
    const button = make("button", { type: "button" }, word("undo", "Undo"));
    button.addEventListener("click", () => { undoNewest = null; box.remove(); undo(); });
    undoNewest = () => button.click();
    box.append(button, make("kbd", {}, "Z"));
  }
  show(box);
}
function show(box) {
  const place = one(".toasts");
  place.replaceChildren(box);
  if (place.showPopover) { // above an open dialog
    if (place.matches(":popover-open")) place.hidePopover();
    place.showPopover();
  }
  leave(box);
}
function leave(box) {
  let timer = setTimeout(() => gone(box), SECONDS * 1000);
  const hold = () => clearTimeout(timer);
  const go = () => { timer = setTimeout(() => gone(box), 2500); };
  box.addEventListener("pointerenter", hold);
  box.addEventListener("focusin", hold);
  box.addEventListener("pointerleave", go);
  box.addEventListener("focusout", go);
}
function gone(box) {
  if (one(".toasts").contains(box)) undoNewest = null;
  box.remove();
}
function undoAt(address) {
  return async () => {
    document.dispatchEvent(new CustomEvent("ui:undoing", { detail: { address } }));
    const answer = await post(address).catch(() => ({ ok: false }));
    document.dispatchEvent(new CustomEvent("ui:undone", { detail: { address, ok: answer.ok } }));
    toast(answer.ok ? word("undone", "Undone") : word("notUndone", "This can no longer be undone."), { tone: answer.ok ? "ok" : "bad" });
  };
}
document.addEventListener("ui:toast", (event) => {
  const { text, tone, undo } = event.detail ?? {};
  toast(text ?? event.detail?.value ?? "", { tone, undo: typeof undo === "string" ? undoAt(undo) : undo });
});
function undoNow() {
  if (!undoNewest) return false;
  undoNewest();
  return true;
}
document.addEventListener("keydown", (event) => { // where one works through a list, Z keeps its place among the other letters
  if (one("[data-triage]") || event.key.toLowerCase() !== "z" || !keysOn() || typing(event) || event.metaKey || event.ctrlKey || event.altKey) return;
  if (undoNow()) event.preventDefault();
});
on("click", ".toast [data-undo]", (event, button) => { event.preventDefault(); button.closest(".toast").remove(); undoAt(button.dataset.undo)(); });
all(".toasts .toast").forEach((box) => { show(box); });
// the sidebar as a drawer: without JavaScript the address fragment #side opens it
const side = one("#side");
function drawer(open) {
  side.toggleAttribute("data-open", open);
  if (open) one("a, button", side)?.focus();
  else one(".menu-b")?.focus();
}
on("click", ".menu-b", (event) => { event.preventDefault(); drawer(true); });
on("click", ".closeside", (event) => { event.preventDefault(); drawer(false); });
side?.addEventListener("click", (event) => { if (event.target === side) drawer(false); });
one(".nav [aria-current]", side ?? document)?.scrollIntoView({ block: "nearest" }); // a long list scrolls by itself
// pop-over menus are native; a browser without anchors gets its place computed
const anchors = CSS.supports("position-area", "block-end");
document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.(".menu") || event.newState !== "open") return;
  if (!anchors) {
    const button = one(`[popovertarget="${menu.id}"]`)?.getBoundingClientRect();
    if (button) {
      const below = button.bottom + menu.offsetHeight < innerHeight;
      menu.style.setProperty("inset", "auto");
      menu.style.setProperty("top", `${below ? button.bottom : button.top - menu.offsetHeight - 12}px`);
      menu.style.setProperty("left", `${Math.max(8, Math.min(button.left, innerWidth - menu.offsetWidth - 8))}px`);
    }
  }
  (one("[autofocus], input:not([type=hidden])", menu) ?? one("a, button", menu))?.focus();
}, true);
on("keydown", ".menu", (event, menu) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const choices = all("a, button, input", menu).filter((choice) => choice.offsetParent);
  event.preventDefault();
  choices.at((choices.indexOf(document.activeElement) + step) % choices.length)?.focus();
});
on("input", "[data-narrow]", (event, field) => { // a long list in a menu, narrowed while typing
  const wanted = field.value.trim().toLocaleLowerCase();
  let shown = 0;
  for (const entry of all(field.dataset.narrow)) {
    entry.hidden = !entry.textContent.toLocaleLowerCase().includes(wanted);
    shown += entry.hidden ? 0 : 1;
  }
  say(word("found", "%s found", String(shown)));
});
// dialogs: a link with data-dialog opens its page's form over this page; without JavaScript it is a page of its own
document.addEventListener("htmx:after:swap", () => {
  const box = one("#dialog");
  if (box && !box.open && one("#dialog-body")?.childElementCount) box.showModal();
});
on("click", "[data-close]", (event, button) => {
  const box = button.closest("dialog");
  if (box) { event.preventDefault(); box.close(); } // on a page of its own it stays the link that it is
});
on("click", "dialog", (event, box) => { if (event.target === box) box.close(); });
one("#dialog")?.addEventListener("close", () => one("#dialog-body").replaceChildren());
on("input", "[data-typed]", (event, field) => { // "type its name": the button wakes up when it matches
  const button = one("[data-needs-typed]", field.form);
  if (button) button.disabled = field.value.trim() !== field.dataset.typed;
});
const sleepTyped = (within) => all("[data-typed]", within).forEach((field) => field.dispatchEvent(new Event("input", { bubbles: true })));
sleepTyped(document);
document.addEventListener("htmx:after:swap", () => sleepTyped(document));
// copying
on("click", "[data-copy]", async (event, button) => {
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    toast(word("copied", "Copied %s", button.dataset.copy.length > 40 ? "" : button.dataset.copy));
  } catch {
    toast(word("notCopied", "Your browser did not allow copying."), { tone: "bad" });
  }
});
// lighting: at once here, kept by the server
on("submit", "form[data-theme-form]", (event, form) => {
  event.preventDefault();
  const theme = event.submitter.value;
  root.dataset.theme = theme;
  all("[name=theme]", form).forEach((button) => button.setAttribute("aria-pressed", String(button.value === theme)));
  post(form.action, { theme });
});
// times: "4 min ago" grows older while one looks
const language = root.lang || "en";
const relative = new Intl.RelativeTimeFormat(language, { style: "short", numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
function ago(instant, now = Date.now()) {
  const seconds = Math.round((instant - now) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[3];
  return relative.format(Math.trunc(seconds / size), unit);
}
function refreshTimes() {
  if (document.hidden) return;
  for (const time of all("time[data-rel]")) {
    const at = Date.parse(time.dateTime);
    if (Math.abs(Date.now() - at) < 6 * 86400 * 1000) time.textContent = ago(at);
  }
}
setInterval(refreshTimes, 30_000);
// the sheet of keys
on("click", "[data-keysheet]", (event) => { event.preventDefault(); one("#keysheet")?.showModal(); });
document.addEventListener("keydown", (event) => {
  if (event.key === "?" && keysOn() && !typing(event)) { event.preventDefault(); one("#keysheet")?.showModal(); }
  if (event.key === "Escape" && side?.hasAttribute("data-open")) drawer(false);
});
on("change", "select[data-go]", (event, select) => { select.form.requestSubmit(); });
{
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const listed = (rows) => rows?.map((row) => ({ ...row, id: bytes(row.id) }));
async function made(asked) {
  const publicKey = {
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: listed(asked.excludeCredentials) ?? [],
  };
  const found = await navigator.credentials.create({ publicKey });
  return {
    ...named(found),
    response: {
      clientDataJSON: text(found.response.clientDataJSON),
      attestationObject: text(found.response.attestationObject),
    },
  };
}
async function shown(asked) {
  const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: listed(asked.allowCredentials) };
  const found = await navigator.credentials.get({ publicKey });
  const { authenticatorData, clientDataJSON, signature, userHandle } = found.response;
  return {
    ...named(found),
    response: {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
      ...(userHandle ? { userHandle: text(userHandle) } : {}),
    },
  };
}
const named = (found) => ({ id: found.id, rawId: text(found.rawId), type: found.type, clientExtensionResults: {} });
function tell(form, words) {
  const place = one("[data-passkey-says]", form);
  place.textContent = words;
  place.hidden = false;
}
on("submit", "form[data-passkey]", async (event, form) => {
  if (one("input[name=answer]", form).value) return;
  event.preventDefault();
  if (!window.PublicKeyCredential) {
    tell(form, word("noPasskeys", "This browser has no passkeys."));
    return;
  }
  try {
    const response = await post(form.dataset.passkey);
    if (!response.ok || !response.headers.get("Content-Type")?.includes("json")) throw new Error(response.statusText);
    const { publicKey } = await response.json();
    const answer = await (form.dataset.passkeyNew === undefined ? shown(publicKey) : made(publicKey));
    one("input[name=answer]", form).value = JSON.stringify(answer);
    form.requestSubmit();
  } catch {
    tell(form, word("notShown", "That did not work. Try again, or choose another way."));
  }
});
}
{
const box = one("#cmd");
const field = box && one("input", box);
let chosen = -1;
let waiting = null;
let asking = null;
let answered = null; // what the hits that are shown were asked for
let hurried = false; // Enter was pressed before they came
function open() {
  if (!box || box.open) return;
  all("[popover]:popover-open").forEach((menu) => menu.hidePopover());
  box.showModal();
  field.select();
  ask();
}
async function ask() {
  asking?.abort();
  asking = new AbortController();
  const asked = field.value.trim();
  const url = new URL(box.dataset.url, location.href);
  url.searchParams.set("q", asked);
  try {
    const answer = await fetch(url, { signal: asking.signal, credentials: "same-origin", headers: { "HX-Request": "true", "HX-Request-Type": "partial" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    one(".hits", box).replaceChildren(...parsed.body.childNodes);
    answered = asked;
    choose(asked && asked === field.value.trim() ? 0 : -1);
    if (hurried) go();
  } catch (error) {
    if (error.name === "AbortError") return;
    hurried = false;
    one(".hits", box).textContent = word("searchFailed", "The search did not answer. Try again.");
  }
}
function choose(index) {
  const hits = all(".hits [role=option]", box);
  chosen = hits.length && index >= 0 ? index % hits.length : -1;
  hits.forEach((hit, at) => { hit.id ||= `hit-${at}`; hit.setAttribute("aria-selected", String(at === chosen)); });
  const hit = hits[chosen];
  if (hit) { field.setAttribute("aria-activedescendant", hit.id); hit.scrollIntoView({ block: "nearest" }); } else field.removeAttribute("aria-activedescendant");
  if (!hits.length && field.value.trim()) say(word("noHits", "Nothing found"));
}
function go() {
  hurried = answered !== field.value.trim();
  if (hurried) { clearTimeout(waiting); ask(); return; }
  const hit = all(".hits [role=option]", box)[chosen];
  if (hit) hit.click();
}
if (box) {
  field.addEventListener("input", () => { hurried = false; clearTimeout(waiting); waiting = setTimeout(ask, 120); });
  field.addEventListener("keydown", (event) => {
    const hits = all(".hits [role=option]", box);
    if (event.key === "ArrowDown") { event.preventDefault(); choose(chosen + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); choose(chosen <= 0 ? hits.length - 1 : chosen - 1); }
    else if (event.key === "Enter" && (hits[chosen] || answered !== field.value.trim())) { event.preventDefault(); if (!hurried) go(); }
  });
  on("click", "[data-palette-open]", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return; // a new tab is wanted
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
    else if (event.key === "/" && keysOn() && !typing(event) && !event.metaKey && !event.ctrlKey) { event.preventDefault(); open(); }
  });
}
}
{
// busy buttons: nothing for 300 ms, then the button says that it works
on("submit", "form", (event, form) => {
  if (event.defaultPrevented) return;
  const button = event.submitter;
  form.dataset.sent = "1";
  if (!button || form.target === "_blank") return;
  const timer = setTimeout(() => button.setAttribute("aria-busy", "true"), 300);
  const stop = () => { clearTimeout(timer); button.removeAttribute("aria-busy"); delete form.dataset.sent; };
  document.addEventListener("htmx:finally:request", stop, { once: true });
  addEventListener("pageshow", stop, { once: true });
});
// leaving with typed text: the browser asks
const state = (form) => new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string")).toString();
const started = new WeakMap();
const remember = () => all("form[data-dirty]").forEach((form) => { if (!started.has(form)) started.set(form, state(form)); });
remember();
document.addEventListener("htmx:after:swap", remember);
addEventListener("beforeunload", (event) => {
  if (all("form[data-dirty]").some((form) => started.has(form) && !form.dataset.sent && started.get(form) !== state(form))) event.preventDefault();
});
on("input", "form[data-dirty]", (event, form) => {
  const note = one("[data-unsaved]", form) ?? one(`[data-unsaved="${form.id}"]`);
  if (note) note.hidden = started.get(form) === state(form);
});
// x-show-if: a field that matters only under a condition
function showIf(form) {
  for (const field of all("[data-show-if]", form)) {
    const wanted = JSON.parse(field.dataset.showIf);
    const shown = Object.entries(wanted).every(([name, value]) => {
      const inputs = all(`[name="${CSS.escape((field.dataset.prefix ?? "") + name)}"]`, form);
      const given = inputs.filter((input) => !["radio", "checkbox"].includes(input.type) || input.checked).map((input) => input.type === "checkbox" && input.value === "on" ? true : input.value);
      return [].concat(value).some((choice) => given.some((one) => String(one) === String(choice)) || (choice === false && given.length === 0));
    });
    field.hidden = !shown;
    all("input, select, textarea", field).forEach((input) => { input.disabled = !shown; });
  }
}
const showAll = () => all("form:has([data-show-if])").forEach(showIf);
showAll();
document.addEventListener("htmx:after:swap", showAll);
on("change", "form:has([data-show-if])", (event, form) => showIf(form));
// rows of an array: add from a template, take away, number anew
on("click", "[data-add-row]", (event, button) => {
  event.preventDefault();
  const set = button.closest("[data-rows]");
  const made = one("template", set).content.cloneNode(true);
  one("[data-rows-end]", set).before(made);
  renumber(set);
  all(".one", set).at(-1)?.querySelector("input, select, textarea")?.focus();
});
on("click", "[data-drop-row]", (event, button) => {
  event.preventDefault();
  const set = button.closest("[data-rows]");
  button.closest(".one").remove();
  renumber(set);
  one("[data-add-row]", set)?.focus();
});
function renumber(set) {
  const rows = all(".one", set);
  rows.forEach((row, index) => {
    for (const part of all("[name], [id], [for], [aria-describedby]", row)) {
      for (const name of ["name", "id", "for", "aria-describedby"]) {
        const value = part.getAttribute(name);
        if (value) part.setAttribute(name, value.replace(/-(?:\d+|__row__)-/, `-${index}-`));
      }
    }
  });
  const count = one("[data-rows-count]", set);
  if (count) count.value = String(rows.length);
}
// an address made from a name, until somebody writes their own
on("input", "[data-slug-for]", (event, field) => {
  const slug = one(`#${field.dataset.slugFor}`);
  if (!slug || slug.dataset.own) return;
  slug.value = field.value.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/ß/g, "ss").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  slug.dispatchEvent(new Event("change", { bubbles: true }));
});
on("input", "[data-slug]", (event, field) => { field.dataset.own = field.value ? "1" : ""; });
// a secret that is kept: replacing it is a decision
on("click", "[data-replace-secret]", (event, button) => {
  event.preventDefault();
  const field = one(`#${button.dataset.replaceSecret}`);
  field.hidden = false;
  field.disabled = false;
  field.focus();
  button.closest(".secret").hidden = true;
});
// colour wells mirror their text field
on("input", "[data-mirror]", (event, well) => {
  const field = one(`#${well.dataset.mirror}`);
  field.value = well.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
on("input", "input[data-colour]", (event, field) => {
  const well = one(`[data-mirror="${field.id}"]`);
  if (well && /^#[0-9a-f]{6}$/i.test(field.value)) well.value = field.value.toLowerCase();
});
on("click", "[data-select-all]", (event, button) => {
  event.preventDefault();
  const boxes = all(`${button.dataset.selectAll} input[type=checkbox]:not(:disabled)`);
  const every = boxes.every((box) => box.checked);
  boxes.forEach((box) => { box.checked = !every; });
});
on("invalid", "form :is(input, select, textarea)", (event, field) => { field.setAttribute("aria-invalid", "true"); }, true);
on("input", "[aria-invalid=true]", (event, field) => { if (field.validity?.valid) field.removeAttribute("aria-invalid"); });
// on a phone a row of a table stands as a card: each cell then says what it is
function asCards() {
  for (const table of all(".tbl:not(.dense, .diff)")) {
    const heads = [...table.tHead?.rows[0]?.cells ?? []].map((head) => (one(".sr", head) ? "" : head.textContent.trim()));
    if (!heads.length || table.closest(".astable")) continue;
    table.dataset.cards = "";
    for (const row of table.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, place) => { if (place && heads[place] && cell.colSpan === 1) cell.dataset.label = heads[place]; });
    }
  }
}
asCards();
document.addEventListener("htmx:after:swap", asCards);
}
{
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail?.ctx?.target;
  if (!(target instanceof Element)) return;
  const place = target.isConnected ? target : document.getElementById(target.id);
  const summary = place && (one("[data-error-summary]", place) ?? (place.matches("[data-error-summary]") ? place : null));
  if (summary) summary.focus();
  else if (place) one("[autofocus]", place)?.focus();
});
document.addEventListener("htmx:error", (event) => {
  const polled = event.target?.getAttribute?.("hx-trigger")?.includes("every");
  if (!polled) toast(word("offline", "The portal did not answer. Check your connection and try again."), { tone: "bad" });
});
document.addEventListener("htmx:response:error", (event) => {
  const { response } = event.detail?.ctx ?? {};
  if (response && response.status >= 500) toast(word("failed", "That did not work. Nothing was changed."), { tone: "bad" });
});
// numbers that changed are said once, not flashed
const seen = new Map();
function announce() {
  for (const number of all("[data-announce]")) {
    const before = seen.get(number.id || number.dataset.announce);
    const now = number.textContent.trim();
    if (before !== undefined && before !== now) say(`${number.dataset.announce}: ${now}`);
    seen.set(number.id || number.dataset.announce, now);
  }
}
announce();
document.addEventListener("htmx:after:swap", announce);
}
{
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
}
{
const opened = new WeakSet();
function centre() {
  for (const frame of all(".dagwrap")) {
    if (opened.has(frame)) continue;
    opened.add(frame);
    const node = one("[aria-current=true]", frame);
    if (!node || frame.scrollWidth <= frame.clientWidth) continue;
    const [seen, at] = [frame.getBoundingClientRect(), node.getBoundingClientRect()];
    frame.scrollLeft += at.left + at.width / 2 - seen.left - seen.width / 2;
  }
}
centre();
document.addEventListener("htmx:after:swap", centre);
}
{
customElements.define("ui-chart", class extends HTMLElement {
  static observedAttributes = ["tabindex"];
  // a live page takes away what it did not send
  attributeChangedCallback(name, before, now) { if (now === null) this.dress(); }
  dress() {
    this.tabIndex = 0;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.dataset.hint);
  }
  connectedCallback() {
    this.at = -1;
    this.dress();
    this.addEventListener("pointermove", (event) => {
      const place = this.plot.getBoundingClientRect();
      this.show(Math.floor(((event.clientX - place.left) / place.width) * this.series.x.length));
    });
    for (const type of ["pointerleave", "blur"]) this.addEventListener(type, () => this.hide());
    this.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) { event.preventDefault(); this.show(Math.max(0, Math.min(this.series.x.length - 1, this.at + step))); }
      else if (event.key === "Escape") this.hide();
    });
  }
  // a live page may have put other figures in here since
  get series() { return JSON.parse(this.dataset.series); }
  get plot() { return one(".plot", this); }
  get tip() {
    return one(".tip", this) ?? this.appendChild(make("div", { class: "tip", "aria-live": "polite", hidden: "" }));
  }
  show(index) {
    const { series, plot, tip } = this;
    const count = series.x.length;
    if (index < 0 || index >= count) return;
    this.at = index;
    const lines = series.s.map(({ name, values, texts }) => make("div", {}, make("span", {}, name), make("span", {}, texts?.[index] ?? (values[index] == null ? "–" : values[index].toLocaleString(root.lang)))));
    tip.replaceChildren(make("b", {}, series.x[index]), ...lines);
    tip.hidden = false;
    const drawn = plot.getBoundingClientRect();
    const whole = this.getBoundingClientRect();
    const x = drawn.left - whole.left + ((index + 0.5) / count) * drawn.width;
    tip.style.setProperty("translate", `${x > whole.width * 0.6 ? x - tip.offsetWidth - 12 : x + 12}px 6px`);
    if (!this.cross?.isConnected) this.cross = plot.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "line"));
    const place = `${((index + 0.5) / count) * 100}%`;
    for (const [name, value] of Object.entries({ class: "cross", y1: 0, y2: this.dataset.height, x1: place, x2: place })) this.cross.setAttribute(name, value);
  }
  hide() {
    this.tip.hidden = true;
    this.cross?.remove();
    this.cross = null;
    this.at = -1;
  }
});
}
{
function paint() {
  const list = one("[data-roles]");
  if (!list) return;
  const roles = Object.entries(JSON.parse(list.dataset.roles));
  for (const preview of all(".pv")) for (const [role, value] of roles) preview.style.setProperty(`--b-${role}`, value);
}
document.addEventListener("htmx:after:swap", paint);
paint();
on("input", "[data-preview]", (event, field) => {
  const text = field.value.trim();
  all(`[data-shows="${field.dataset.preview}"]`).forEach((place) => { place.textContent = text || place.dataset.empty || ""; });
  if (field.dataset.preview === "name") all("[data-shows=letter]").forEach((place) => { place.textContent = [...text][0]?.toLocaleUpperCase() ?? ""; });
});
on("change", "[data-preview-side]", (event, field) => { all(".pv [data-side]").forEach((box) => { box.dataset.side = field.value; }); });
}
{
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
}
