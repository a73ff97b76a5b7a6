// The engine in the page, the one state, and what turns numbers into words.

const $ = id => document.getElementById(id);

// One request to an engine, and its answer as text: both stand in the engine's own memory.
function speak(exports, request) {
  const text = new TextEncoder().encode(JSON.stringify(request));
  const place = exports.call(0, text.length) >>> 0;
  new Uint8Array(exports.memory.buffer, place, text.length).set(text);
  const at = exports.call(place, text.length) >>> 0;
  const length = new DataView(exports.memory.buffer).getUint32(at, true);
  return new TextDecoder().decode(new Uint8Array(exports.memory.buffer, at + 4, length));
}

function taken(answer) {
  const value = JSON.parse(answer);
  if (value.error) throw new Error(value.error);
  return value;
}

// The engine of the page itself, for all that takes a moment.
const engine = {
  exports: null, module: null, slowest: 0,
  async start() {
    const packed = Uint8Array.from(atob($("wasm").textContent.trim()), c => c.charCodeAt(0));
    const plain = new Response(packed).body.pipeThrough(new DecompressionStream("gzip"));
    this.module = await WebAssembly.compile(await new Response(plain).arrayBuffer());
    await this.again();
  },
  // A fresh engine, also after one that stopped.
  async again() {
    this.exports = (await WebAssembly.instantiate(this.module, {})).exports;
  },
  ask(request) {
    const begun = performance.now();
    const answer = speak(this.exports, request);
    this.slowest = Math.max(this.slowest, performance.now() - begun);
    return taken(answer);
  },
};

// What the thread beside the page does: an engine of its own for each module that comes, and a fresh one where that stopped.
function beside() {
  let module = null, exports = null;
  onmessage = async ({ data }) => {
    try {
      module = data.module ?? module;
      if (data.id === undefined) return;
      exports ??= (await WebAssembly.instantiate(module, {})).exports;
      postMessage({ id: data.id, answer: speak(exports, data.request) });
    } catch (error) {
      exports = null;
      postMessage({ id: data.id, stopped: error.message });
    }
  };
}

// The same engine on a thread beside the page, for the second order. The thread is made of the page's own text, since a file
// opened from a folder may load no other; where none can be had, the page's engine answers in pieces of its own time.
const aside = {
  thread: null, asked: new Map(), next: 0, era: 0, open: 0, answered: 0,
  start(module) {
    try {
      const source = URL.createObjectURL(new Blob([`"use strict";\n${speak}\n${beside}\nbeside();`], { type: "text/javascript" }));
      this.thread = new Worker(source);
      this.thread.onmessage = ({ data }) => {
        const { done } = this.asked.get(data.id);
        this.asked.delete(data.id);
        this.answered += 1;
        done(() => { if (data.stopped) throw new Error(data.stopped); return taken(data.answer); });
      };
      this.thread.onerror = this.thread.onmessageerror = event => { event.preventDefault(); this.fail(); };
      this.thread.postMessage({ module });
    } catch { this.fail(); }
  },
  // Without the thread what it was asked is asked here.
  fail() {
    this.thread?.terminate();
    this.thread = null;
    const left = [...this.asked.values()];
    this.asked.clear();
    for (const { request, done } of left) queue.push(() => done(() => engine.ask(request)));
    if (left.length) work();
  },
  // What was asked before is no longer of interest.
  fresh() { this.era += 1, this.open = 0; },
  ask(request, then) {
    const era = this.era;
    const done = answer => {
      if (era !== this.era) return;
      try { then(answer()); } catch (error) { stopped(error); }
      this.open -= 1;
      rest();
    };
    this.open += 1;
    if (!this.thread) return queue.push(() => done(() => engine.ask(request))), work();
    this.asked.set(this.next, { request, done });
    this.thread.postMessage({ id: this.next, request });
    this.next += 1;
  },
};

// Numbers that JSON does not have come as texts.
const num = v => v === null ? NaN : Number(v);

function shown(v) {
  if (v === null) return "held back";
  const x = num(v);
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  const text = x === 0 ? "0" : size >= 1e-4 && size < 1e6 ? x.toFixed(5) : x.toExponential(1).replace("e+", "e");
  return text.replace(/-/g, "−");
}

