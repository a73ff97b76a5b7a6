// What happens when: a change of the state, keys, buttons, the address.

// Work is done in pieces of some milliseconds, so that the page answers in between.
let queue = [], working = false;
const waiting = [];
function work() {
  if (working) return;
  working = true;
  const go = () => {
    const until = performance.now() + 8;
    try {
      while (queue.length && performance.now() < until) queue.shift()();
    } catch (error) {
      queue = [];
      stopped(error);
    }
    if (queue.length) return setTimeout(go, 0);
    working = false;
    rest();
  };
  go();
}

// All is done, here and on the thread beside.
function rest() {
  if (!working && !queue.length && !aside.open) waiting.splice(0).forEach(done => setTimeout(done, 450));
}

function stopped(error) {
  fault(`The engine stopped: ${error.message}.`);
  if (error instanceof WebAssembly.RuntimeError) engine.again();
}

let shape = "";
function show() {
  const now = `${current("y").length} ${current("b2").length}`;
  if (shape !== now) {
    shape = now;
    const options = (id, n) => fill(id, ...Array.from({ length: n }, (_, x) => el("option", { value: x }, String(x))));
    options("at-i", current("y").length), options("at-k", current("b2").length);
    scoreFields(), directionFields();
  }
  $("at-i").value = state.i, $("at-k").value = state.k, $("at-f").value = state.f, $("plain").checked = state.plain, $("written").checked = state.written;
  $("step-h").value = state.h, $("rate").value = state.rate, $("batch").value = state.batch, $("undo").disabled = !past.length;
  for (const slip of document.querySelectorAll(".slip")) slip.checked = state.slips.includes(Number(slip.value));
  aside.fresh();
  queue = [showScores, showLoss, showJacobian, showTape, showLayers, showCells, showSecond, showMistake, ...lineJobs()];
  if (state.steps > 0) queue.push(...descentJobs());
  work();
}

function wire() {
  for (const node of document.querySelectorAll(".script")) node.hidden = false;
  for (const slip of document.querySelectorAll(".slip")) {
    slip.disabled = false;
    slip.addEventListener("change", () => change({ slips: [...document.querySelectorAll(".slip:checked")].map(s => Number(s.value)) }));
  }
  const on = (id, event, act) => $(id).addEventListener(event, act);
  on("at-i", "change", e => change({ i: Number(e.target.value) }));
  on("at-k", "change", e => change({ k: Number(e.target.value) }));
  on("at-f", "change", e => change({ f: e.target.value }));
  on("plain", "change", e => change({ plain: e.target.checked }));
  on("undo", "click", () => { const last = past.pop(); if (last) { state = last.state; history.replaceState(null, "", location.pathname + location.search + (toAddress() ? "#" + toAddress() : "")); fault(""), show(); } });
  on("published", "click", () => change(fresh()));
  on("hide", "change", e => document.body.classList.toggle("veiled", e.target.checked));
  on("large", "change", e => document.documentElement.classList.toggle("large", e.target.checked));
  on("at-800", "click", () => { const b2 = [...current("b2")]; b2[0] += 800 - num(ask("scores").scores[0]); change({ b2 }); });
  fill("step-h", ...[1, ...Array.from({ length: 14 }, (_, n) => Number(`1e-${n + 1}`))].map(h => el("option", { value: h }, label(h))));
  on("step-h", "change", e => change({ h: Number(e.target.value) }));
  const step = to => change({ node: Math.max(0, Math.min(2 * tapeNodes.length, to)) });
  const here = () => Math.min(state.node, 2 * tapeNodes.length);
  on("tape-first", "click", () => step(0)), on("tape-back", "click", () => step(here() - 1));
  on("tape-on", "click", () => step(here() + 1)), on("tape-last", "click", () => step(2 * tapeNodes.length));
  on("tape-keys", "keydown", e => {
    const to = { ArrowLeft: here() - 1, ArrowRight: here() + 1, Home: 0, End: 2 * tapeNodes.length }[e.key];
    if (to !== undefined) e.preventDefault(), step(to);
  });
  on("written", "change", e => change({ written: e.target.checked, node: 0 }));
  on("edit-array", "change", showCells);
  on("csv", "change", e => { if (e.target.files[0]) takeCsv(e.target.files[0]); e.target.value = ""; });
  const csv = document.querySelector('[data-section="6"]');
  csv.addEventListener("dragover", e => e.preventDefault());
  csv.addEventListener("drop", e => { e.preventDefault(); if (e.dataTransfer.files[0]) takeCsv(e.dataTransfer.files[0]); });
  on("rate", "change", e => { const rate = Number(e.target.value); if (rate >= 0 && rate <= 10) change({ rate, steps: 0 }); else fault("The rate must be from 0 to 10."); });
  on("batch", "change", e => change({ batch: Number(e.target.value), steps: 0 }));
  const further = n => change({ steps: Math.min(2000, state.steps + n) });
  on("descend", "click", () => further(100));
  let running = 0;
  const stop = () => { clearInterval(running); running = 0; $("run").textContent = "Run"; };
  on("run", "click", () => {
    if (running) return stop();
    $("run").textContent = "Pause";
    running = setInterval(() => { if (state.steps >= 2000) stop(); else if (!working) further(20); }, 200);
  });
  on("restart", "click", () => { stop(); change({ steps: 0 }); $("descent").replaceChildren(el("p", {}, "At the start: all weights are small, and nothing is learnt yet.")); });
  on("check-now", "click", () => { if (!losses.length) further(1), waiting.push(checkNow); else checkNow(); });
  on("next-mistake", "click", () => change({ seed: state.seed + 1 }));
  // The same symbol in all lines.
  const light = kind => document.querySelectorAll("#lines math .P, #lines math .Y, #lines math .L, #lines math .S").forEach(symbol => symbol.classList.toggle("lit", kind !== null && symbol.classList.contains(kind)));
  const kindOf = target => ["P", "Y", "L", "S"].find(kind => target.classList?.contains(kind)) ?? null;
  on("lines", "pointerover", e => light(kindOf(e.target)));
  on("lines", "pointerleave", () => light(null));
  for (const math of document.querySelectorAll("#lines .math")) {
    math.tabIndex = 0;
    math.setAttribute("role", "group"), math.setAttribute("aria-label", "Formula");
    math.addEventListener("focus", () => light(["P", "Y", "L", "S"].find(kind => math.querySelector("." + kind)) ?? null));
    math.addEventListener("blur", () => light(null));
  }
  addEventListener("hashchange", begin);
  addEventListener("beforeprint", () => document.querySelectorAll(".sheet details").forEach(d => { d.open = true; }));
}

// The state that the address tells, or the published one.
function begin() {
  fault("");
  try {
    state = fromAddress(location.hash);
    engine.ask({ ask: "forward", ...network() });
  } catch (error) {
    state = fresh();
    fault(`The address is not taken: ${error.message}.`);
  }
  show();
}

// For tests: numbers as the page has them, and when all work is done.
globalThis.page = { engine, aside, get state() { return state; }, ask, idle: () => new Promise(done => { waiting.push(done); work(); }) };

(async () => {
  try {
    await engine.start();
    aside.start(engine.module);
    published = engine.ask({ ask: "published" });
    wire();
    const only = new URLSearchParams(location.search).get("show");
    const section = only && document.querySelector(`[data-section="${CSS.escape(only)}"]`);
    if (section) section.classList.add("shown"), document.documentElement.classList.add("alone", "large"), $("large").checked = true;
    begin();
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    fault(`The engine cannot be started: ${error.message}. The page stands at the published numbers.`);
  }
})();
