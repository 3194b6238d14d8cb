/* What the other modules share. All behaviour hangs on the document by delegation, so that swapped-in HTML just works. */
export const root = document.documentElement;
root.classList.add("js");

export const one = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Call `act(event, element)` for each event of `type` that comes from inside an element matching `selector`. */
export function on(type, selector, act, capture = false) {
  document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(event, found);
  }, capture);
}

/** Whether somebody is typing, so that letters are letters and no shortcuts. */
export const typing = (event) =>
  event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") != null;

/** Whether single-letter shortcuts are on (each person may turn them off). */
export const keysOn = () => root.dataset.keys !== "off";

let words = {};
try { words = JSON.parse(document.body.dataset.words ?? "{}"); } catch { /* the English below stands */ }

/** A word in the reader's language; `%s` is replaced by `value`. */
export const word = (key, fallback, value = "") => (words[key] ?? fallback).replace("%s", value);

/** Tell screen readers, politely. */
export function say(text) {
  const place = one("#say");
  if (place) place.textContent = text;
}

/** POST without leaving the page; resolves to the response. */
export function post(url, fields = {}) {
  return fetch(url, {
    method: "POST",
    body: new URLSearchParams(fields),
    credentials: "same-origin",
    headers: { "X-CSRFToken": document.body.dataset.csrf ?? "", "HX-Request": "true", "HX-Request-Type": "partial" },
  });
}

/** An element with text and attributes; nothing is ever parsed as HTML here. */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An icon of the sprite. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}
