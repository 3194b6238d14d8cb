import { all, icon, keysOn, make, on, one, post, typing, word } from "./10-core.js";

/* Toasts: eight seconds, the newest alone owns Z. The server asks for one by `HX-Trigger: {"ui:toast": {"text", "undo"}}`,
   where `undo` is an address that takes a POST, or by Django's messages, which are in the page already. */
const SECONDS = 8;
let undoNewest = null;

export function toast(text, { tone = "ok", undo = null } = {}) {
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
/** Do what the newest toast's Undo does; whether there was one. */
export function undoNow() {
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
