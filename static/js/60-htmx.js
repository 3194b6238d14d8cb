import { all, one, say, word } from "./10-core.js";
import { toast } from "./20-toast.js";

/* Glue for htmx: where focus goes, what a lost connection says, what a changed number says. */

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
