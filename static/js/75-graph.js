import { all, one } from "./10-core.js";

/* A graph that is wider than its frame opens at the step that is looked at; once, so that nobody is pulled back. */
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
