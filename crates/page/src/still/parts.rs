//! The content of each section, from the answers that the page's script gets too.

use super::table::{Cell, shown, table};
use picture::{Bar, Bars, Heat, Lines, Plane, Regions, Scale, Series, escaped};
use serde_json::{Value, json};

type Part = Result<String, String>;

/// Every section's name in the page, and its content.
pub(crate) fn all() -> Result<Vec<(&'static str, String)>, String> {
    let lines = checked()?;
    Ok(vec![
        ("lamp", lamp(&lines)),
        ("scores", scores()?),
        ("loss", loss()?),
        ("lines", cards(&lines)),
        ("slips", slips()?),
        ("jacobian", jacobian()?),
        ("layers", layers()?),
        ("tape", tape()?),
        ("second", second()?),
        ("descent", descent()?),
        ("mistake", mistake()?),
        ("worksheet", worksheet(&lines)),
        ("solutions", solutions(&lines)),
    ])
}

fn ask(request: &Value) -> Result<Value, String> {
    let answer: Value = serde_json::from_str(&page::answer(&request.to_string())).map_err(|error| error.to_string())?;
    match answer.get("error") {
        Some(error) => Err(error.to_string()),
        None => Ok(answer),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn float(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// The first row of a table is of names.
fn row(name: impl Into<String>, values: &[&Value]) -> Vec<Cell> {
    [Cell::text(name)].into_iter().chain(values.iter().map(|value| Cell::number(value))).collect()
}

/// A line of the table, with its numbers.
struct Checked {
    line: Value,
    numbers: Value,
}

fn checked() -> Result<Vec<Checked>, String> {
    let lines = ask(&json!({ "ask": "table" }))?;
    let with_numbers = |line: &Value| {
        let numbers = ask(&json!({ "ask": "line", "name": line["name"] }))?;
        Ok(Checked { line: line.clone(), numbers })
    };
    list(&lines["lines"]).iter().map(with_numbers).collect()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn passed(line: &Checked) -> bool {
    line.numbers["passed"] == true
}

fn lamp(lines: &[Checked]) -> String {
    let hold = lines.iter().filter(|line| passed(line)).count();
    let error = |line: &&Checked| float(&line.numbers["closed_tape"]["relative"]);
    let worst = lines.iter().max_by(|a, b| error(a).total_cmp(&error(b)));
    let worst = worst.map_or(String::new(), |line| {
        let [name, size] = [word(&line.line["name"]).to_owned(), shown(&json!(error(&line)))];
        format!(" The largest difference between closed form and tape is {size} of the largest entry, in {name}.")
    });
    format!("<strong>{hold} of {} lines hold at these numbers.</strong>{worst}", lines.len())
}

fn scores() -> Part {
    let scores = ask(&json!({ "ask": "scores" }))?;
    let mut html = vec![bars_of_scores(&scores)];
    for (key, caption) in [("shifted", "With the largest score taken off"), ("plain", "Without, as the post's program")]
    {
        let steps = &scores[key];
        let rows = (0..list(&scores["scores"]).len()).map(|k| {
            let of = |name: &str| &steps[name][k];
            row(format!("class {k}"), &[&scores["scores"][k], of("exponents"), of("powers"), of("probabilities")])
        });
        html.push(table(caption, &["class", "score S", "exponent", "exp", "P"], rows));
        html.push(format!("<p>Their sum is {}; the loss is {}.</p>", shown(&steps["sum"]), shown(&steps["loss"])));
    }
    Ok(html.concat())
}

fn bars_of_scores(scores: &Value) -> String {
    let values = list(&scores["shifted"]["probabilities"]).iter().enumerate();
    let bars = values.map(|(k, p)| Bar { name: format!("class {k}"), value: float(p), interval: None });
    let bars = Bars {
        title: "Probabilities of example 0".into(),
        what: "class".into(),
        unit: "P".into(),
        bars: bars.collect(),
    };
    bars.picture().figure("bars")
}

fn loss() -> Part {
    let loss = ask(&json!({ "ask": "loss" }))?;
    let floats = |value: &Value| list(value).iter().map(float).collect::<Vec<f64>>();
    let curve = floats(&loss["curve"]["scores"]).into_iter().zip(floats(&loss["curve"]["losses"]));
    let (at, value, slope) = (float(&loss["score"]), float(&loss["loss"]), float(&loss["slope"]["closed"]));
    let tangent = [-2.0, 2.0].map(|step| (at + step, value + slope * step));
    let (secant, ends) = (float(&loss["secant"]["central"]), floats(&loss["secant"]["ends"]));
    let [left, right] = ends[..] else { return Err("a secant has two ends".to_owned()) };
    let lines = Lines {
        title: "The loss of example 0 as its score 0 moves".into(),
        series: vec![
            Series::new("loss", curve),
            Series::new("tangent", tangent),
            Series::new("secant", [(at - 1.0, left), (at + 1.0, right)]),
        ],
        ..Lines::new("score", "loss")
    };
    let mut html = vec![lines.picture().figure("curve")];
    html.push(table(
        "The slope at this score",
        &["account", "slope"],
        [
            row("closed form, P − Y", &[&loss["slope"]["closed"]]),
            row("tape", &[&loss["slope"]["tape"]]),
            row("differences, extrapolated", &[&loss["slope"]["finite"]]),
            row("secant of h = 1, both sides", &[&json!(secant)]),
            row("secant of h = 1, one side", &[&loss["secant"]["forward"]]),
        ],
    ));
    let errors = |name: &str| {
        let points = list(&loss["errors"]).iter().map(|step| (float(&step["h"]), float(&step[name])));
        // An error of exactly 0 has no place on the axis.
        points.filter(|point| point.1 > 0.0).collect::<Vec<_>>()
    };
    let lines = Lines {
        title: "How wrong a secant is, by step size h".into(),
        x_scale: Scale::Log,
        y_scale: Scale::Log,
        series: vec![Series::new("one side", errors("forward")), Series::new("both sides", errors("central"))],
        ..Lines::new("h", "error")
    };
    html.push(lines.picture().figure("errors"));
    html.push(format!("<p>Extrapolated to h = 0 the error is {}.</p>", shown(&loss["extrapolated"])));
    Ok(html.concat())
}

/// Which entries a card shows: of example `i` or class `k` where the shape has them, and no more than six.
fn picked(shape: &Value) -> (usize, usize) {
    let sizes: Vec<usize> = list(shape).iter().map(|size| size.as_u64().unwrap_or(0) as usize).collect();
    let all: usize = sizes.iter().product();
    let block = if sizes.len() > 1 { all / sizes[0].max(1) } else { all };
    (0, block.min(6))
}

/// The place of an entry, such as `[0, 2]`.
fn place(shape: &Value, mut entry: usize) -> String {
    let mut places = Vec::new();
    for size in list(shape).iter().rev().map(|size| size.as_u64().unwrap_or(1).max(1) as usize) {
        places.push((entry % size).to_string());
        entry /= size;
    }
    places.reverse();
    format!("[{}]", places.join(", "))
}

fn verdict(numbers: &Value) -> String {
    let word = if numbers["passed"] == true { "✓ holds" } else { "✗ does not hold" };
    let relative = |pair: &str| shown(&numbers[pair]["relative"]);
    format!(
        "<p class=\"verdict\"><strong>{word}</strong> over {} entries. Largest differences, relative to the largest entry: \
         closed form and tape {}, closed form and differences {}, tape and differences {}.</p>",
        numbers["entries"],
        relative("closed_tape"),
        relative("closed_finite"),
        relative("tape_finite")
    )
}

fn formula(line: &Value) -> String {
    format!(
        "<math display=\"block\" aria-label=\"{}\">{}</math>",
        escaped(word(&line["spoken"])),
        word(&line["mathml"])
    )
}

fn cards(lines: &[Checked]) -> String {
    let card = |(at, checked): (usize, &Checked)| {
        let Checked { line, numbers } = checked;
        let name = word(&line["name"]);
        let (from, to) = picked(&line["shape"]);
        let rows = (from..to).map(|e| {
            row(place(&line["shape"], e), &[&numbers["closed"][e], &numbers["tape"][e], &numbers["finite"][e]])
        });
        let columns = ["entry", "closed form", "tape", "differences"];
        let caption = format!("{name}: entries {from} to {}", to - 1);
        format!(
            "<article class=\"card\" id=\"line-{at}\"><h3>{}</h3><div class=\"math\">{}</div>\
             <div class=\"live\">{}{}</div></article>",
            escaped(name),
            formula(line),
            verdict(numbers),
            table(&caption, &columns, rows)
        )
    };
    lines.iter().enumerate().map(card).collect()
}

fn slips() -> Part {
    let answer = ask(&json!({ "ask": "table" }))?;
    let item = |slip: &Value| {
        let [number, written, holds] = ["number", "written", "holds"].map(|name| slip[name].clone());
        format!(
            "<li><label class=\"switch\"><input type=\"checkbox\" class=\"slip\" value=\"{number}\" disabled> \
             Slip {number}: {}</label><br><small>What holds: {}.</small></li>",
            escaped(word(&written)),
            escaped(word(&holds))
        )
    };
    Ok(format!("<ul class=\"slips\">{}</ul>", list(&answer["slips"]).iter().map(item).collect::<String>()))
}

fn matrix(value: &Value) -> Vec<Vec<f64>> {
    list(value).iter().map(|row| list(row).iter().map(float).collect()).collect()
}

fn heat(title: &str, [y, x]: [&str; 2], value: &Value, name: &str) -> String {
    let cells = matrix(value);
    let named = |n: usize| (0..n).map(|place| place.to_string()).collect();
    let (rows, columns) = (named(cells.len()), named(cells.first().map_or(0, Vec::len)));
    let heat = Heat { title: title.into(), y: y.into(), x: x.into(), rows, columns, cells, ..Heat::default() };
    heat.picture().figure(name)
}

fn jacobian() -> Part {
    let answer = ask(&json!({ "ask": "jacobian" }))?;
    let rows = list(&answer["closed"]).iter().zip(list(&answer["sums"])).enumerate();
    let rows = rows.map(|(j, (entries, sum))| {
        row(format!("P of class {j}"), &list(entries).iter().chain([sum]).collect::<Vec<_>>())
    });
    let columns = ["by the score of class", "0", "1", "2", "sum of the row"];
    Ok(heat("diag P − P Pᵀ of example 0", ["P", "S"], &answer["closed"], "map")
        + &table("dP/dS of example 0", &columns, rows))
}

fn layers() -> Part {
    let answer = ask(&json!({ "ask": "layers" }))?;
    let columns = ["hidden node", "O1", "× class 0", "× class 1", "× class 2"];
    let rows = list(&answer["part_W2"])
        .iter()
        .enumerate()
        .map(|(m, part)| row(m.to_string(), &[&answer["o1"][m]].into_iter().chain(list(part)).collect::<Vec<_>>()));
    let mut html = table("Example 0: O1ᵀ (P − Y), its part of dL/dW2", &columns, rows);
    html += &heat("dL/dW2, the sum over the examples", ["hidden", "class"], &answer["dW2"], "dw2");
    let columns = ["hidden node", "Z1", "f′(Z1)", "dL/dO1", "dL/dZ1"];
    let rows = (0..list(&answer["z1"]).len())
        .map(|m| row(m.to_string(), &["z1", "mask", "dO1", "dZ1"].map(|name| &answer[name][m])));
    html += &table("Example 0: behind the mask of the ReLU", &columns, rows);
    html += &heat("dL/dW1, the sum over the examples", ["feature", "hidden"], &answer["dW1"], "dw1");
    Ok(html)
}

/// Up to three numbers, in brackets where there are several.
fn some(values: &Value) -> String {
    let values = list(values);
    let shown: Vec<String> = values.iter().take(3).map(shown).collect();
    let rest = if values.len() > 3 { ", …" } else { "" };
    if values.len() == 1 { shown.concat() } else { format!("[{}{rest}]", shown.join(", ")) }
}

fn tape() -> Part {
    let mut html = String::new();
    for (written, caption) in [(false, "Fused: cross-entropy is one operation"), (true, "Written out")] {
        let answer = ask(&json!({ "ask": "tape", "written": written }))?;
        let rows = list(&answer["nodes"]).iter().map(|node| {
            let operands: Vec<String> = list(&node["operands"]).iter().map(|operand| format!("#{operand}")).collect();
            let meets = if node["readers"].as_u64() > Some(1) { " +=" } else { "" };
            [
                format!("#{} {}", node["index"], word(&node["name"])),
                format!("{}({})", word(&node["op"]), operands.join(", ")),
                node["shape"].to_string(),
                some(&node["value"]),
                some(&node["cotangent"]) + meets,
                word(&node["source"]).to_owned(),
            ]
            .map(Cell::text)
            .into()
        });
        let columns = ["node", "operation", "shape", "value", "cotangent", "source line"];
        html += &table(caption, &columns, rows);
    }
    Ok(html)
}

fn second() -> Part {
    let answer = ask(&json!({ "ask": "second" }))?;
    let rows = [
        ("closed form", "closed"),
        ("forward over reverse", "forward_over_reverse"),
        ("reverse over reverse", "reverse_over_reverse"),
        ("differences", "differences"),
    ];
    let rows = rows.map(|(name, key)| row(name, &list(&answer[key]).iter().collect::<Vec<_>>()));
    let values: Vec<String> = list(&answer["eigenvalues"]).iter().map(shown).collect();
    Ok(heat("The Hessian of example 0 by its scores", ["S", "S"], &answer["hessian"], "hessian")
        + &format!("<p>Its eigenvalues are {}.</p>", values.join(", "))
        + &table("The Hessian times v = (1, 0, 0)", &["account", "class 0", "class 1", "class 2"], rows))
}

/// How many steps the page shows before anything is asked of it.
const STEPS: u64 = 1000;
/// Of so many losses one is drawn.
const DRAWN: usize = 10;

fn descent() -> Part {
    let mut losses = Vec::new();
    while (losses.len() as u64) < STEPS {
        let answer = ask(&json!({ "ask": "descend", "to": STEPS }))?;
        losses.extend(list(&answer["losses"]).iter().map(float));
    }
    let points = losses.iter().enumerate().step_by(DRAWN).map(|(step, loss)| (step as f64, *loss));
    let lines = Lines {
        title: format!("The loss over {STEPS} steps at rate 1, all points"),
        series: vec![Series::new("loss", points)],
        ..Lines::new("step", "loss")
    };
    let answer = ask(&json!({ "ask": "regions" }))?;
    Ok(lines.picture().figure("descent-curve")
        + &regions(&answer).picture().figure("descent-regions")
        + &format!("<p>After {STEPS} steps {} of the points are told right.</p>", shown(&answer["accuracy"])))
}

/// Where the net says each arm, of places that come row by row from above.
fn regions(answer: &Value) -> Regions {
    let whole = |value: &Value| value.as_u64().unwrap_or(0) as usize;
    let (columns, reach) = (whole(&answer["grid"]).max(1), float(&answer["reach"]));
    let places: Vec<usize> = list(&answer["classes"]).iter().map(whole).collect();
    let points: Vec<f64> = list(&answer["points"]).iter().map(float).collect();
    let labels = list(&answer["labels"]).iter().map(whole);
    Regions {
        title: format!("Where the net says each arm of the spiral after {STEPS} steps"),
        x: "feature 0".into(),
        y: "feature 1".into(),
        x_range: [-reach, reach],
        y_range: [-reach, reach],
        columns,
        plane: Plane::Classes(places.chunks(columns).rev().flatten().copied().collect()),
        names: ["arm a", "arm b", "arm c"].map(str::to_owned).into(),
        points: points.chunks_exact(2).zip(labels).map(|(point, arm)| (point[0], point[1], arm)).collect(),
    }
}

fn mistake() -> Part {
    let answer = ask(&json!({ "ask": "mistake" }))?;
    let rows = list(&answer["lines"]).iter().map(|line| {
        [Cell::text(word(&line["formula"])), Cell::number(&line["written"]), Cell::number(&line["tape"])].into()
    });
    let why = format!("{} It should be {}.", word(&answer["why"]), word(&answer["right"]));
    let numbers = table("One entry of each", &["formula", "as written", "tape"], rows);
    let formulas: Vec<String> =
        list(&answer["lines"]).iter().map(|line| format!("<li>{}</li>", escaped(word(&line["formula"])))).collect();
    Ok(format!(
        "<ol class=\"choices\">{}</ol><details><summary>The numbers, and the answer</summary>{numbers}<p>{}</p></details>",
        formulas.concat(),
        escaped(&why)
    ))
}

/// The lines with room to write in, and with nothing filled in.
fn worksheet(lines: &[Checked]) -> String {
    sheet(lines, |_| [(); 3].map(|()| Cell::text("")))
}

fn solutions(lines: &[Checked]) -> String {
    sheet(lines, |numbers| ["closed", "tape", "finite"].map(|account| Cell::number(&numbers[account][0])))
}

fn sheet(lines: &[Checked], cells: impl Fn(&Value) -> [Cell; 3]) -> String {
    let rows = lines.iter().map(|Checked { line, numbers }| {
        let name = format!("{} {}", word(&line["name"]), place(&line["shape"], 0));
        [Cell::text(name), Cell::Html(formula(line))].into_iter().chain(cells(numbers)).collect()
    });
    table("The first entry of each line", &["line", "formula", "closed form", "tape", "differences"], rows)
}
