//! From the name and attributes of a case to the methods of a variable.

use crate::case::{Array, DType};
use autograd::{
    Axes, Conv, CrossEntropyOptions, Float, GaussianNll, IndexVar, InputRecorder, InputWriter, Inputs, KlTarget, Order,
    Padding, PoissonNll, Pool, Pooling, ProgramError, Quantiles, Reduction, Shape, Slice, Tape, Tensor, Triangular,
    TripletMargin, Var, concat, einsum, keepdims, stack,
};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The attributes of a case; each must be asked for.
struct Attrs<'a> {
    map: &'a Map<String, Value>,
    asked: RefCell<BTreeSet<String>>,
}

type Answer<R> = Result<R, String>;

impl Attrs<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.asked.borrow_mut().insert(name.to_owned());
        self.map.get(name).filter(|value| !value.is_null())
    }
    fn is_there(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }
    fn float_or(&self, name: &str) -> Answer<Option<f64>> {
        let parse = |value: &Value| match value.as_str() {
            Some("inf") => Ok(f64::INFINITY),
            Some("-inf") => Ok(f64::NEG_INFINITY),
            Some(_) | None => value.as_f64().ok_or(format!("attribute {name} = {value} is no number")),
        };
        self.get(name).map(parse).transpose()
    }
    fn float(&self, name: &str) -> Answer<f64> {
        self.float_or(name)?.ok_or(format!("attribute {name} is missing"))
    }
    fn int_or(&self, name: &str) -> Answer<Option<isize>> {
        let parse = |v: &Value| v.as_i64().map(|i| i as isize).ok_or(format!("attribute {name} = {v} is no integer"));
        self.get(name).map(parse).transpose()
    }
    fn int(&self, name: &str) -> Answer<isize> {
        self.int_or(name)?.ok_or(format!("attribute {name} is missing"))
    }
    /// An attribute that goes by several names, or what it is where it goes by none.
    fn int_of(&self, names: &[&str], default: isize) -> Answer<isize> {
        let given = names.iter().map(|name| self.int_or(name)).collect::<Answer<Vec<_>>>()?;
        Ok(given.into_iter().flatten().next().unwrap_or(default))
    }
    fn count_or(&self, name: &str, default: u32) -> Answer<u32> {
        let count = self.int_or(name)?.map(u32::try_from).transpose();
        Ok(count.map_err(|_| format!("attribute {name} is no count"))?.unwrap_or(default))
    }
    fn flag(&self, name: &str) -> Answer<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or(format!("attribute {name} = {value} is no bool")),
        }
    }
    fn text(&self, name: &str) -> Answer<String> {
        let value = self.get(name).ok_or(format!("attribute {name} is missing"))?;
        Ok(value.as_str().ok_or(format!("attribute {name} = {value} is no string"))?.to_owned())
    }
    fn list_or<R>(&self, name: &str, parse: impl Fn(&Value) -> Option<R>) -> Answer<Option<Vec<R>>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let list: Option<Vec<R>> = match value.as_array() {
            Some(list) => list.iter().map(parse).collect(),
            None => parse(value).map(|one| vec![one]),
        };
        list.map(Some).ok_or(format!("attribute {name} = {value} does not parse"))
    }
    fn ints(&self, name: &str) -> Answer<Vec<isize>> {
        self.list_or(name, |v| v.as_i64().map(|i| i as isize))?.ok_or(format!("attribute {name} is missing"))
    }
    fn sizes(&self, name: &str) -> Answer<Vec<usize>> {
        self.list_or(name, |v| v.as_u64().map(|i| i as usize))?.ok_or(format!("attribute {name} is missing"))
    }
    fn pair<const D: usize>(&self, name: &str, default: [usize; D]) -> Answer<[usize; D]> {
        if !self.is_there(name) {
            return Ok(default);
        }
        let sizes = self.sizes(name)?;
        let all = if sizes.len() == 1 { vec![sizes[0]; D] } else { sizes };
        all.try_into().map_err(|sizes| format!("attribute {name} = {sizes:?} does not have {D} sizes"))
    }
    fn axes(&self) -> Answer<Axes> {
        let axes = self.list_or("axes", |v| v.as_i64().map(|i| i as isize))?;
        let axes = axes.map_or(Axes::from(..), |axes| Axes::from(&axes[..]));
        Ok(if self.flag("keepdims")? { keepdims(axes) } else { axes })
    }
    fn quantiles(&self) -> Answer<Quantiles> {
        let fractions = self.list_or("q", Value::as_f64)?.ok_or("attribute q is missing")?;
        let is_list = self.get("q").is_some_and(Value::is_array);
        Ok(if is_list { Quantiles::from(fractions) } else { Quantiles::from(fractions[0]) })
    }
    fn reduction(&self) -> Answer<Reduction> {
        match self.text("reduction")?.as_str() {
            "none" => Ok(Reduction::None),
            "sum" => Ok(Reduction::Sum),
            "mean" => Ok(Reduction::Mean),
            "batchmean" => Ok(Reduction::BatchMean),
            other => Err(format!("the reduction «{other}» is not known")),
        }
    }
    fn weights<T: Float>(&self, name: &str) -> Answer<Option<Tensor<T>>> {
        Ok(self.list_or(name, Value::as_f64)?.map(|w| Tensor::from(w.into_iter().map(T::of).collect::<Vec<T>>())))
    }
    fn cross_entropy<T: Float>(&self) -> Answer<CrossEntropyOptions<T>> {
        Ok(CrossEntropyOptions {
            reduction: self.reduction()?,
            class_weights: self.weights("weight")?,
            label_smoothing: self.float_or("label_smoothing")?.unwrap_or(0.0),
            ignore_index: self.int_or("ignore_index")?.map(|i| i as i64),
        })
    }
    fn conv<const D: usize>(&self) -> Answer<Conv<D>> {
        Ok(Conv {
            stride: self.pair("stride", [1; D])?,
            padding: self.pair("padding", [0; D])?,
            dilation: self.pair("dilation", [1; D])?,
            groups: self.int_or("groups")?.unwrap_or(1) as usize,
        })
    }
    fn pool(&self) -> Answer<Pooling> {
        let kernel = self.pair("kernel", [0, 0])?;
        let pool = Pool { kernel, stride: self.pair("stride", kernel)?, padding: self.pair("padding", [0, 0])? };
        Ok(if self.flag("ceil_mode")? { pool.ceil_mode() } else { pool.into() })
    }
    fn slices(&self) -> Answer<Vec<Slice>> {
        let optional = |v: &Value| if v.is_null() { Some(None) } else { v.as_i64().map(|i| Some(i as isize)) };
        let (starts, stops) = (self.list_or("starts", optional)?, self.list_or("stops", optional)?);
        let starts = starts.ok_or("attribute starts is missing")?;
        let stops = stops.unwrap_or_else(|| vec![None; starts.len()]);
        let steps = if self.is_there("steps") { self.ints("steps")? } else { vec![1; starts.len()] };
        let slices = starts.iter().zip(stops).zip(steps).map(|((&start, stop), step)| Slice { start, stop, step });
        Ok(slices.collect())
    }
}

