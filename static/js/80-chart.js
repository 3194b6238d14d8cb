import { make, one, root } from "./10-core.js";

/* Reading values off a chart with the pointer or the arrow keys. The chart itself is SVG from the server. */
customElements.define("ui-chart", class extends HTMLElement {
  connectedCallback() {
    this.series = JSON.parse(this.dataset.series);
    this.plot = one(".plot", this);
    this.at = -1;
    this.tabIndex = 0;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.dataset.hint);
    this.tip = one(".tip", this) ?? make("div", { class: "tip", "aria-live": "polite", hidden: "" });
    this.append(this.tip);
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

  show(index) {
    const count = this.series.x.length;
    if (index < 0 || index >= count) return;
    this.at = index;
    const lines = this.series.s.map(({ name, values, texts }) => make("div", {}, make("span", {}, name), make("span", {}, texts?.[index] ?? (values[index] == null ? "–" : values[index].toLocaleString(root.lang)))));
    this.tip.replaceChildren(make("b", {}, this.series.x[index]), ...lines);
    this.tip.hidden = false;
    const plot = this.plot.getBoundingClientRect();
    const whole = this.getBoundingClientRect();
    const x = plot.left - whole.left + ((index + 0.5) / count) * plot.width;
    this.tip.style.setProperty("translate", `${x > whole.width * 0.6 ? x - this.tip.offsetWidth - 12 : x + 12}px 6px`);
    this.cross ??= this.plot.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "line"));
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
