// Draws the charts for the width at hand; reads off, zooms, logarithmic axes. All charts share the epoch and the zoom.
(() => {
  "use strict";
  const room = { left: 54, right: 14, top: 30, bottom: 26 }, height = 270, near = 34;
  const logs = new Set();
  let views = [], zoom = null, drag = null;

  const rate = (v) => { const r = Number(v.toPrecision(3)); return r !== 0 && Math.abs(r) < 1e-3 ? r.toExponential().replace("e+", "e") : String(r); };
  // As Rust and Python write it: halves go to the even digit.
  function fixed(v, digits) {
    const scaled = v * 10 ** digits, floor = Math.floor(scaled);
    return scaled - floor === 0.5 && floor % 2 === 0 ? (floor / 10 ** digits).toFixed(digits) : v.toFixed(digits);
  }
  const shown = { percent: (v) => fixed(100 * v, 1) + " %", loss: (v) => fixed(v, 4), rate };
  const digits = (step) => Math.min(8, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const labels = {
    percent: (v, step) => (100 * v).toFixed(digits(100 * step)) + " %",
    loss: (v, step) => v.toFixed(digits(step)),
    rate: (v) => rate(v),
  };

  // Multiples of 1, 2 or 5 times a power of ten between the ends, as many as fit.
  function ticks(low, high, most, whole) {
    let power = Math.floor(Math.log10((high - low) / most || 1));
    if (whole) power = Math.max(0, power);
    for (;; power++) for (const digit of [1, 2, 5]) {
      const step = digit * 10 ** power, first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
      if (last - first < most) return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
    }
  }
  function decades(low, high) {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
      for (const digit of [1, 2, 5]) all.push(digit * 10 ** power);
    const inside = all.filter((v) => v >= low && v <= high);
    return inside.length > 7 ? inside.filter((v) => Math.abs(Math.log10(v) % 1) < 1e-9) : inside;
  }

  function element(name, attributes, within, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    within.append(made);
    return made;
  }

  class View {
    constructor(chart) {
      this.chart = chart;
      this.log = logs.has(chart.id);
      this.at = chart.chosen;
      this.figure = document.getElementById("chart-" + chart.id);
      this.plot = this.figure.querySelector(".plot");
      this.readout = this.figure.querySelector(".readout");
      this.name = this.plot.querySelector("svg").getAttribute("aria-label");
      this.figure.classList.add("live");
      this.figure.querySelector(".tools").hidden = false;
      this.whole = this.figure.querySelector(".whole");
      this.whole.addEventListener("click", () => zoomTo(null));
      const log = this.figure.querySelector(".log");
      if (log) {
        log.setAttribute("aria-pressed", this.log);
        log.addEventListener("click", () => {
          this.log = !this.log;
          logs[this.log ? "add" : "delete"](chart.id);
          log.setAttribute("aria-pressed", this.log);
          this.draw();
        });
      }
      const set = (name, value) => this.plot.setAttribute(name, value);
      set("tabindex", 0); set("role", "slider"); set("aria-label", chart.title + " by epoch");
      set("aria-valuemin", chart.epochs[0]); set("aria-valuemax", chart.epochs.at(-1));
      this.plot.addEventListener("pointermove", (event) => this.pointed(event));
      this.plot.addEventListener("pointerdown", (event) => this.pressed(event));
      this.plot.addEventListener("pointerup", () => this.released());
      this.plot.addEventListener("pointercancel", () => { drag = null; });
      this.plot.addEventListener("pointerleave", () => { if (!drag) choose(null); });
      this.plot.addEventListener("dblclick", () => zoomTo(null));
      this.plot.addEventListener("keydown", (event) => this.typed(event));
      this.plot.addEventListener("blur", () => choose(null));
      new ResizeObserver(() => { if (this.width !== this.plot.clientWidth) this.draw(); }).observe(this.plot);
    }

    // The places among the epochs that are in view.
    get seen() {
      const epochs = this.chart.epochs;
      if (!zoom) return [0, epochs.length - 1];
      let first = epochs.findIndex((epoch) => epoch >= zoom[0]), last = epochs.findLastIndex((epoch) => epoch <= zoom[1]);
      if (first < 0 || last < first) { first = 0; last = epochs.length - 1; }
      return [first, last];
    }

    draw() {
      const { chart } = this, [first, last] = this.seen, width = this.width = this.plot.clientWidth;
      if (!width) return;
      let [from, to] = [chart.epochs[first], chart.epochs[last]];
      if (from === to) { from -= 0.5; to += 0.5; }
      const values = chart.lines.flatMap((line) => line.values.slice(first, last + 1)).filter((v) => v !== null && (!this.log || v > 0));
      let low = Math.min(...values), high = Math.max(...values);
      if (!values.length) [low, high] = [0, 1];
      const log = this.log && values.length > 0;
      if (log) { low /= 1.08; high *= 1.08; }
      else { const margin = low < high ? 0.04 * (high - low) : 0.1 * Math.max(Math.abs(high), 1e-6); low -= margin; high += margin; }
      const scale = log ? Math.log : (v) => v, bottom = height - room.bottom, right = width - room.right;
      this.x = (epoch) => room.left + (epoch - from) / (to - from) * (right - room.left);
      this.epoch = (x) => from + (x - room.left) / (right - room.left) * (to - from);
      this.y = (v) => bottom - (scale(v) - scale(low)) / (scale(high) - scale(low)) * (bottom - room.top);

      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", this.name);
      const marks = log ? decades(low, high) : ticks(low, high, 6, false);
      const step = marks.length > 1 ? marks[1] - marks[0] : high - low;
      for (const value of marks) {
        const y = this.y(value);
        element("path", { class: "grid", d: `M${room.left} ${y}H${right}` }, svg);
        const digit = log && chart.unit !== "rate" ? value : step;
        element("text", { class: "tick", x: room.left - 6, y, dy: 4, "text-anchor": "end" }, svg, labels[chart.unit](value, digit));
      }
      for (const epoch of ticks(from, to, Math.max(3, Math.floor(width / 60)), true))
        element("text", { class: "tick", x: this.x(epoch), y: bottom + 18, "text-anchor": "middle" }, svg, epoch);
      element("path", { class: "axis", d: `M${room.left} ${bottom}H${right}` }, svg);
      this.marks(svg, from, to, bottom);
      for (const line of chart.lines) {
        let path = "", down = false;
        for (let at = first; at <= last; at++) {
          const value = line.values[at];
          if (value === null || (log && value <= 0)) { down = false; continue; }
          path += `${down ? "L" : "M"}${this.x(chart.epochs[at]).toFixed(1)} ${this.y(value).toFixed(1)}`;
          const next = at < last ? line.values[at + 1] : null;
          if (!down && (next === null || (log && next <= 0))) path += "h0";
          down = true;
        }
        element("path", { class: "line s-" + line.class, d: path }, svg);
      }
      this.over = element("g", {}, svg);
      this.plot.replaceChildren(svg);
      this.whole.hidden = !zoom;
      this.show();
    }

    marks(svg, from, to, bottom) {
      const rows = [-Infinity, -Infinity, -Infinity];
      for (const mark of [...this.chart.marks].sort((a, b) => a.epoch - b.epoch)) {
        if (mark.epoch < from || mark.epoch > to) continue;
        const group = element("g", { class: "mark m-" + mark.kind }, svg), x = this.x(mark.epoch);
        element("title", {}, group, mark.text);
        element("path", { d: mark.line ? `M${x} ${room.top}V${bottom}` : `M${x} ${bottom - 5}V${bottom + 5}` }, group);
        if (!mark.label) continue;
        let row = rows.findIndex((last) => x - last > near);
        if (row < 0) row = 2;
        rows[row] = x;
        element("text", { x, y: room.top - 4 - 11 * row, "text-anchor": "middle" }, group, mark.label);
      }
    }

    // The values at the place that was pointed at, or else at the best epoch.
    show(at = this.pointedAt) {
      this.pointedAt = at;
      const { chart } = this, place = at ?? chart.chosen, epoch = chart.epochs[place];
      const parts = chart.lines.filter((line) => line.values[place] !== null).map((line) => `${line.name} ${shown[chart.unit](line.values[place])}`);
      const near = at === null || at === undefined ? [] : chart.marks.filter((mark) => mark.epoch === epoch).map((mark) => mark.text);
      const text = `epoch ${epoch}: ${parts.join(", ")}`;
      this.readout.textContent = near.length ? `${text} (${[...new Set(near)].join("; ")})` : text;
      this.plot.setAttribute("aria-valuenow", epoch);
      this.plot.setAttribute("aria-valuetext", this.readout.textContent);
      if (!this.over) return;
      this.over.replaceChildren();
      if (drag) {
        const [a, b] = [this.x(drag.from), this.x(drag.to)].sort((a, b) => a - b);
        element("rect", { class: "chosen", x: a, y: room.top, width: b - a, height: height - room.bottom - room.top }, this.over);
      }
      const [first, last] = this.seen;
      if (at === null || at === undefined || at < first || at > last) return;
      const x = this.x(epoch);
      element("path", { class: "cross", d: `M${x} ${room.top}V${height - room.bottom}` }, this.over);
      for (const line of chart.lines) {
        const value = line.values[at];
        if (value !== null && !(this.log && value <= 0)) element("circle", { class: "dot s-" + line.class, cx: x, cy: this.y(value), r: 4 }, this.over);
      }
    }

    nearest(event) {
      const wanted = this.epoch(event.clientX - this.plot.getBoundingClientRect().left), [first, last] = this.seen;
      let best = first;
      for (let at = first; at <= last; at++)
        if (Math.abs(this.chart.epochs[at] - wanted) < Math.abs(this.chart.epochs[best] - wanted)) best = at;
      return best;
    }

    pointed(event) {
      if (!this.x) return;
      const at = this.nearest(event);
      if (drag) drag.to = this.chart.epochs[at];
      choose(this.chart.epochs[at]);
    }

    pressed(event) {
      if (event.button !== 0 || event.pointerType === "touch") return;
      const epoch = this.chart.epochs[this.nearest(event)];
      drag = { from: epoch, to: epoch };
      this.plot.setPointerCapture(event.pointerId);
    }

    released() {
      const done = drag;
      drag = null;
      if (done && Math.abs(done.to - done.from) >= 1) zoomTo([done.from, done.to].sort((a, b) => a - b));
      else choose(done ? done.to : null);
    }

    typed(event) {
      const [first, last] = this.seen, at = this.pointedAt ?? this.chart.chosen, jump = Math.max(1, Math.round((last - first) / 10));
      const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: first, End: last, PageUp: at + jump, PageDown: at - jump }[event.key];
      if (event.key === "Escape") { zoomTo(null); return; }
      if (to === undefined) return;
      event.preventDefault();
      choose(this.chart.epochs[Math.min(last, Math.max(first, to))]);
    }
  }

  function choose(epoch) {
    for (const view of views) {
      const at = epoch === null ? -1 : view.chart.epochs.indexOf(epoch);
      view.show(at < 0 ? null : at);
    }
  }
  function zoomTo(range) {
    zoom = range;
    for (const view of views) view.draw();
  }
  function start() {
    views = JSON.parse(document.getElementById("charts").textContent).map((chart) => new View(chart));
    for (const hint of document.querySelectorAll(".js")) hint.hidden = false;
    for (const view of views) view.draw();
  }
  start();
  // A page that is shown while the run goes on has new charts now and then.
  document.addEventListener("wellfit:charts", start);
  // On paper all that can be opened is open.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
})();