/// Operations whose mask is known when they are recorded, so that a program keeps it.
pub(crate) const KNOWN_MASK: [&str; 2] = ["masked_select", "compress"];

/// An input of a case on a tape.
pub(crate) enum Input<'t, T: Float> {
    /// Numbers.
    Float(Var<'t, T>),
    /// Integers.
    Index(IndexVar<'t, T>),
    /// Truth values: as numbers, and as they are known when recorded.
    Mask(Var<'t, T>, Vec<bool>),
}

impl<'t, T: Float> Input<'t, T> {
    /// Places an array on a tape; integers index, truth values are masks.
    pub(crate) fn on(tape: &'t Tape<T>, array: &Array) -> Self {
        match array.dtype {
            DType::Float => Self::Float(tape.var(&tensor(array))),
            DType::Bool => Self::Mask(tape.var(&tensor(array)), array.data.iter().map(|&x| x != 0.0).collect()),
            DType::Integer => {
                let data: Vec<i64> = array.data.iter().map(|&x| x as i64).collect();
                Self::Index(tape.indices(&array.shape[..], &data))
            }
        }
    }
}

/// All inputs of a case, as a program takes them.
pub(crate) struct Arrays<'a>(pub(crate) &'a [Array]);

impl<T: Float> Inputs<T> for Arrays<'_> {
    type Traced<'t> = Vec<Input<'t, T>>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> Self::Traced<'t> {
        let input = |array| match Input::on(tape, array) {
            Input::Float(_) => Input::Float(slots.numbers(tape, &tensor(array))),
            Input::Mask(_, holds) => Input::Mask(slots.numbers(tape, &tensor(array)), holds),
            Input::Index(index) => Input::Index(slots.integers(index)),
        };
        self.0.iter().map(input).collect()
    }
    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        self.0.iter().try_for_each(|array| {
            let shape = Shape::from(&array.shape[..]);
            match array.dtype {
                DType::Float | DType::Bool => binder.numbers(&shape, tensor::<T>(array).as_slice()),
                DType::Integer => binder.integers(&shape, array.data.iter().map(|&x| x as i64)),
            }
        })
    }
}

