// The sections: each asks for numbers and shows them in its place.

const fill = (id, ...content) => $(id).replaceChildren(...content);
const column = steps => k => [steps.exponents[k], steps.powers[k], steps.probabilities[k]];
const classes = n => Array.from({ length: n }, (_, k) => `class ${k}`);

// 1
function showScores() {
  const answer = ask("scores"), of = state.plain ? answer.plain : answer.shifted;
  const words = state.plain ? "Without, as the post's program" : "With the largest score taken off";
  fill("scores", bars(`Probabilities of example ${state.i}`, of.probabilities),
    table(words, ["class", "score S", "exponent", "exp", "P"], answer.scores.map((s, k) => [`class ${k}`, s, ...column(of)(k)])),
    el("p", {}, `Their sum is ${shown(of.sum)}; the loss is ${shown(of.loss)}; the label is ${answer.label}.`));
  answer.scores.forEach((score, k) => {
    for (const field of document.querySelectorAll(`[data-score="${k}"]`))
      if (field !== document.activeElement || field.type === "range") field.value = Number(num(score).toPrecision(8));
  });
}

function scoreFields() {
  const fields = current("b2").map((_, k) => {
    const moved = event => {
      const wanted = Number(event.target.value);
      if (event.target.value === "" || !Number.isFinite(wanted)) return fault("A score must be a number.");
      const b2 = [...current("b2")], now = num(ask("scores").scores[k]);
      b2[k] += wanted - now;
      change({ b2 }, `score ${k}`);
    };
    return el("div", {}, el("label", {}, `Class ${k} `, el("input", { type: "range", min: -10, max: 10, step: 0.01, "data-score": k, oninput: moved })),
      el("label", {}, `Score of class ${k} `, el("input", { type: "number", step: "any", "data-score": k, onchange: moved })));
  });
  fill("score-fields", ...fields);
}

// 2
function showLoss() {
  const answer = ask("loss", { h: state.h }), slope = num(answer.slope.closed), at = num(answer.score), value = num(answer.loss);
  const points = answer.curve.scores.map((s, p) => [num(s), num(answer.curve.losses[p])]);
  const ends = answer.secant.ends.map(num);
  const errors = name => answer.errors.map(step => [step.h, num(step[name])]);
  fill("loss",
    curves(`The loss of example ${state.i} as its score ${state.k} moves`, `The mark is where it stands: loss ${shown(value)}, slope ${shown(slope)}.`, ["score", "loss"], [
      { name: "loss", points }, { name: "tangent", points: [[at - 2, value - 2 * slope], [at + 2, value + 2 * slope]] },
      { name: "secant", points: [[at - state.h, ends[0]], [at + state.h, ends[1]]] }], { mark: [at, value] }),
    table("The slope at this score", ["account", "slope"], [["closed form, P − Y", answer.slope.closed], ["tape", answer.slope.tape],
      ["differences, extrapolated", answer.slope.finite], [`secant of h = ${label(state.h)}, both sides`, answer.secant.central],
      [`secant of h = ${label(state.h)}, one side`, answer.secant.forward]]),
    curves("How wrong a secant is, by step size h", "From the right errors fall with the step, until rounding lifts them again.", ["h", "error"],
      [{ name: "one side", points: errors("forward") }, { name: "both sides", points: errors("central") }], { log: true }),
    el("p", {}, `Extrapolated to h = 0 the error is ${shown(answer.extrapolated)}.`));
}

// 3: the lines, one request for each; those of the second order in parts, one after the other, beside the page.
const PART = 12;
let lineTable = null;
const verdicts = [];

function places(shape, entry) {
  const list = [];
  for (const size of [...shape].reverse()) { list.unshift(entry % size); entry = Math.floor(entry / size); }
  return `[${list.join(", ")}]`;
}

// The entries of example i where the first place counts examples, else of class k where the last counts classes.
function picked(shape, sizes) {
  const all = shape.reduce((a, b) => a * b, 1);
  if (shape.length > 1 && shape[0] === sizes.n) {
    const block = all / sizes.n;
    return Array.from({ length: Math.min(6, block) }, (_, e) => state.i * block + e);
  }
  if (shape[shape.length - 1] === sizes.k && shape.length > 1) {
    return Array.from({ length: Math.min(6, all / sizes.k) }, (_, e) => e * sizes.k + state.k);
  }
  return Array.from({ length: Math.min(6, all) }, (_, e) => e);
}

