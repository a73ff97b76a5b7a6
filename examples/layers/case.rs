//! A recorded case, and its comparison with a layer of ours.

use autograd::{IndexVar, Key, Tape, Tensor, Tree, Var, grad};
use nn::Context;
use serde_json::Value;

/// A recorded case.
pub(crate) struct Case {
    pub(crate) layer: String,
    pub(crate) args: Value,
    all: Value,
}

/// An input of a layer's call.
#[derive(Clone)]
pub(crate) enum Given<'t> {
    Numbers(Var<'t>),
    Integers(IndexVar<'t>),
    /// 1 where it is true.
    Mask(Tensor),
}

/// The inputs of a call.
pub(crate) struct Call<'t> {
    pub(crate) tape: &'t Tape,
    given: Vec<(String, Given<'t>)>,
    pub(crate) context: Context<'t>,
}

impl<'t> Call<'t> {
    /// The numbers of an input by its place.
    pub(crate) fn numbers(&self, place: usize) -> Result<Var<'t>, String> {
        match self.given.get(place) {
            Some((_, Given::Numbers(x))) => Ok(*x),
            _ => Err(format!("input {place} is not numbers")),
        }
    }

    /// The integers of an input by its place.
    pub(crate) fn integers(&self, place: usize) -> Result<IndexVar<'t>, String> {
        match self.given.get(place) {
            Some((_, Given::Integers(x))) => Ok(*x),
            _ => Err(format!("input {place} is not integers")),
        }
    }

    /// An input by its name.
    pub(crate) fn named(&self, name: &str) -> Option<&Given<'t>> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, given)| given)
    }
}

/// What is compared of a layer without parameters.
pub(crate) type Nothing = Vec<Tensor>;

impl Case {
    pub(crate) fn read(all: Value) -> Result<Self, String> {
        let layer = all["layer"].as_str().ok_or("the case names no layer")?.to_owned();
        Ok(Self { layer, args: all["args"].clone(), all })
    }

    pub(crate) fn is_training(&self) -> bool {
        self.all["mode"] != "eval"
    }

    /// An argument that is a number, or the default.
    pub(crate) fn number(&self, name: &str, default: f64) -> f64 {
        self.args[name].as_f64().unwrap_or(default)
    }

    /// An argument that is a size, or the default.
    pub(crate) fn size(&self, name: &str, default: usize) -> usize {
        self.args[name].as_u64().map_or(default, |size| size as usize)
    }

    /// An argument that is a size for all axes, or one for each.
    pub(crate) fn sizes<const D: usize>(&self, name: &str, default: usize) -> [usize; D] {
        let given = &self.args[name];
        match given.as_array() {
            Some(sizes) => std::array::from_fn(|i| sizes.get(i).and_then(Value::as_u64).unwrap_or(0) as usize),
            None => [given.as_u64().map_or(default, |size| size as usize); D],
        }
    }

