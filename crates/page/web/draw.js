// Pictures: each has a title, a description, and its numbers as a table.

let drawn = 0;
function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function figure(title, description, width, height, content, numbers) {
  const id = `drawn-${++drawn}`;
  const picture = svg("svg", { class: "pic", role: "img", viewBox: `0 0 ${width} ${height}`, width, height, "aria-labelledby": `${id}-t ${id}-d` },
    svg("title", { id: `${id}-t` }, title), svg("desc", { id: `${id}-d` }, description), ...content);
  return el("figure", {}, picture, el("figcaption", {}, `${title}. ${description}`),
    el("details", {}, el("summary", {}, "The numbers as a table"), numbers));
}

const text = (x, y, words, anchor = "start") => svg("text", { x, y, "text-anchor": anchor }, words);

function ticks(from, to, log) {
  if (log) {
    const [a, b] = [Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))], step = Math.max(1, Math.ceil((b - a) / 7));
    return Array.from({ length: Math.floor((b - a) / step) + 1 }, (_, n) => 10 ** (a + n * step)).filter(t => t >= from * 0.999 && t <= to * 1.001);
  }
  const raw = (to - from) / 5, size = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map(m => m * size).find(s => s >= raw);
  const list = [];
  for (let t = Math.ceil(from / step) * step; t <= to + step * 1e-9; t += step) list.push(Math.abs(t) < step * 1e-9 ? 0 : t);
  return list;
}
const label = t => (Math.abs(t) >= 1e-3 && Math.abs(t) < 1e5 || t === 0 ? String(Number(t.toPrecision(6))) : t.toExponential(0).replace("e+", "e")).replace(/-/g, "−");

// Curves: series of {name, points}, each with its own dashes.
function curves(title, description, [xName, yName], series, { log = false, mark = null } = {}) {
  const W = 460, H = 270, left = 62, right = 12, top = 12 + 18 * Math.ceil(series.length / 3), bottom = 42;
  const good = ([x, y]) => Number.isFinite(x) && Number.isFinite(y) && (!log || x > 0 && y > 0);
  const all = series.flatMap(s => s.points.filter(good));
  if (!all.length) return el("p", {}, `${title}: there are no finite numbers to draw.`);
  const put = log ? Math.log10 : x => x;
  const range = k => {
    let [a, b] = [Math.min(...all.map(p => p[k])), Math.max(...all.map(p => p[k]))];
    if (a === b) [a, b] = log ? [a / 2, b * 2] : [a - 1, b + 1];
    return [a, b];
  };
  const [xs, ys] = [range(0), range(1)];
  const X = x => left + (W - left - right) * (put(x) - put(xs[0])) / (put(xs[1]) - put(xs[0]));
  const Y = y => H - bottom - (H - top - bottom) * (put(y) - put(ys[0])) / (put(ys[1]) - put(ys[0]));
  const content = [svg("path", { class: "axis", d: `M${left} ${top}V${H - bottom}H${W - right}` })];
  for (const t of ticks(...xs, log)) content.push(svg("path", { class: "grid", d: `M${X(t)} ${H - bottom}v5` }), text(X(t), H - bottom + 18, label(t), "middle"));
  for (const t of ticks(...ys, log)) content.push(svg("path", { class: "grid", d: `M${left} ${Y(t)}H${W - right}` }), text(left - 5, Y(t) + 4, label(t), "end"));
  content.push(text((left + W - right) / 2, H - 6, xName, "middle"), text(4, top - 2, yName));
  series.forEach((s, n) => {
    const d = s.points.filter(good).map(([x, y], p) => `${p ? "L" : "M"}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join("");
    content.push(svg("path", { class: `line${n}`, d }));
    const at = left + 60 + (n % 3) * 125, up = 12 + 18 * Math.floor(n / 3);
    content.push(svg("path", { class: `line${n}`, d: `M${at} ${up - 4}h22` }), text(at + 27, up, s.name));
  });
  if (mark && good(mark)) content.push(svg("circle", { class: "mark0", cx: X(mark[0]), cy: Y(mark[1]), r: 5 }));
  const rows = series.flatMap(s => s.points.map(([x, y]) => [s.name, x, y]));
  return figure(title, description, W, H, content, table(title, ["curve", xName, yName], rows));
}

// A matrix as squares: filled above 0, hollow below, as large as the entry.
function map(title, [down, across], matrix) {
  const m = matrix.length, n = matrix[0].length, size = Math.max(16, Math.min(44, 400 / n)), left = 60, top = 42;
  const most = Math.max(...matrix.flat().map(v => Math.abs(num(v))).filter(Number.isFinite), 0) || 1;
  const content = [text(left, 14, `${across} →`), text(2, 34, `${down} ↓`)];
  for (let c = 0; c < n; c++) content.push(text(left + (c + 0.5) * size, 34, String(c), "middle"));
  matrix.forEach((row, r) => {
    content.push(text(left - 8, top + (r + 0.65) * size, String(r), "end"));
    row.forEach((v, c) => {
      const x = num(v), side = Number.isFinite(x) ? (size - 4) * Math.sqrt(Math.abs(x) / most) : 0;
      const box = { x: left + (c + 0.5) * size - side / 2, y: top + (r + 0.5) * size - side / 2, width: side, height: side };
      content.push(svg("rect", { ...box, class: x < 0 ? "open" : "fill0" }));
      if (Number.isNaN(x)) content.push(text(left + (c + 0.5) * size, top + (r + 0.65) * size, "?", "middle"));
    });
  });
  const columns = [`${down} / ${across}`, ...matrix[0].map((_, c) => String(c))];
  return figure(title, `The largest entry is ${shown(most)} in size. Filled squares are above 0, hollow ones below.`, left + n * size + 8, top + m * size + 8, content,
    table(title, columns, matrix.map((row, r) => [String(r), ...row])));
}

// Numbers from 0 to 1 by name, as bars.
function bars(title, values) {
  const content = [];
  values.forEach((v, k) => {
    const x = num(v), y = 8 + 28 * k;
    content.push(text(4, y + 16, `class ${k}`), svg("rect", { x: 70, y, width: Number.isFinite(x) ? 280 * x : 0, height: 20, class: "fill0" }),
      svg("path", { class: "axis", d: `M70 ${y - 3}v26` }), text(76 + (Number.isFinite(x) ? 280 * x : 0), y + 16, shown(v)));
  });
  return figure(title, `Each bar is a probability; together they make ${shown(values.reduce((sum, v) => sum + num(v), 0))}.`, 460, 28 * values.length + 12, content,
    table(title, ["class", "P"], values.map((v, k) => [`class ${k}`, v])));
}
