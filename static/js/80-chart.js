import { make, one, root } from "./10-core.js";

/* Reading values off a chart with the pointer or the arrow keys. The chart itself is SVG from the server. */
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
