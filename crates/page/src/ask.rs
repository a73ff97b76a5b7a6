//! Requests by name, and their answers.

mod descent;
mod jacobian;
mod layers;
mod lines;
mod loss;
mod mistake;
mod scores;
mod second;
mod tape;

use crate::state::State;
use autograd::Tensor;
use serde_json::{Map, Value, json};
use softmax_net::closed_form::ClosedForm;
use softmax_net::published::Published;
use softmax_net::{Convention, Forward, Gradients};

/// A request, as an object of fields.
type Request = Map<String, Value>;
/// Numbers, or what is wrong with the request.
type Answer = Result<Value, String>;

/// A function that answers.
type Ask = fn(&Request) -> Answer;
/// A forward pass and its gradients, in closed form.
type Closed = (Forward<Vec<f64>>, Gradients<Vec<f64>>);

/// What can be asked for, each with the function that answers.
const ASKS: &[(&str, Ask)] = &[
    ("published", |_| Ok(published())),
    ("table", lines::table),
    ("line", lines::line),
    ("forward", forward),
    ("scores", scores::scores),
    ("loss", loss::loss),
    ("jacobian", jacobian::jacobian),
    ("layers", layers::layers),
    ("tape", tape::tape),
    ("second", second::second),
    ("descend", descent::descend),
    ("regions", descent::regions),
    ("checked", descent::checked),
    ("mistake", mistake::mistake),
];

/// The answer to a request, both as JSON: an object of numbers, or one whose `error` says what is wrong with the request. Numbers
/// that JSON does not have are the texts `NaN`, `Infinity` and `-Infinity`.
///
/// ```
/// let wrong = page::answer(r#"{"ask": "loss", "i": 5}"#);
/// assert_eq!(wrong, r#"{"error":"i must be a whole number below 5"}"#);
/// ```
pub fn answer(request: &str) -> String {
    let answered = serde_json::from_str::<Request>(request).map_err(|_| "a request is a JSON object".to_owned());
    let answered = answered.and_then(|request| {
        let name = request.get("ask").and_then(Value::as_str).unwrap_or("");
        let found = ASKS.iter().find(|(known, _)| *known == name);
        let (_, ask) = found.ok_or_else(|| format!("nothing is known by the name of {:?}", short(name)))?;
        ask(&request)
    });
    answered.unwrap_or_else(|error| json!({ "error": error })).to_string()
}

/// No more of a text than an error needs.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A number, or the name of what JSON has no number for.
fn number(x: f64) -> Value {
    if x.is_finite() {
        return json!(x);
    }
    json!(if x.is_nan() {
        "NaN"
    } else if x > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    })
}

fn numbers(values: &[f64]) -> Value {
    values.iter().copied().map(number).collect()
}

/// Rows of `width`.
fn rows(values: &[f64], width: usize) -> Value {
    values.chunks(width.max(1)).map(numbers).collect()
}

/// A tensor of rank 1 as numbers, of rank 2 as rows.
fn array(tensor: &Tensor) -> Value {
    match tensor.shape()[..] {
        [_, width] => rows(tensor.as_slice(), width),
        _ => numbers(tensor.as_slice()),
    }
}

/// The closed form of a state.
fn closed(state: &State) -> Result<Closed, String> {
    let form = ClosedForm::try_new(state.sizes, state.net.slices(), state.x.as_slice(), &state.labels);
    let computed = form.and_then(|form| {
        let forward = form.forward(Convention::Sum)?;
        let gradients = form.gradients(&forward, Convention::Sum)?;
        Ok((forward, gradients))
    });
    computed.map_err(|error| error.to_string())
}

/// The published network and examples.
fn published() -> Value {
    let Published { net, x, labels, .. } = Published::embedded();
    json!({
        "W1": array(&net.w1), "b1": array(&net.b1), "W2": array(&net.w2), "b2": array(&net.b2),
        "X": array(&x), "y": labels, "f": net.f.to_string(),
    })
}

/// Every named array of the forward pass, and every gradient of the sum, in closed form.
fn forward(request: &Request) -> Answer {
    let state = State::of(request)?;
    let (forward, gradients) = closed(&state)?;
    let named = |arrays: &[(&'static str, &Vec<f64>)]| {
        arrays.iter().map(|(name, values)| ((*name).to_owned(), numbers(values))).collect::<Map<_, _>>()
    };
    Ok(json!({
        "sizes": { "n": state.sizes.n, "d": state.sizes.d, "h": state.sizes.h, "k": state.sizes.k },
        "forward": named(&forward.named()),
        "gradients": named(&gradients.named()),
    }))
}