/// An array as a tensor.
pub(crate) fn tensor<T: Float>(array: &Array) -> Tensor<T> {
    Tensor::new(&array.shape[..], array.data.iter().map(|&x| T::of(x)).collect())
}

/// Records the operation of a case. An operation or attribute that is not known is an error.
pub(crate) fn record<'t, T: Float>(
    tape: &'t Tape<T>,
    op: &str,
    attrs: &Map<String, Value>,
    inputs: &[Input<'t, T>],
) -> Answer<Var<'t, T>> {
    let attrs = Attrs { map: attrs, asked: RefCell::default() };
    let y = apply(tape, op, &attrs, inputs)?;
    match attrs.map.keys().find(|name| !attrs.asked.borrow().contains(*name)) {
        Some(name) => Err(format!("the attribute «{name}» of {op} is not known")),
        None => Ok(y),
    }
}

/// The table of operations: a line for each, from its name to the expression. It makes the function that records an
/// operation by name, and the list of names, which the documentation is tested against.
macro_rules! table {
    (
        fn $apply:ident($tape:ident, $op:ident, $attrs:ident, $inputs:ident);
        { $($prelude:tt)* }
        $($($name:literal)|+ => $expression:expr,)*
    ) => {
        /// Every operation that a case can name.
        #[cfg(test)]
        pub(crate) const NAMES: &[&str] = &[$($($name),+),*];

        #[allow(clippy::too_many_lines, reason = "a table: one row for each operation")]
        fn $apply<'t, T: Float>(
            $tape: &'t Tape<T>,
            $op: &str,
            $attrs: &Attrs<'_>,
            $inputs: &[Input<'t, T>],
        ) -> Answer<Var<'t, T>> {
            $($prelude)*
            Ok(match $op {
                $($($name)|+ => $expression,)*
                _ => return Err(format!("the operation «{}» is not known", $op)),
            })
        }
    };
}