const larger = (a, b) => Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.max(a, b);
function join(whole, part) {
  if (!whole) return { ...part };
  for (const account of ["closed", "tape", "finite"]) whole[account] = whole[account].concat(part[account]);
  for (const pair of ["closed_tape", "closed_finite", "tape_finite"])
    whole[pair] = { absolute: larger(num(whole[pair].absolute), num(part[pair].absolute)), relative: larger(num(whole[pair].relative), num(part[pair].relative)) };
  whole.held_back += part.held_back;
  whole.passed = whole.passed && part.passed;
  return whole;
}

function lineJobs() {
  const answer = ask("table"), sizes = ask("forward").sizes;
  lineTable = answer.lines;
  verdicts.length = 0;
  return lineTable.flatMap((line, at) => {
    const all = line.shape.reduce((a, b) => a * b, 1);
    if (!line.second) return [() => showLine(at, line, ask("line", { name: line.name, slips: state.slips }), sizes)];
    let whole = null;
    const step = Math.max(1, Math.floor(PART * (line.name === "2nd: semi-def." ? 1 / 9 : line.name === "2nd: row sums" ? 1 / 3 : 1)));
    const part = from => aside.ask({ ask: "line", ...network(), name: line.name, slips: state.slips, from, to: from + step }, answer => {
      whole = join(whole, answer);
      if (whole.closed.length < all) part(from + step); else showLine(at, line, whole, sizes);
    });
    return [() => part(0)];
  });
}

function showLine(at, line, answer, sizes) {
  verdicts[at] = { name: line.name, passed: answer.passed, relative: num(answer.closed_tape.relative) };
  const card = $(`line-${at}`), place = card.querySelector(".live");
  card.classList.toggle("bad", !answer.passed), card.classList.toggle("good", answer.passed);
  const relative = pair => shown(answer[pair].relative);
  const held = answer.held_back ? ` ${answer.held_back} differences are held back at a kink.` : "";
  const rows = entries => entries.map(e => [places(line.shape, e), answer.closed[e], answer.tape[e], answer.finite[e]]);
  const columns = ["entry", "closed form", "tape", "differences"], open = place.querySelector("details")?.open;
  const more = el("details", { open: open || false }, el("summary", {}, "All entries"));
  const spread = () => { if (more.open && more.children.length < 2) more.append(table(`${line.name}: all entries`, columns, rows([...answer.closed.keys()]))); };
  more.addEventListener("toggle", spread);
  spread();
  place.replaceChildren(
    el("p", { class: "verdict" }, el("strong", {}, answer.passed ? "✓ holds" : "✗ does not hold"),
      ` over ${answer.closed.length} entries. Largest differences, relative to the largest entry: closed form and tape ${relative("closed_tape")}, closed form and differences ${relative("closed_finite")}, tape and differences ${relative("tape_finite")}.${held}`),
    table(`${line.name}: entries of example ${state.i} or class ${state.k}`, columns, rows(picked(line.shape, sizes))), more);
  showLamp();
}

let said = 0;
function showLamp() {
  const known = verdicts.filter(Boolean);
  if (known.length < lineTable.length) return;
  const broken = known.filter(v => !v.passed), worst = known.reduce((a, b) => Number.isNaN(b.relative) || b.relative > a.relative ? b : a);
  const words = broken.length ? ` Broken: ${broken.map(v => v.name).join(", ")}.`
    : ` The largest difference between closed form and tape is ${shown(worst.relative)} of the largest entry, in ${worst.name}.`;
  // What is read out waits until nothing has changed for a while.
  clearTimeout(said);
  said = setTimeout(() => {
    $("lamp").classList.toggle("bad", broken.length > 0);
    fill("lamp", el("strong", {}, `${known.length - broken.length} of ${known.length} lines hold at these numbers.`), words);
  }, 400);
}

