import { all, keysOn, on, one, post, root, say, typing, word } from "./10-core.js";
import { toast } from "./20-toast.js";

/* The frame of every page: drawer, menus, dialogs, copying, lighting, times, the sheet of keys. */

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
export function ago(instant, now = Date.now()) {
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