table! {
    fn apply(tape, op, attrs, inputs);
    {
        let float = |k: usize| match inputs.get(k) {
            Some(Input::Float(x) | Input::Mask(x, _)) => Ok(*x),
            Some(Input::Index(_)) => Err(format!("input {k} should be numbers")),
            None => Err(format!("input {k} is missing")),
        };
        let index = |k: usize| match inputs.get(k) {
            Some(Input::Index(i)) => Ok(*i),
            Some(Input::Float(_) | Input::Mask(..)) => Err(format!("input {k} should be integers")),
            None => Err(format!("input {k} is missing")),
        };
        let mask = |k: usize| match inputs.get(k) {
            Some(Input::Mask(_, holds)) => Ok(&holds[..]),
            Some(Input::Float(_) | Input::Index(_)) => Err(format!("input {k} should be truth values")),
            None => Err(format!("input {k} is missing")),
        };
        let optional = |k: usize| if k < inputs.len() { float(k).map(Some) } else { Ok(None) };
        let all = || (0..inputs.len()).map(float).collect::<Answer<Vec<_>>>();
        let x = float(0)?;
    }
    "neg" => x.neg(),
    "abs" => x.abs(),
    "sign" => x.sign(),
    "floor" => x.floor(),
    "ceil" => x.ceil(),
    "round" => x.round(),
    "exp" => x.exp(),
    "expm1" => x.expm1(),
    "log" => x.log(),
    "log1p" => x.log1p(),
    "log2" => x.log2(),
    "log10" => x.log10(),
    "exp2" => x.exp2(),
    "pow_of" => x.pow_of(attrs.float("base")?),
    "cbrt" => x.cbrt(),
    "sqrt" => x.sqrt(),
    "rsqrt" => x.rsqrt(),
    "reciprocal" => x.reciprocal(),
    "square" => x.square(),
    "pow_scalar" => x.pow_scalar(attrs.float("exponent")?),
    "sin" => x.sin(),
    "cos" => x.cos(),
    "tan" => x.tan(),
    "asin" => x.asin(),
    "acos" => x.acos(),
    "atan" => x.atan(),
    "sinh" => x.sinh(),
    "cosh" => x.cosh(),
    "tanh" => x.tanh(),
    "asinh" => x.asinh(),
    "acosh" => x.acosh(),
    "atanh" => x.atanh(),
    "sigmoid" => x.sigmoid(),
    "log_sigmoid" => x.log_sigmoid(),
    "softplus" => x.softplus(),
    "relu" => x.relu(),
    "leaky_relu" => x.leaky_relu(attrs.float("negative_slope")?),
    "elu" => x.elu(attrs.float("alpha")?),
    "gelu" => match attrs.text("approximate")?.as_str() {
        "none" => x.gelu(),
        "tanh" => x.gelu_tanh(),
        other => return Err(format!("the approximation «{other}» is not known")),
    },
    "silu" => x.silu(),
    "mish" => x.mish(),
    "softsign" => x.softsign(),
    "celu" => x.celu(attrs.float("alpha")?),
    "selu" => x.selu(),
    "hardtanh" => x.hardtanh(attrs.float("min")?, attrs.float("max")?),
    "hardsigmoid" => x.hardsigmoid(),
    "hardswish" => x.hardswish(),
    "softshrink" => x.softshrink(attrs.float("lambda")?),
    "hardshrink" => x.hardshrink(attrs.float("lambda")?),
    "tanhshrink" => x.tanhshrink(),
    "threshold" => x.threshold(attrs.float("threshold")?, attrs.float("value")?),
    "nan_to_num" => x.nan_to_num(),
    "erf" => x.erf(),
    "erfc" => x.erfc(),
    "sinc" => x.sinc(),
    "erfinv" => x.erfinv(),
    "logit" => x.logit(),
    "ndtr" => x.ndtr(),
    "log_ndtr" => x.log_ndtr(),
    "log_cosh" => x.log_cosh(),
    "lgamma" => x.lgamma(),
    "digamma" => x.digamma(),
    "polygamma" => x.polygamma(attrs.count_or("n", 1)?),
    "clamp" => x.clamp(attrs.float_or("min")?, attrs.float_or("max")?),
    "add" => x + float(1)?,
    "sub" => x - float(1)?,
    "mul" => x * float(1)?,
    "div" => x / float(1)?,
    "pow" => x.pow(float(1)?),
    "maximum" => x.maximum(float(1)?),
    "minimum" => x.minimum(float(1)?),
    "atan2" => x.atan2(float(1)?),
    "hypot" => x.hypot(float(1)?),
    "rem" => x.rem(float(1)?),
    "logaddexp" => x.logaddexp(float(1)?),
    "xlogy" => x.xlogy(float(1)?),
    "xlog1py" => x.xlog1py(float(1)?),
    "where" => x.select(float(1)?, float(2)?),
    "sum" => x.sum_axes(attrs.axes()?),
    "mean" => x.mean_axes(attrs.axes()?),
    "prod" => x.prod_axes(attrs.axes()?),
    "max" => x.max_axes(attrs.axes()?),
    "min" => x.min_axes(attrs.axes()?),
    "logsumexp" => x.logsumexp(attrs.axes()?),
    "var" => x.var(attrs.int_or("ddof")?.unwrap_or(0) as usize, attrs.axes()?),
    "std" => x.std(attrs.int_or("ddof")?.unwrap_or(0) as usize, attrs.axes()?),
    "norm" => x.norm(attrs.float_or("ord")?.unwrap_or(2.0), attrs.axes()?),
    "softmax" => x.softmax(attrs.int("axis")?),
    "log_softmax" => x.log_softmax(attrs.int("axis")?),
    "cumsum" => x.cumsum(attrs.int("axis")?),
    "cumsum_reverse" => x.cumsum_reverse(attrs.int("axis")?),
    "diff" => x.diff(attrs.count_or("n", 1)? as usize, attrs.int_or("axis")?.unwrap_or(-1)),
    "cumprod" => x.cumprod(attrs.int("axis")?),
    "logcumsumexp" => x.logcumsumexp(attrs.int("axis")?),
    "cummax" => x.cummax(attrs.int("axis")?),
    "cummin" => x.cummin(attrs.int("axis")?),
    "median" => x.median(attrs.axes()?),
    "quantile" => x.quantile(attrs.quantiles()?, attrs.axes()?),
    "sort" => x.sort(attrs.int_or("axis")?.unwrap_or(-1), [Order::Ascending, Order::Descending][usize::from(attrs.flag("descending")?)]),
    "topk" => {
        let largest = if attrs.is_there("largest") { attrs.flag("largest")? } else { true };
        x.topk(attrs.int("k")? as usize, attrs.int_or("axis")?.unwrap_or(-1), [Order::Ascending, Order::Descending][usize::from(largest)]).0
    },
    "matmul" | "dot" | "matvec" | "vecmat" => x.matmul(float(1)?),
    "affine" => {
        let y = x.matmul(float(1)?);
        optional(2)?.map_or(y, |bias| y + bias)
    },
    "linear" => x.linear(float(1)?, optional(2)?),
    "einsum" => einsum(&attrs.text("equation")?, &all()?),
    "transpose" => match attrs.list_or("perm", |v| v.as_i64().map(|i| i as isize))? {
        Some(perm) => x.transpose(&perm),
        None => x.transpose(&(0..x.rank() as isize).rev().collect::<Vec<_>>()),
    },
    "reshape" => x.reshape(attrs.sizes("shape")?),
    "broadcast_to" => x.broadcast_to(attrs.sizes("shape")?),
    "expand_dims" => x.expand_dims(attrs.int("axis")?),
    "squeeze" => x.squeeze(attrs.int("axis")?),
    "concat" => concat(&all()?, attrs.int("axis")?),
    "stack" => stack(&all()?, attrs.int("axis")?),
    "slice" => x.slice(&attrs.slices()?),
    "pad" => {
        let pads: Vec<_> = attrs.sizes("low")?.into_iter().zip(attrs.sizes("high")?).collect();
        x.pad(&pads, attrs.float_or("value")?.unwrap_or(0.0))
    },
    "index_axis" => x.index_axis(attrs.int("axis")?, attrs.int("index")?),
    "unstack" => {
        let parts = x.unstack(attrs.int("axis")?);
        let which = attrs.int("index")? as usize;
        *parts.get(which).ok_or(format!("there is no part {which} of {}", parts.len()))?
    },
    "repeat" => x.repeat(attrs.count_or("count", 1)? as usize, attrs.int("axis")?),
    "tile" => x.tile(&attrs.sizes("counts")?),
    "zeros_like" => x.zeros_like(),
    "ones_like" => x.ones_like(),
    "flip" => x.flip(&attrs.ints("axes")?),
    "roll" => x.roll(&attrs.ints("shifts")?, &attrs.ints("axes")?),
    "tril" => x.tril(attrs.int_or("k")?.unwrap_or(0)),
    "triu" => x.triu(attrs.int_or("k")?.unwrap_or(0)),
    "diag" => x.diag(attrs.int_of(&["k", "offset", "diagonal"], 0)?),
    "diag_embed" => x.diag_embed(attrs.int_of(&["k", "offset"], 0)?),
    "diagonal" => {
        let (first, second) = (attrs.int_of(&["axis1", "dim1"], 0)?, attrs.int_of(&["axis2", "dim2"], 1)?);
        x.diagonal_at(attrs.int_of(&["k", "offset"], 0)?, first, second)
    },
    "trace" => x.trace(),
    "cross" => x.cross(float(1)?, attrs.int_or("axis")?.unwrap_or(-1)),
    "outer" => x.outer(float(1)?),
    "gather" => x.gather(attrs.int("axis")?, &index(1)?),
    "index_select" => x.index_select(attrs.int("axis")?, &index(1)?),
    "embedding" => x.embedding(&index(1)?),
    "take_along_axis" => x.take_along_axis(attrs.int("axis")?, &index(1)?),
    "index_add" => x.index_add(attrs.int("axis")?, &index(1)?, float(2)?),
    "scatter_add" => x.scatter_add(attrs.int("axis")?, &index(1)?, float(2)?),
    "scatter" => x.scatter(attrs.int("axis")?, &index(1)?, float(2)?),
    "index_max" => x.index_max(attrs.int("axis")?, &index(1)?, float(2)?),
    "index_min" => x.index_min(attrs.int("axis")?, &index(1)?, float(2)?),
    "scatter_max" => x.scatter_max(attrs.int("axis")?, &index(1)?, float(2)?),
    "scatter_min" => x.scatter_min(attrs.int("axis")?, &index(1)?, float(2)?),
    "index_copy" => x.index_copy(attrs.int("axis")?, &index(1)?, float(2)?),
    "masked_fill" => x.masked_fill(float(1)?, attrs.float("value")?),
    "masked_select" => x.masked_select(mask(1)?),
    "compress" => x.compress(attrs.int("axis")?, mask(1)?),
    "cross_entropy" => x.cross_entropy_opts(&index(1)?, &attrs.cross_entropy()?),
    "nll" => x.nll(&index(1)?, &attrs.cross_entropy()?),
    "soft_cross_entropy" => x.soft_cross_entropy(float(1)?, attrs.reduction()?),
    "mse" => x.mse(float(1)?, attrs.reduction()?),
    "l1" => x.l1(float(1)?, attrs.reduction()?),
    "huber" => x.huber(float(1)?, attrs.float("delta")?, attrs.reduction()?),
    "bce_with_logits" => {
        let weight = attrs.weights("pos_weight")?.map(|w| tape.var(&w));
        x.bce_with_logits(float(1)?, weight, attrs.reduction()?)
    },
    "kl_div" => x.kl_div(float(1)?, [KlTarget::Probabilities, KlTarget::Logarithms][usize::from(attrs.flag("log_target")?)], attrs.reduction()?),
    "bce" => {
        let weight = attrs.weights("weight")?.map(|w| tape.var(&w));
        x.bce(float(1)?, weight, attrs.reduction()?)
    },
    "sigmoid_focal" => {
        // torchvision leaves the weight out where it is negative.
        let alpha = attrs.float_or("alpha")?.unwrap_or(0.25);
        let alpha = (alpha >= 0.0).then_some(alpha);
        x.sigmoid_focal(float(1)?, alpha, attrs.float_or("gamma")?.unwrap_or(2.0), attrs.reduction()?)
    },
    "poisson_nll" => {
        let log_input = if attrs.is_there("log_input") { attrs.flag("log_input")? } else { true };
        let (full, reduction) = (attrs.flag("full")?, attrs.reduction()?);
        x.poisson_nll(float(1)?, &PoissonNll { log_input, full, eps: attrs.float_or("eps")?.unwrap_or(1e-8), reduction })
    },
    "gaussian_nll" => {
        let (full, reduction) = (attrs.flag("full")?, attrs.reduction()?);
        let options = GaussianNll { full, eps: attrs.float_or("eps")?.unwrap_or(1e-6), reduction };
        x.gaussian_nll(float(1)?, float(2)?, &options)
    },
    "hinge" => x.hinge(float(1)?, attrs.reduction()?),
    "hinge_embedding" => {
        x.hinge_embedding(float(1)?, attrs.float_or("margin")?.unwrap_or(1.0), attrs.reduction()?)
    },
    "soft_margin" => x.soft_margin(float(1)?, attrs.reduction()?),
    "multi_margin" => {
        let (p, margin) = (attrs.count_or("p", 1)?, attrs.float_or("margin")?.unwrap_or(1.0));
        x.multi_margin(&index(1)?, p, margin, attrs.weights("weight")?.as_ref(), attrs.reduction()?)
    },
    "margin_ranking" => {
        let margin = attrs.float_or("margin")?.unwrap_or(0.0);
        x.margin_ranking(float(1)?, float(2)?, margin, attrs.reduction()?)
    },
    "cosine_similarity" => {
        let axis = attrs.int_or("axis")?.unwrap_or(1);
        x.cosine_similarity(float(1)?, axis, attrs.float_or("eps")?.unwrap_or(1e-8))
    },
    "pairwise_distance" => {
        let (p, eps) = (attrs.float_or("p")?.unwrap_or(2.0), attrs.float_or("eps")?.unwrap_or(1e-6));
        x.pairwise_distance(float(1)?, p, eps)
    },
    "cdist" => x.cdist(float(1)?, attrs.float_or("p")?.unwrap_or(2.0)),
    "triplet_margin" => {
        let options = TripletMargin {
            margin: attrs.float_or("margin")?.unwrap_or(1.0),
            p: attrs.float_or("p")?.unwrap_or(2.0),
            eps: attrs.float_or("eps")?.unwrap_or(1e-6),
            swap: attrs.flag("swap")?,
            reduction: attrs.reduction()?,
        };
        x.triplet_margin(float(1)?, float(2)?, &options)
    },
    "cosine_embedding" => {
        let margin = attrs.float_or("margin")?.unwrap_or(0.0);
        x.cosine_embedding(float(1)?, float(2)?, margin, attrs.reduction()?)
    },
    "layer_norm" => {
        x.layer_norm(attrs.int("normalized_ndim")? as usize, optional(1)?, optional(2)?, attrs.float("eps")?)
    },
    "rms_norm" => x.rms_norm(optional(1)?, attrs.float("eps")?),
    "conv1d" => x.conv1d(float(1)?, optional(2)?, attrs.conv()?),
    "conv2d" => x.conv2d(float(1)?, optional(2)?, attrs.conv()?),
    "max_pool2d" => x.max_pool2d(attrs.pool()?),
    "avg_pool2d" => {
        let count = if attrs.is_there("count_include_pad") { attrs.flag("count_include_pad")? } else { true };
        x.avg_pool2d(attrs.pool()?, [Padding::IsLeftOut, Padding::Counts][usize::from(count)])
    },
    "cholesky" => x.cholesky(),
    "triangular_solve" => {
        x.triangular_solve(float(1)?, Triangular { upper: !attrs.flag("lower")?, transposed: attrs.flag("transpose")?, unit_diagonal: attrs.flag("unit_diagonal")? })
    },
    "solve" => x.solve(float(1)?),
    "inv" => x.inv(),
    "det" => x.det(),
    "logabsdet" => x.logabsdet(),
}
