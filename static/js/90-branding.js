import { all, on, one } from "./10-core.js";

/* The branding editor: the server computes the palette, this paints the previews with it (CSSOM, which the policy allows). */
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
