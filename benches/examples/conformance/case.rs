//! One line of a file of cases.

use crate::run::Type;
use clap::ValueEnum;
use serde_json::{Map, Value};

/// An array of a case, row-major.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f64>,
    pub(crate) dtype: DType,
    /// Whether a gradient is asked for.
    pub(crate) diff: bool,
}

/// What the numbers of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DType {
    Float,
    Integer,
    Bool,
}

/// A single operation with the numbers that another system gives.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) op: String,
    pub(crate) attrs: Map<String, Value>,
    pub(crate) inputs: Vec<Array>,
    pub(crate) output: Array,
    pub(crate) cotangent: Option<Array>,
    pub(crate) vjp: Vec<Option<Array>>,
    pub(crate) tangents: Vec<Option<Array>>,
    pub(crate) jvp: Option<Array>,
    pub(crate) hvp: Option<Vec<Option<Array>>>,
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
    /// The number types that the case means something in; all where it does not say.
    pub(crate) types: Vec<Type>,
}

fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Number(n) => n.as_f64().ok_or_else(|| format!("{n} is no f64")),
        Value::Bool(b) => Ok(f64::from(u8::from(*b))),
        Value::String(s) if s == "nan" => Ok(f64::NAN),
        Value::String(s) if s == "inf" => Ok(f64::INFINITY),
        Value::String(s) if s == "-inf" => Ok(f64::NEG_INFINITY),
        Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => Err(format!("{value} is no number")),
    }
}

impl Array {
    fn parse(value: &Value) -> Result<Self, String> {
        let field = |name: &str| value.get(name).and_then(Value::as_array).ok_or(format!("an array lacks «{name}»"));
        let shape = field("shape")?
            .iter()
            .map(|n| n.as_u64().and_then(|n| usize::try_from(n).ok()).ok_or(format!("{n} is no size")))
            .collect::<Result<Vec<_>, _>>()?;
        let data = field("data")?.iter().map(number).collect::<Result<Vec<_>, _>>()?;
        if data.len() != shape.iter().product::<usize>() {
            return Err(format!("{} numbers do not fill {shape:?}", data.len()));
        }
        let dtype = match value.get("dtype").and_then(Value::as_str) {
            None | Some("f64") => DType::Float,
            Some("i64") => DType::Integer,
            Some("bool") => DType::Bool,
            Some(other) => return Err(format!("the dtype «{other}» is not known")),
        };
        let diff = dtype == DType::Float && value.get("diff").and_then(Value::as_bool).unwrap_or(true);
        Ok(Self { shape, data, dtype, diff })
    }

    /// Other numbers of the same shape: the same ones in another order, so that labels stay in range, and floats
    /// also changed.
    pub(crate) fn other(&self) -> Self {
        let mut other = self.clone();
        other.data.reverse();
        if self.dtype == DType::Float {
            other.data.iter_mut().filter(|x| x.is_finite()).for_each(|x| *x = *x * 0.75 + 0.0625);
        }
        other
    }

    /// The same array with numbers of 32 bits.
    pub(crate) fn rounded(&self) -> Self {
        let mut rounded = self.clone();
        if self.dtype == DType::Float {
            rounded.data.iter_mut().for_each(|x| *x = f64::from(*x as f32));
        }
        rounded
    }

    fn parse_optional(value: Option<&Value>) -> Result<Option<Self>, String> {
        value.filter(|v| !v.is_null()).map(Self::parse).transpose()
    }

    fn parse_list(value: Option<&Value>) -> Result<Option<Vec<Option<Self>>>, String> {
        let list = value.and_then(Value::as_array);
        list.map(|list| list.iter().map(|v| Self::parse_optional(Some(v))).collect()).transpose()
    }
}

/// The types of a case, which may be left out.
fn types(value: Option<&Value>) -> Result<Vec<Type>, String> {
    let Some(names) = value.and_then(Value::as_array) else { return Ok(Type::value_variants().to_vec()) };
    let parse = |name: &Value| name.as_str().and_then(|name| Type::from_str(name, false).ok());
    names.iter().map(|name| parse(name).ok_or(format!("the number type {name} is not known"))).collect()
}

impl Case {
    /// A case from its line.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text =
            |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(format!("no «{name}»"));
        let float = |name: &str| value.get(name).and_then(Value::as_f64).ok_or(format!("no «{name}»"));
        let inputs = value.get("inputs").and_then(Value::as_array).ok_or("no «inputs»")?;
        Ok(Self {
            id: text("id")?,
            op: text("op")?,
            attrs: value.get("attrs").and_then(Value::as_object).cloned().unwrap_or_default(),
            inputs: inputs.iter().map(Array::parse).collect::<Result<_, _>>()?,
            output: Array::parse(value.get("output").ok_or("no «output»")?)?,
            cotangent: Array::parse_optional(value.get("cotangent"))?,
            vjp: Array::parse_list(value.get("vjp"))?.unwrap_or_default(),
            tangents: Array::parse_list(value.get("tangents"))?.unwrap_or_default(),
            jvp: Array::parse_optional(value.get("jvp"))?,
            hvp: Array::parse_list(value.get("hvp"))?,
            rtol: float("rtol")?,
            atol: float("atol")?,
            types: types(value.get("types"))?,
        })
    }

    /// The case at other inputs, cotangent and tangents; what it expects stays.
    pub(crate) fn with(&self, change: impl Fn(&Array) -> Array) -> Self {
        Self {
            inputs: self.inputs.iter().map(&change).collect(),
            cotangent: self.cotangent.as_ref().map(&change),
            tangents: self.tangents.iter().map(|tangent| tangent.as_ref().map(&change)).collect(),
            ..self.clone()
        }
    }

    /// All that it computes from: its inputs, its cotangent and its tangents, as far as there are any.
    pub(crate) fn given(&self) -> Vec<Array> {
        let tangents = self.tangents.iter().flatten();
        self.inputs.iter().chain(&self.cotangent).chain(tangents).cloned().collect()
    }
}