// 4
function showJacobian() {
  const answer = ask("jacobian"), P = answer.probabilities.map(num);
  const told = (j, k) => () => {
    const closed = shown(answer.closed[j][k]);
    $("jacobian-cell").textContent = j === k ? `dP${j}/dS${k} = P${j} (1 − P${j}) = ${shown(P[j])} · ${shown(1 - P[j])} = ${closed}` : `dP${j}/dS${k} = −P${j} P${k} = −${shown(P[j])} · ${shown(P[k])} = ${closed}`;
  };
  const rows = answer.closed.map((row, j) => [`P of class ${j}`, ...row.map((v, k) => number(v, { tabindex: 0, onfocus: told(j, k), onclick: told(j, k) })), answer.sums[j]]);
  fill("jacobian", map(`diag P − P Pᵀ of example ${state.i}`, ["P", "S"], answer.closed),
    table(`dP/dS of example ${state.i}`, ["by the score of class", ...answer.closed.map((_, k) => String(k)), "sum of the row"], rows));
}

// 5: forward one node at a time, then backward.
let tapeNodes = [];
function some(values) {
  if (!values) return "integers";
  const list = values.slice(0, 3).map(shown).join(", ");
  return values.length === 1 ? list : `[${list}${values.length > 3 ? ", …" : ""}]`;
}
function showTape() {
  tapeNodes = ask("tape", { written: state.written }).nodes;
  const n = tapeNodes.length, at = Math.min(state.node, 2 * n), back = Math.max(0, at - n);
  const has = k => k < Math.min(at, n), flown = k => back > 0 && k >= n - back;
  const now = at === 0 ? -1 : at <= n ? at - 1 : 2 * n - at;
  $("tape-at").textContent = at === 0 ? `Nothing is computed yet; ${n} nodes are recorded.` : at <= n ? `Forward, node #${now}: its value.` : `Backward, node #${now}: its cotangent.`;
  const rows = tapeNodes.map((node, k) => [`#${node.index} ${node.name}`, { text: `${node.op}(${node.operands.map(o => "#" + o).join(", ")})` },
    { text: `[${node.shape.join(", ")}]` }, { text: has(k) ? some(node.value) : "" },
    { text: flown(k) ? some(node.cotangent) + (node.readers > 1 ? " +=" : "") : "" }, { text: node.source }]);
  const columns = ["node", "operation", "shape", "value", "cotangent", "source line"];
  fill("tape", table(state.written ? "Written out" : "Fused: cross-entropy is one operation", columns, rows, { row: k => k === now ? { class: "now", "aria-current": "step" } : {} }),
    tapePicture(n, has, flown, now));
}
function tapePicture(n, has, flown, now) {
  // Each node is below all that it reads.
  const depth = tapeNodes.map(() => 0), across = [];
  tapeNodes.forEach((node, k) => { for (const o of node.operands) depth[k] = Math.max(depth[k], depth[o] + 1); });
  const layers = Math.max(...depth) + 1, count = Array(layers).fill(0);
  // A leaf stands right above its reader.
  tapeNodes.forEach((node, k) => { if (!node.operands.length) { const reader = tapeNodes.findIndex(m => m.operands.includes(k)); if (reader >= 0) depth[k] = depth[reader] - 1; } });
  depth.forEach((d, k) => { across[k] = count[d]++; });
  const wide = 148, high = 54, W = Math.max(...count) * wide + 8, H = layers * high + 8;
  const x = k => 4 + across[k] * wide + wide / 2, y = k => 4 + depth[k] * high + 18, content = [];
  tapeNodes.forEach((node, k) => node.operands.forEach(o => content.push(svg("path", { class: flown(o) && flown(k) ? "edge dashed" : "edge", d: `M${x(o)} ${y(o) + 16}L${x(k)} ${y(k) - 16}` }))));
  tapeNodes.forEach((node, k) => content.push(
    svg("rect", { x: x(k) - 68, y: y(k) - 16, width: 136, height: 32, rx: node.operands.length ? 2 : 14, class: "box", ...(k === now ? { style: "stroke-width:3.5" } : {}) }),
    text(x(k), y(k) - 2, `#${k} ${node.name || node.op}`, "middle"),
    text(x(k), y(k) + 12, (has(k) ? "value ✓ " : "") + (flown(k) ? "cot. ✓" + (node.readers > 1 ? " +=" : "") : ""), "middle")));
  return figure("The tape as a picture", "Each node stands below what it reads; leaves are round. Ticks tell which values and cotangents are there; dashed ways were gone back.", W, H, content,
    table("What each node reads", ["node", "reads"], tapeNodes.map((node, k) => [`#${k} ${node.op}`, { text: node.operands.map(o => "#" + o).join(", ") || "nothing" }])));
}

