import { all, on, one, typing, word, say, keysOn } from "./10-core.js";

/* The command palette: Ctrl/Cmd-K or "/". It asks the search page for its hits; without JavaScript that page is searched by hand. */
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
