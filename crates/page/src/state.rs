//! What a request is about: a network with its examples, and an example and a class of it.

use autograd::Tensor;
use serde_json::{Map, Value};
use softmax_net::published::Published;
use softmax_net::{Activation, Sizes, Toy};

/// The most examples, features, hidden nodes and classes: with them each request takes milliseconds, and a table fits a screen.
const MOST: Sizes = Sizes { n: 8, d: 8, h: 12, k: 5 };

/// A network with its examples: the published one but for what a request says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) net: Toy<Tensor>,
    pub(crate) x: Tensor,
    pub(crate) labels: Vec<usize>,
    pub(crate) sizes: Sizes,
    /// The example that is looked at.
    pub(crate) i: usize,
    /// The class that is looked at.
    pub(crate) k: usize,
}

impl State {
    /// Reads the fields `W1`, `b1`, `W2`, `b2`, `X`, `y`, `f`, `i` and `k` of a request, where it has them.
    pub(crate) fn of(request: &Map<String, Value>) -> Result<Self, String> {
        let Published { net, x, labels, .. } = Published::embedded();
        let array = |name: &str, published: Tensor| match request.get(name) {
            None => Ok(published),
            Some(given) => tensor(given).ok_or_else(|| format!("{name} must be rows of numbers of one length")),
        };
        let f = match request.get("f") {
            None => net.f,
            Some(Value::String(name)) => name.parse::<Activation>().map_err(|error| error.to_string())?,
            Some(_) => return Err("f must be the name of an activation".to_owned()),
        };
        let labels = match request.get("y") {
            None => labels,
            Some(given) => whole_numbers(given).ok_or("y must be whole numbers from 0")?,
        };
        let [w1, b1, w2, b2] = [("W1", net.w1), ("b1", net.b1), ("W2", net.w2), ("b2", net.b2)]
            .map(|(name, array_of)| array(name, array_of));
        let net = Toy::try_new(w1?, b1?, w2?, b2?, f).map_err(|error| error.to_string())?;
        let x = array("X", x)?;
        let sizes = Sizes::of(&net.shapes(), x.shape(), &labels).map_err(|error| error.to_string())?;
        hold(sizes)?;
        let index = |name: &str, below: usize| match request.get(name) {
            None => Ok(0),
            Some(given) => {
                let index = given.as_u64().filter(|&index| index < below as u64);
                index.map(|index| index as usize).ok_or_else(|| format!("{name} must be a whole number below {below}"))
            }
        };
        let (i, k) = (index("i", sizes.n)?, index("k", sizes.k)?);
        Ok(Self { net, x, labels, sizes, i, k })
    }
}

/// Whether there is something of each kind, and no more than the page can show.
fn hold(sizes: Sizes) -> Result<(), String> {
    let Sizes { n, d, h, k } = sizes;
    for (what, size, most) in
        [("examples", n, MOST.n), ("features", d, MOST.d), ("hidden nodes", h, MOST.h), ("classes", k, MOST.k)]
    {
        if !(1..=most).contains(&size) {
            return Err(format!("the page takes 1 to {most} {what}, not {size}"));
        }
    }
    Ok(())
}

/// Numbers, or rows of numbers of one length; all of them finite.
fn tensor(value: &Value) -> Option<Tensor> {
    let rows = value.as_array()?;
    let numbers = |row: &Value| row.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>();
    if rows.first().is_some_and(Value::is_array) {
        let rows = rows.iter().map(numbers).collect::<Option<Vec<_>>>()?;
        let width = rows.first()?.len();
        let fits = rows.iter().all(|row| row.len() == width);
        return fits.then(|| Tensor::new([rows.len(), width], rows.concat()));
    }
    Some(Tensor::from(numbers(value)?))
}

fn whole_numbers(value: &Value) -> Option<Vec<usize>> {
    value.as_array()?.iter().map(|number| number.as_u64().and_then(|n| usize::try_from(n).ok())).collect()
}