// 6
function showLayers() {
  const answer = ask("layers"), head = classes(current("b2").length).map(name => `× ${name}`);
  fill("layers",
    table(`Example ${state.i}: O1ᵀ (P − Y), its part of dL/dW2`, ["hidden node", "O1", ...head], answer.part_W2.map((row, m) => [String(m), answer.o1[m], ...row])),
    map("dL/dW2, the sum over the examples", ["hidden", "class"], answer.dW2),
    table(`Example ${state.i}: behind the mask of ${state.f}`, ["hidden node", "Z1", "f′(Z1)", "dL/dO1", "dL/dZ1"], answer.z1.map((z, m) => [String(m), z, answer.mask[m], answer.dO1[m], answer.dZ1[m]])),
    map("dL/dW1, the sum over the examples", ["feature", "hidden"], answer.dW1));
}
let editing = "";
function showCells() {
  const name = $("edit-array").value, value = current(name), matrix = Array.isArray(value[0]), list = matrix ? value : [value];
  const shape = `${name} ${list.length} ${list[0].length}`;
  if (editing === shape) {
    for (const field of $("cells").querySelectorAll("input")) if (field !== document.activeElement) field.value = list[field.dataset.r][field.dataset.c];
    return;
  }
  editing = shape;
  const field = (r, c) => el("td", {}, el("input", { type: "number", step: name === "y" ? 1 : "any", "data-r": r, "data-c": c, value: list[r][c], "aria-label": `${name} at ${matrix ? r + ", " : ""}${c}`, onchange: event => {
    const next = structuredClone(current(name)), x = Number(event.target.value);
    if (event.target.value === "" || !Number.isFinite(x)) return fault(`${name} must have numbers.`);
    if (matrix) next[r][c] = x; else next[c] = x;
    if (!change({ [name]: next })) event.target.value = matrix ? current(name)[r][c] : current(name)[c];
  } }));
  fill("cells", table(`The cells of ${name}`, [name, ...list[0].map((_, c) => String(c))], list.map((row, r) => [matrix ? String(r) : name, ...row.map((_, c) => field(r, c))])));
}
async function takeCsv(file) {
  try {
    if (file.size > 1e5) throw new Error("the file is larger than 100 kB");
    const lines = (await file.text()).split(/\r?\n/).map(line => line.trim()).filter(Boolean).map(line => line.split(","));
    if (lines.length && lines[0].some(x => !Number.isFinite(Number(x)))) lines.shift();
    const width = current("W1").length;
    const rows = lines.slice(0, 8).map((line, r) => {
      if (line.length !== width + 1 || line.some(x => x.trim() === "" || !Number.isFinite(Number(x)))) throw new Error(`row ${r + 1} must have ${width} features and a label, all numbers`);
      return line.map(Number);
    });
    if (!rows.length) throw new Error("there are no rows");
    if (change({ X: rows.map(row => row.slice(0, width)), y: rows.map(row => row[width]), i: 0 }) && lines.length > 8) fault("The first 8 rows are taken.");
  } catch (error) { fault(`The file is not taken: ${error.message}.`); }
}

// 7
function directionFields() {
  fill("direction-fields", ...current("b2").map((_, k) => el("label", {}, `v of class ${k} `, el("input", { type: "number", step: "any", "data-v-field": k, onchange: event => {
    const v = state.v ? [...state.v] : current("b2").map((_, c) => Number(c === state.k));
    v[k] = Number(event.target.value);
    if (Number.isFinite(v[k])) change({ v });
  } }))));
}
function showSecond() {
  const v = state.v && state.v.length === current("b2").length ? state.v : null;
  aside.ask({ ask: "second", ...network(), v }, answer => {
    for (const field of document.querySelectorAll("[data-v-field]")) if (field !== document.activeElement) field.value = num(answer.v[field.dataset.vField]);
    fill("second", map(`The Hessian of example ${state.i} by its scores`, ["S", "S"], answer.hessian),
      table("Its eigenvalues", ["number", ...answer.eigenvalues.map((_, k) => String(k))], [["eigenvalue", ...answer.eigenvalues]]),
      table("The Hessian times v", ["account", ...classes(answer.v.length)], [["v", ...answer.v], ["closed form", ...answer.closed],
        ["forward over reverse", ...answer.forward_over_reverse], ["reverse over reverse", ...answer.reverse_over_reverse], ["differences", ...answer.differences]]),
      el("p", {}, `vᵀ H v = ${shown(answer.along[0])}: the bend in this direction.`));
  });
}