    /// An argument that is true or false, or the default.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.args[name].as_bool().unwrap_or(default)
    }

    /// An argument that is a word, or the default.
    pub(crate) fn word<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.args[name].as_str().unwrap_or(default)
    }

    /// An argument that is a list of numbers.
    pub(crate) fn list(&self, name: &str) -> Option<Tensor> {
        let list = self.args[name].as_array()?;
        Some(Tensor::from(list.iter().filter_map(Value::as_f64).collect::<Vec<_>>()))
    }

    /// Which shape an input has.
    pub(crate) fn shape_of(&self, input: usize) -> Vec<usize> {
        sizes(&self.all["inputs"][input]["shape"])
    }

    /// As [`Case::of`], of what has no parameters.
    pub(crate) fn of_function(
        &self,
        function: impl for<'t> Fn(&Call<'t>) -> Result<Vec<Var<'t>>, String>,
    ) -> Result<(), String> {
        self.of(Nothing::new(), |_, call| function(call))
    }

    /// Compares a layer: its parameters and buffers take the numbers of the case by their names.
    pub(crate) fn of<L>(
        &self,
        mut layer: L,
        forward: impl for<'t> Fn(&L::With<Var<'t>>, &Call<'t>) -> Result<Vec<Var<'t>>, String>,
    ) -> Result<(), String>
    where
        L: Tree<Leaf = Tensor, With<Tensor> = L>,
    {
        let names = self.fill(&mut layer)?;
        let tape = Tape::new();
        let leaves: Vec<Var<'_>> = layer.leaves().into_iter().map(|leaf| tape.var(leaf)).collect();
        let mut next = leaves.iter();
        let vars = layer.map(&mut |_| *next.next().expect("there is a variable for each leaf"));
        let training = || Context::training(tape.key(Key::new(0)));
        let context = if self.is_training() { training() } else { Context::evaluating() };
        let call = Call { tape: &tape, given: self.inputs(&tape)?, context };
        let outputs = forward(&vars, &call)?;

        let expected = self.all["outputs"].as_array().ok_or("there are no outputs")?;
        if outputs.len() != expected.len() {
            return Err(format!("{} outputs, {} are expected", outputs.len(), expected.len()));
        }
        let mut sum = tape.scalar(0.0);
        for ((output, want), cotangent) in
            outputs.iter().zip(expected).zip(self.all["cotangents"].as_array().into_iter().flatten())
        {
            self.same(want["name"].as_str().unwrap_or("output"), &output.value(), want)?;
            sum += (*output * tape.var(&numbers(cotangent)?)).sum();
        }
        self.compare_buffers(&names, &leaves, &call.context)?;
        self.compare_gradients(&tape, sum, &names, &leaves, &call)
    }

    /// Gives the leaves of a layer the numbers of their names, which must be those of the case.
    fn fill<L: Tree<Leaf = Tensor>>(&self, layer: &mut L) -> Result<Vec<String>, String> {
        let names = layer.names();
        let mut known = Vec::new();
        for key in ["parameters", "buffers"] {
            known.extend(self.all[key].as_object().into_iter().flatten());
        }
        let given: Vec<&String> = known.iter().map(|(name, _)| *name).collect();
        let (mut ours, mut theirs) = (names.iter().collect::<Vec<_>>(), given.clone());
        ours.sort_unstable();
        theirs.sort_unstable();
        if ours != theirs {
            return Err(format!("the layer has the parameters {names:?}, {given:?} are recorded"));
        }
        for (leaf, name) in layer.leaves_mut().into_iter().zip(&names) {
            let (_, value) = known.iter().find(|(known, _)| *known == name).ok_or("a parameter is missing")?;
            let value = numbers(value)?;
            if leaf.shape() != value.shape() {
                return Err(format!("{name} has the shape {}, {} is recorded", leaf.shape(), value.shape()));
            }
            *leaf = value;
        }
        Ok(names)
    }

    fn inputs<'t>(&self, tape: &'t Tape) -> Result<Vec<(String, Given<'t>)>, String> {
        let read = |input: &Value| {
            let name = input["name"].as_str().unwrap_or_default().to_owned();
            let given = match input["dtype"].as_str() {
                Some("i64") => {
                    let data = input["data"].as_array().into_iter().flatten().filter_map(Value::as_i64);
                    Given::Integers(tape.indices(sizes(&input["shape"]), &data.collect::<Vec<_>>()))
                }
                Some("bool") => Given::Mask(numbers(input)?),
                _ => Given::Numbers(tape.var(&numbers(input)?)),
            };
            Ok((name, given))
        };
        self.all["inputs"].as_array().into_iter().flatten().map(read).collect()
    }

    fn compare_buffers<'t>(&self, names: &[String], leaves: &[Var<'t>], context: &Context<'t>) -> Result<(), String> {
        for (name, want) in self.all["buffers_after"].as_object().into_iter().flatten() {
            let place = names.iter().position(|ours| ours == name).ok_or(format!("there is no buffer {name}"))?;
            let kept = context.kept(leaves[place]).ok_or(format!("{name} is not told as a buffer"))?;
            self.same(name, &kept.value(), want)?;
        }
        Ok(())
    }

    /// The first gradients, and the gradient of their product with the direction.
    fn compare_gradients<'t>(
        &self,
        tape: &'t Tape,
        sum: Var<'t>,
        names: &[String],
        leaves: &[Var<'t>],
        call: &Call<'t>,
    ) -> Result<(), String> {
        let mut wrt = Vec::new();
        for (place, (name, given)) in call.given.iter().enumerate() {
            let at = |key: &str| self.all[key]["inputs"][place].clone();
            if let Given::Numbers(x) = given
                && !at("gradients").is_null()
            {
                wrt.push((format!("input {name}"), *x, ["gradients", "tangents", "second"].map(at)));
            }
        }
        for (name, leaf) in names.iter().zip(leaves) {
            let at = |key: &str| self.all[key]["parameters"][name].clone();
            if !at("gradients").is_null() {
                wrt.push((name.clone(), *leaf, ["gradients", "tangents", "second"].map(at)));
            }
        }
        let vars: Vec<Var<'_>> = wrt.iter().map(|(_, x, _)| *x).collect();
        let grads = grad(sum, &vars);
        let mut product = tape.scalar(0.0);
        for (dx, (name, _, [want, tangent, _])) in grads.iter().zip(&wrt) {
            self.same(&format!("gradient of {name}"), &dx.value(), want)?;
            product += (*dx * tape.var(&numbers(tangent)?)).sum();
        }
        if self.all["second"].is_null() {
            return Ok(());
        }
        for (second, (name, _, [_, _, want])) in grad(product, &vars).iter().zip(&wrt) {
            self.same(&format!("second derivative of {name}"), &second.value(), want)?;
        }
        Ok(())
    }

    /// Equal but for the case's tolerance, of the largest entry.
    fn same(&self, what: &str, got: &Tensor, want: &Value) -> Result<(), String> {
        let want = numbers(want)?;
        if got.shape() != want.shape() {
            return Err(format!("{what} has the shape {}, {} is recorded", got.shape(), want.shape()));
        }
        let largest = want.as_slice().iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let bound = self.all["rtol"].as_f64().unwrap_or(1e-12) * if largest == 0.0 { 1.0 } else { largest };
        let far = got
            .as_slice()
            .iter()
            .zip(want.as_slice())
            .position(|(x, y)| (x - y).abs() > bound || x.is_nan() != y.is_nan());
        match far {
            Some(i) => {
                Err(format!("{what}, element {i}: {:e}, {:e} is recorded", got.as_slice()[i], want.as_slice()[i]))
            }
            None => Ok(()),
        }
    }
}

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().into_iter().flatten().filter_map(Value::as_u64).map(|size| size as usize).collect()
}

/// A recorded array, with true as 1.
fn numbers(value: &Value) -> Result<Tensor, String> {
    let data = value["data"].as_array().ok_or("an array has no data")?;
    let number = |x: &Value| x.as_f64().or(x.as_bool().map(f64::from)).ok_or("an array holds what is no number");
    let data = data.iter().map(number).collect::<Result<Vec<f64>, _>>()?;
    let shape = sizes(&value["shape"]);
    if shape.iter().product::<usize>() != data.len() {
        return Err(format!("an array of {} numbers is not of the shape {shape:?}", data.len()));
    }
    Ok(Tensor::new(shape, data))
}