// The state: what differs from the published numbers, and what is looked at. It is held in the address.
const ARRAYS = ["W1", "b1", "W2", "b2", "X", "y"];
const fresh = () => ({ ...Object.fromEntries(ARRAYS.map(name => [name, undefined])), i: 0, k: 0, f: "relu", slips: [], h: 1, plain: false, written: false, node: 0, v: null, steps: 0, rate: 1, batch: 300, seed: 1 });
let published = null;
let state = fresh();
const past = [];

const current = name => state[name] ?? published[name];
const network = () => {
  const request = { i: state.i, k: state.k, f: state.f };
  for (const name of ARRAYS) if (state[name]) request[name] = state[name];
  return request;
};
const ask = (what, more = {}) => engine.ask({ ask: what, ...network(), ...more });

const written = array => array.map(row => Array.isArray(row) ? row.join(",") : row).join(Array.isArray(array[0]) ? ";" : ",");
function read(text) {
  const row = part => part.split(",").map(x => {
    if (x.trim() === "" || !Number.isFinite(Number(x))) throw new Error("the address has a number that is none");
    return Number(x);
  });
  return text.includes(";") ? text.split(";").map(row) : row(text);
}

function toAddress() {
  const parts = [], plain = fresh();
  for (const name of ["i", "k", "f", "h", "node", "steps", "rate", "batch", "seed"])
    if (state[name] !== plain[name]) parts.push(`${name}=${state[name]}`);
  for (const name of ["plain", "written"]) if (state[name]) parts.push(`${name}=1`);
  if (state.slips.length) parts.push(`slips=${state.slips.join(",")}`);
  if (state.v) parts.push(`v=${state.v.join(",")}`);
  for (const name of ARRAYS) if (state[name]) parts.push(`${name}=${written(state[name])}`);
  return parts.join("&");
}

// Reads an address; what is wrong in it is told, and the published numbers stand instead.
function fromAddress(address) {
  const next = fresh();
  for (const part of address.replace(/^#/, "").split("&").filter(Boolean)) {
    const at = part.indexOf("=");
    const [name, text] = [part.slice(0, at), decodeURIComponent(part.slice(at + 1))];
    if (ARRAYS.includes(name)) {
      const matrix = ["W1", "W2", "X"].includes(name), value = read(text);
      next[name] = matrix && !Array.isArray(value[0]) ? [value] : value;
    } else if (name === "slips" || name === "v") next[name] = read(text);
    else if (name === "plain" || name === "written") next[name] = text === "1";
    else if (name === "f") next.f = text;
    else if (name in next) next[name] = read(text)[0];
  }
  const whole = (name, from, to) => {
    if (!Number.isInteger(next[name]) || next[name] < from || next[name] > to) throw new Error(`${name} must be a whole number from ${from} to ${to}`);
  };
  whole("node", 0, 1000), whole("steps", 0, 2000), whole("seed", 1, 1e6), whole("batch", 1, 300);
  if (!(next.rate >= 0 && next.rate <= 10)) throw new Error("the rate must be from 0 to 10");
  return next;
}

function fault(text) { $("fault").textContent = text; }

// A change of the state; a link to what came before stays in the list of what can be undone.
function change(parts, moving = false) {
  const before = state;
  const next = { ...state, ...parts };
  try {
    engine.ask({ ask: "forward", ...Object.fromEntries(ARRAYS.filter(n => next[n]).map(n => [n, next[n]])), i: next.i, k: next.k, f: next.f });
  } catch (error) {
    fault(`Not taken: ${error.message}.`);
    return false;
  }
  fault("");
  state = next;
  if (!moving || !past.length || past[past.length - 1].moving !== moving) past.push({ state: before, moving });
  history.replaceState(null, "", location.pathname + location.search + (toAddress() ? "#" + toAddress() : ""));
  show();
  return true;
}

// Elements.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// A cell's number, exactly in `data-v`.
const cell = (v, head) => el(head ? "th" : "td", head ? { scope: "row" } : {}, v);
const number = (v, more = {}) => el("td", { "data-v": v === null ? "null" : String(v), ...more }, shown(v));
function table(caption, columns, rows, of = {}) {
  const head = el("tr", {}, ...columns.map(name => el("th", { scope: "col" }, name)));
  const body = rows.map(([name, ...cells], r) => el("tr", of.row ? of.row(r) : {},
    cell(name, true), ...cells.map(v => v instanceof Node ? v : typeof v === "object" && v !== null ? cell(v.text) : number(v))));
  return el("div", { class: "wide", role: "region", "aria-label": caption, tabindex: "0" },
    el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, ...body)));
}