// 8
let losses = [], lossesOf = "";
function descentJobs() {
  const of = `${state.rate} ${state.batch}`, to = state.steps;
  if (of !== lossesOf || losses.length > to) losses = [], lossesOf = of;
  // A way that is further than what is drawn starts again.
  if (!losses.length) engine.ask({ ask: "descend", rate: state.rate, batch: state.batch, to: 0 });
  const jobs = [];
  const go = () => {
    const answer = engine.ask({ ask: "descend", rate: state.rate, batch: state.batch, to });
    losses.length = Math.min(losses.length, answer.from);
    losses.push(...answer.losses.map(num));
    if (answer.step < to) queue.unshift(go); else queue.unshift(() => showDescent());
  };
  jobs.push(go);
  return jobs;
}
function showDescent() {
  const answer = engine.ask({ ask: "regions" }), n = answer.grid, size = 8, content = [];
  const marks = ["M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z", "M-2.5 -2.5h5v5h-5z", "M0 -3.2L3 2.6H-3z"];
  // Regions differ in hatching, points in form.
  const hatch = [(x, y) => `M${x} ${y + 4}h8`, (x, y) => `M${x} ${y}l8 8`, (x, y) => `M${x + 4} ${y}v8`], ways = ["", "", ""];
  answer.classes.forEach((c, p) => { ways[c] += hatch[c]((p % n) * size, Math.floor(p / n) * size); });
  ways.forEach((d, c) => content.push(svg("path", { class: `hatch${c}`, d })));
  const at = x => (x / answer.reach + 1) / 2 * n * size;
  answer.labels.forEach((c, p) => content.push(svg("path", { class: `mark${c}`, transform: `translate(${at(num(answer.points[2 * p])).toFixed(1)} ${at(-num(answer.points[2 * p + 1])).toFixed(1)})`, d: marks[c] })));
  const words = `After ${answer.step} steps ${shown(answer.accuracy)} of the points are told right. Lines lie flat for arm a, aslant for arm b, upright for arm c; points are circles, squares and triangles.`;
  fill("descent", losses.length > 1 ? curves("The loss by step", `The last is ${shown(losses.at(-1))}.`, ["step", "loss"], [{ name: "loss", points: losses.map((l, s) => [s, l]) }]) : "",
    figure("Where the net says each arm of the spiral", words, n * size, n * size, content,
      table("Places for each arm", ["arm", "places of the plane"], [0, 1, 2].map(c => [`arm ${"abc"[c]}`, answer.classes.filter(said => said === c).length]))));
}
function checkNow() {
  const answer = engine.ask({ ask: "checked" });
  const old = $("checked");
  if (old) old.remove();
  $("descent").append(el("div", { id: "checked" }, table(`The first entry of each gradient after ${answer.step} steps, on 30 points`, ["array", "tape", "differences"], answer.rows.map(row => [row.name, row.tape, row.finite]))));
}

// 9
let guessed = null;
function showMistake() {
  const answer = ask("mistake", { seed: state.seed });
  if (guessed?.seed !== state.seed) guessed = { seed: state.seed, guess: null };
  const choices = answer.lines.map((line, place) => el("li", {}, el("button", { type: "button", onclick: () => { guessed.guess = place; showMistake(); $("guess").focus(); } }, line.formula)));
  const words = guessed.guess === null ? "Which one is wrong?" : guessed.guess === answer.wrong ? `✓ Yes. ${answer.why}` : `✗ No: the formula ${answer.lines[guessed.guess].formula} holds.`;
  const right = el("details", {}, el("summary", {}, "The numbers, and the answer"), table("One entry of each", ["formula", "as written", "tape"], answer.lines.map(line => [line.formula, line.written, line.tape])),
    el("p", {}, `${answer.why} It should be ${answer.right}.`));
  fill("mistake", el("p", { id: "guess", tabindex: "-1" }, words), el("ol", { class: "choices" }, ...choices), right);
}
