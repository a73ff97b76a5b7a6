// The page in a browser: what `scripts/page-test` runs.
import { createRequire } from "node:module";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.MODULES + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const file = process.argv[2], address = pathToFileURL(file).href, shots = process.env.SHOTS;
mkdirSync(shots, { recursive: true });

let failed = 0;
function hold(claim, holds, what = "") {
  console.log(`${holds ? "ok    " : "FAILED"} ${claim}${holds ? "" : ` ${what}`}`);
  if (!holds) failed += 1;
}

// The number of steps in a round that is timed, and of rounds: the least counts, since the rest is the machine's.
const STEPS = 20, ROUNDS = 60;

// Milliseconds of a step of the descent by the native program, without wider vectors than every CPU has.
async function nativeRounds() {
  const child = spawn(process.env.NATIVE, ["--ask"], { env: { ...process.env, AUTOGRAD_LEVEL: "baseline" }, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const round = async requests => {
    const at = performance.now();
    child.stdin.write(requests.map(r => JSON.stringify(r) + "\n").join(""));
    for (const _ of requests) await lines.next();
    return (performance.now() - at) / STEPS;
  };
  return { round, end: () => child.stdin.end() };
}

const native = requests => execFileSync(process.env.NATIVE, ["--ask"], { input: requests.map(r => JSON.stringify(r)).join("\n") + "\n", maxBuffer: 1e9 })
  .toString().trim().split("\n").map(line => JSON.parse(line));

// The first place where two answers differ by more than 1e-12 of the number, or of 1.
function differ(a, b, path = "") {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a)) ? null : `${path}: ${a} and ${b}`;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return Object.is(a, b) ? null : `${path}: ${a} and ${b}`;
  if (Object.keys(a).length !== Object.keys(b).length) return `${path}: other fields`;
  for (const key of Object.keys(a)) {
    const found = differ(a[key], b[key], `${path}/${key}`);
    if (found) return found;
  }
  return null;
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });

async function open(options = {}, rest = "") {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
  const page = await context.newPage();
  if (options.first) await page.addInitScript(options.first);
  const seen = { requests: [], errors: [] };
  page.on("request", request => { if (!/^(file|data|blob):/.test(request.url())) seen.requests.push(request.url()); });
  page.on("console", message => { if (["error", "warning"].includes(message.type())) seen.errors.push(message.text()); });
  page.on("pageerror", error => seen.errors.push(String(error)));
  await page.goto(address + rest);
  if (options.javaScriptEnabled !== false) {
    await page.waitForSelector("html[data-ready=yes]");
    await page.evaluate(() => page.idle());
  }
  return { page, seen, close: () => context.close() };
}
const idle = page => page.evaluate(() => globalThis.page.idle());
const lamp = page => page.textContent("#lamp");

