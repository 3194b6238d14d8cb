import { all, on, one } from "./10-core.js";

/* Niceties of forms; each form works without them. */

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
