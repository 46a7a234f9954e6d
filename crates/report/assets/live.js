// Follows the runs of a server: its messages are lists of how they stand. A run's page is loaded anew when its record says more.
(() => {
  "use strict";
  const name = new URLSearchParams(location.search).get("name"), state = document.getElementById("state");
  const percent = (v) => (100 * v).toFixed(1) + " %", plain = (text) => text.replaceAll("_", " ");
  // A page under the reader's hands is not exchanged more often than this, in milliseconds.
  const pause = 4000;
  let shown = 0, timer = 0, stamp = document.querySelector(".now")?.dataset.stamp, busy = false;

  function element(kind, text, within) {
    const made = document.createElement(kind);
    made.textContent = text;
    within.append(made);
    return made;
  }

  function sparkline(curve, within) {
    const known = curve.filter((v) => v !== null);
    if (known.length < 2) return;
    const low = Math.min(...known), span = Math.max(...known) - low || 1, svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    let path = "", down = false;
    curve.forEach((v, at) => {
      if (v === null) { down = false; return; }
      path += `${down ? "L" : "M"}${(2 + 116 * at / (curve.length - 1)).toFixed(1)} ${(22 - 20 * (v - low) / span).toFixed(1)}`;
      down = true;
    });
    svg.setAttribute("viewBox", "0 0 120 24");
    svg.setAttribute("class", "spark");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `from ${percent(known[0])} to ${percent(known.at(-1))}`);
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("class", "line s-val");
    line.setAttribute("d", path);
    svg.append(line);
    within.append(svg);
  }

  function list(runs) {
    const rows = document.createDocumentFragment();
    for (const run of [...runs].reverse()) {
      const row = element("tr", "", rows), head = element("th", "", row);
      head.scope = "row";
      if (run.problem === null) element("a", run.name, head).href = "run?name=" + encodeURIComponent(run.name);
      else head.textContent = run.name;
      element("td", run.problem ?? plain(run.state), row).className = "state-" + run.state;
      element("td", run.epochs[1] ? `${run.epochs[0]} of ${run.epochs[1]}` : run.epochs[0], row);
      sparkline(run.curve, element("td", "", row));
      element("td", run.best ? `${percent(run.best.val_accuracy)} (epoch ${run.best.epoch})` : "–", row);
      element("td", run.model, row);
      element("td", run.data, row);
    }
    const focused = document.activeElement?.getAttribute("href");
    document.getElementById("runs").replaceChildren(rows);
    if (focused) document.querySelector(`#runs a[href="${CSS.escape(focused)}"]`)?.focus();
    const running = runs.filter((run) => run.state === "running").length;
    state.textContent = `${runs.length} ${runs.length === 1 ? "run" : "runs"}, ${running} running`;
  }

  function status(run) {
    const step = run.step ? `, epoch ${run.step.epoch}, step ${run.step.step}, loss ${Number(run.step.loss).toFixed(4)}, rate ${Number(Number(run.step.lr).toPrecision(3))}` : "";
    return (run.problem ?? plain(run.state)) + step;
  }

  // The page's parts are exchanged; what is open stays open.
  async function refresh() {
    if (busy) return;
    busy = true;
    shown = Date.now();
    try {
      const answer = await fetch(location.href);
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const open = new Set([...document.querySelectorAll("main details")].map((one, at) => one.open ? at : -1));
      for (const part of ["main", "nav", ".top .about", "#charts"]) {
        const [old, made] = [document.querySelector(part), page.querySelector(part)];
        if (old && made) old.replaceWith(document.adoptNode(made));
      }
      document.querySelectorAll("main details").forEach((one, at) => { one.open = open.has(at); });
      document.dispatchEvent(new Event("wellfit:charts"));
    } catch {
      // The server ended: the source of events says so.
    } finally {
      busy = false;
    }
  }
  function refreshSoon() {
    clearTimeout(timer);
    timer = setTimeout(refresh, Math.max(0, shown + pause - Date.now()));
  }

  async function ask(request, question) {
    if (!confirm(question)) return;
    const answer = await fetch("ask", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ name, ...request }) });
    const told = answer.ok ? "asked: it acts after the step under way" : (await answer.json()).error;
    state.textContent = told;
  }
  document.getElementById("stop")?.addEventListener("click", () => ask({ action: "stop" }, "End this run after the step under way? The weights are judged as they are then."));
  document.getElementById("lower")?.addEventListener("click", () => ask({ action: "lower_rate", factor: 0.5 }, "Halve the learning rate from the next step on?"));

  const source = new EventSource(name === null ? "events" : "events?name=" + encodeURIComponent(name));
  source.addEventListener("message", (message) => {
    const runs = JSON.parse(message.data);
    if (name === null) { list(runs); return; }
    const run = runs[0];
    if (!run) { state.textContent = "the run is no longer there"; return; }
    state.textContent = status(run);
    for (const id of ["stop", "lower"]) document.getElementById(id)?.toggleAttribute("hidden", !run.steerable);
    if (stamp !== run.stamp) refreshSoon();
    stamp = run.stamp;
  });
  source.addEventListener("error", () => { state.textContent = "Wellfit does not answer: was it ended?"; });
})();