async function violations(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return result.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target + " " + n.failureSummary).join(" | ")}`).join("\n");
}

// Size.
hold("the page is at most 600 KB compressed", gzipSync(readFileSync(file), { level: 9 }).length <= 600_000, String(gzipSync(readFileSync(file)).length));

// Without scripts.
{
  const { page, seen, close } = await open({ javaScriptEnabled: false });
  hold("without scripts all lines hold at the published numbers", (await lamp(page)).includes("20 of 20 lines hold"));
  hold("without scripts no control is there that would do nothing", await page.locator(".script:visible, .slip:enabled").count() === 0);
  hold("without scripts every section has its numbers or pictures", await page.locator("main > section").evaluateAll(all => all.every(s => s.querySelector("table, strong"))));
  hold("without scripts the descent has its regions", await page.locator('[data-section="8"] svg').count() === 2);
  hold("without scripts nothing is asked of a network", seen.requests.length === 0, seen.requests.join());
  await page.screenshot({ path: `${shots}/still.png`, fullPage: true });
  await close();
}

// Numbers.
{
  const { page, seen, close } = await open();
  hold("with scripts all lines hold at the published numbers", (await lamp(page)).includes("20 of 20 lines hold"), await lamp(page));
  await page.screenshot({ path: `${shots}/light.png`, fullPage: true });
  const lines = native([{ ask: "table" }])[0].lines;
  const states = [{}, { f: "tanh", i: 2, k: 1 }, { b2: [0.5, 800, -3] }, { X: [[1, 2, 3, 4], [0, -1, 2, 0.5]], y: [2, 0], i: 1 }];
  const asked = states.flatMap(state => ["published", "forward", "scores", "loss", "jacobian", "layers", "tape", "second", "mistake"].map(ask => ({ ask, ...state })))
    .concat(states.slice(0, 2).flatMap(state => lines.flatMap(line => [[], [1], [2], [3], [4], [5]].map(slips => ({ ask: "line", name: line.name, slips, from: 0, to: line.second ? 12 : 1000, ...state })))))
    .concat([{ ask: "tape", written: true }, { ask: "descend", to: 2 }, { ask: "descend", to: 4 }, { ask: "regions" }, { ask: "checked" }, { ask: "line", name: "none" }, { ask: "nothing" }]);
  const here = await page.evaluate(asked => asked.map(request => { try { return page.engine.ask(request); } catch (error) { return { error: error.message }; } }), asked);
  const wrong = native(asked).map((answer, n) => [asked[n], differ(here[n], answer)]).filter(([, found]) => found);
  hold("every number is the native one to 1e-12", wrong.length === 0, wrong.slice(0, 5).map(([request, found]) => JSON.stringify(request) + " " + found).join("\n"));
  const slow = await page.evaluate(lines => {
    const times = [];
    const timed = request => { const at = performance.now(); page.engine.ask(request); times.push([performance.now() - at, JSON.stringify(request)]); };
    for (let round = 0; round < 12; round++) {
      for (const line of lines) for (let from = 0; from < (line.second ? 36 : 1); from += 12) timed({ ask: "line", name: line.name, from, to: from + (line.second ? 12 : 1000) });
      for (const ask of ["forward", "scores", "loss", "jacobian", "layers", "tape", "second", "mistake"]) timed({ ask });
      timed({ ask: "descend", to: 100 }), timed({ ask: "regions" });
    }
    // The least of each: the rest is the machine's.
    const least = {};
    for (const [time, of] of times) least[of] = Math.min(least[of] ?? Infinity, time);
    return Object.entries(least).sort((a, b) => b[1] - a[1])[0];
  }, lines);
  hold(`a request takes at most 8 ms (${slow[1].toFixed(1)} ms: ${slow[0]})`, slow[1] <= 8);
  const steps = round => Array.from({ length: STEPS / 2 }, (_, k) => ({ ask: "descend", to: round * STEPS + 2 * k + 2 }));
  const beside = await nativeRounds(), times = { page: Infinity, native: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    times.native = Math.min(times.native, await beside.round(steps(round)));
    times.page = Math.min(times.page, await page.evaluate(([requests, n]) => {
      const at = performance.now();
      for (const request of requests) page.engine.ask(request);
      return (performance.now() - at) / n;
    }, [steps(round), STEPS]));
  }
  beside.end();
  const ratio = times.page / times.native;
  hold(`a step of the spirals takes at most 2.5 times the native one at the baseline (${times.page.toFixed(3)} ms, ${times.native.toFixed(3)} ms native: ${ratio.toFixed(2)})`, ratio <= 2.5);

  // Clicks and keys.
  const cellsOf = () => page.locator("#line-5 .live td[data-v]").evaluateAll(cells => cells.map(c => Number(c.dataset.v)));
  const row = native([{ ask: "line", name: "Eq. 1.3" }])[0];
  hold("a card shows the native numbers", differ((await cellsOf()).slice(0, 3), [row.closed[0], row.tape[0], row.finite[0]]) === null);
  await page.locator(".slip").nth(3).check();
  await idle(page);
  hold("slip 4 breaks the three lines that it stands in", (await lamp(page)).includes("17 of 20") && (await lamp(page)).includes("Eq. 1.2.2, Eq. 1.2, Eq. 1."), await lamp(page));
  hold("a broken line says so in words", (await page.textContent("#line-2 .verdict")).includes("✗ does not hold"));
  hold("the slip is in the address", page.url().endsWith("#slips=4"), page.url());
  await page.locator("#line-2").screenshot({ path: `${shots}/slip.png` });
  await page.click("#undo");
  await idle(page);
  hold("undo takes it back", (await lamp(page)).includes("20 of 20") && !page.url().includes("slips"));
  await page.click("#at-800");
  await page.check("#plain");
  await idle(page);
  hold("at a score of 800 without the maximum there is no number", (await page.textContent("#scores")).includes("NaN"));
  await page.locator('[data-section="1"]').screenshot({ path: `${shots}/overflow.png` });
  await page.uncheck("#plain");
  await idle(page);
  hold("with the maximum there is one", !(await page.textContent("#scores")).includes("NaN"));
  await page.click("#published");
  await idle(page);
  hold("the published numbers come back", (await lamp(page)).includes("20 of 20") && !page.url().includes("#"), page.url());
  await page.fill('input[type=number][data-score="1"]', "2.5");
  await page.keyboard.press("Tab");
  await idle(page);
  const scoreAt = await page.evaluate(() => page.ask("scores").scores[1]);
  hold("a score that is typed reaches the engine", Math.abs(scoreAt - 2.5) < 1e-12, String(scoreAt));
  await page.locator('input[type=range][data-score="0"]').focus();
  await page.keyboard.press("ArrowRight");
  await idle(page);
  const moved = await page.evaluate(() => page.ask("scores").scores[0]);
  hold("a slider moves by the keyboard", moved !== row.closed[0] && Math.abs(moved + 0.81) < 0.02, String(moved));
  const link = page.url();
  const other = await open({}, new URL(link).hash);
  hold("a situation is a link", differ(await other.page.evaluate(() => page.ask("scores")), await page.evaluate(() => page.ask("scores"))) === null);
  await other.close();
  await page.click("#published");
  await page.focus("#tape-on");
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await idle(page);
  hold("arrow keys step the tape", (await page.textContent("#tape-at")).includes("node #2"), await page.textContent("#tape-at"));
  await page.keyboard.press("End");
  await page.check("#written");
  await page.click("#tape-last");
  await idle(page);
  hold("backward, cotangents meet where two ways do", (await page.textContent("#tape")).includes("+="));
  await page.locator('[data-section="5"]').screenshot({ path: `${shots}/tape.png` });
  await page.locator("#jacobian td[tabindex]").nth(1).focus();
  hold("a cell of the Jacobian tells its formula", (await page.textContent("#jacobian-cell")).includes("dP0/dS1"));
  await page.selectOption("#edit-array", "y");
  await page.fill('#cells input[data-c="0"]', "7");
  await page.keyboard.press("Tab");
  hold("a label that names no class is not taken", (await page.textContent("#fault")).includes("label 7"), await page.textContent("#fault"));
  await page.setInputFiles("#csv", { name: "rows.csv", mimeType: "text/csv", buffer: Buffer.from("a,b,c,d,label\n1,2,3,4,0\n0,-1,2,1,2\n") });
  await page.waitForFunction(() => page.state.X?.length === 2);
  await idle(page);
  hold("a CSV file gives the examples", (await page.textContent("#lamp")).includes("20 lines") && await page.locator("#at-i option").count() === 2);
  await page.setInputFiles("#csv", { name: "rows.csv", mimeType: "text/csv", buffer: Buffer.from("1,2,3,4,0\n1,2,x,4,0\n") });
  await page.waitForFunction(() => document.getElementById("fault").textContent.includes("row 2"));
  hold("a CSV file that is wrong is told with its row", true);
  await page.click("#published");
  await page.fill('[data-v-field="1"]', "1");
  await page.keyboard.press("Tab");
  await idle(page);
  hold("the direction of section 7 can be set", (await page.evaluate(() => page.state.v))?.[1] === 1);
  hold("the second order is computed beside the page", await page.evaluate(() => page.aside.thread !== null && page.aside.answered > 20));
  await page.click("#descend");
  await idle(page);
  hold("the spirals are learnt step by step", (await page.textContent("#descent")).includes("After 100 steps"), (await page.textContent("#descent")).slice(0, 200));
  await page.click("#check-now");
  hold("the gradient can be checked on the way", await page.locator("#checked table").count() === 1);
  const apart = await page.locator("#checked tbody tr").evaluateAll(rows => Math.max(...rows.map(r => Math.abs(r.children[1].dataset.v - r.children[2].dataset.v))));
  hold("and it is right", apart < 1e-7, String(apart));
  await page.locator('[data-section="8"]').screenshot({ path: `${shots}/descent.png` });
  const wrongOne = native([{ ask: "mistake", seed: 1 }])[0].wrong;
  await page.locator("#mistake button").nth(wrongOne).click();
  hold("the wrong line is found", (await page.textContent("#guess")).includes("✓ Yes"), await page.textContent("#guess"));
  await page.click("#next-mistake");
  await idle(page);
  hold("and there is a next one", page.url().includes("seed=2"));
  await page.check("#hide");
  await page.screenshot({ path: `${shots}/hidden.png` });
  await page.uncheck("#hide");
  hold("nothing is asked of a network", seen.requests.length === 0, seen.requests.join());
  hold("the console is silent", seen.errors.length === 0, seen.errors.join("\n"));
  await close();
}

// Without a thread beside the page.
for (const [why, first] of [["cannot be had", () => { globalThis.Worker = function () { throw new Error("none"); }; }],
  ["stops at once", () => { const Real = Worker; globalThis.Worker = function () { return new Real("data:text/javascript,throw 1"); }; }]]) {
  const { page, close } = await open({ first }, "#i=1&v=1,-1,0.5");
  const rows = await page.locator("#second table").last().locator("td[data-v]").evaluateAll(cells => cells.map(c => Number(c.dataset.v)));
  const answer = native([{ ask: "second", i: 1, v: [1, -1, 0.5] }])[0];
  hold(`where a thread ${why}, the page computes the second order itself`, (await lamp(page)).includes("20 of 20")
    && await page.evaluate(() => page.aside.thread === null) && differ(rows.slice(3, 6), answer.closed) === null, `${await lamp(page)} ${rows}`);
  await close();
}

// Addresses that are wrong.
for (const hash of ["#i=99", "#W1=1,x", "#f=swish", "#b2=1e999", "#slips=9", "#node=-1", "#%E0%A4%A", "#W1=" + "1,".repeat(5000) + "1"]) {
  const { page, seen, close } = await open({}, hash);
  hold(`the address ${hash.slice(0, 20)} is told to be wrong`, (await page.textContent("#fault")).length > 5 && seen.errors.length === 0, seen.errors.join() + await page.textContent("#fault"));
  await close();
}

// Accessibility, light and dark, narrow, large, still, on paper.
for (const colorScheme of ["light", "dark"]) {
  const { page, close } = await open({ colorScheme }, "#slips=4&node=30&steps=8");
  const found = await violations(page);
  hold(`axe finds nothing in ${colorScheme}`, found === "", found);
  await page.screenshot({ path: `${shots}/${colorScheme}-slip.png`, fullPage: true });
  const small = await page.locator("button:visible, select:visible, input:visible, summary:visible").evaluateAll(all => all.filter(e => { const b = e.getBoundingClientRect(); return b.width < 24 || b.height < 24; }).map(e => e.outerHTML.slice(0, 80)));
  hold(`targets are 24 px in ${colorScheme}`, small.length === 0, small.slice(0, 5).join());
  await close();
}
for (const [rest, name] of [["", "narrow"], ["?show=5", "narrow-show"]]) {
  const { page, close } = await open({ viewport: { width: 320, height: 700 } }, rest);
  const wide = await page.evaluate(() => [document.documentElement.scrollWidth, [...document.querySelectorAll("body *")].filter(e => e.getClientRects().length && !e.closest(".wide, .math, figure, .skip") && e.getBoundingClientRect().right > 321).slice(0, 5).map(e => e.outerHTML.slice(0, 90))]);
  hold(`nothing is cut off at 320 px, ${name}`, wide[0] <= 320 && wide[1].length === 0, JSON.stringify(wide));
  await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  await close();
}
{
  const { page, close } = await open({ reducedMotion: "reduce" }, "?show=5");
  hold("?show=5 shows one section, in large type", await page.locator("main > section:visible").count() === 1 && await page.evaluate(() => getComputedStyle(document.documentElement).fontSize) === "24px");
  hold("with reduced motion nothing moves by itself", await page.evaluate(() => document.getAnimations().length === 0 && getComputedStyle(document.documentElement).scrollBehavior === "auto"));
  await page.screenshot({ path: `${shots}/show.png` });
  await close();
}
{
  const { page, close } = await open({ javaScriptEnabled: false });
  await page.emulateMedia({ media: "print" });
  await page.pdf({ path: `${shots}/print.pdf`, format: "A4" });
  hold("paper has the worksheet without a script", await page.locator(".sheet table").first().isVisible());
  await close();
}
await browser.close();
if (failed) { console.error(`${failed} claims do not hold`); process.exit(1); }
