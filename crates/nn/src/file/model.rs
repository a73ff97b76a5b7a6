//! A net that predicts rows as they come: one file.

use super::predictor::{Predictor, outputs};
use super::stored::Stored;
use super::versioned::Versioned;
use super::weights::{Loading, without_nan};
use crate::data::{Array, Cells, Column, Output, Preprocess, Schema, Table};
use crate::error::Error;
use crate::fault::Fault;
use crate::measure::{largest, softmax};
use crate::{Activation, Linear, Mlp};
use autograd::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The newest version of models.
const VERSION: u64 = 1;
/// Where all but the weights stands among the texts of the file.
const KEY: &str = "nn.model";

/// A trained net with all that it needs to predict rows as they come: the meaning of the columns, what training rows told of them,
/// and the net. Any number of threads may predict with one model. A net of one's own is a [`Predictor`], and stands in place of the [`Mlp`].
///
/// ```
/// use nn::data::{Preparing, Preprocess, Schema, Table};
/// use nn::file::Model;
/// use nn::{Activation, Mlp};
/// # fn main() -> Result<(), nn::Error> {
/// # let path = std::env::temp_dir().join(format!("nn-doc-model-{}.safetensors", std::process::id()));
/// let table = Table::parse("pets.csv", "weight,colour,kind\n4.1,black,cat\n30,brown,dog\n3.8,grey,cat\n")?;
/// let schema = Schema::infer(&table, &["kind"], &[])?;
/// let preprocess = Preprocess::fit(&table, &schema, Preparing::default())?;
/// let net = Mlp::new(&[preprocess.names().len(), 4, 2], Activation::Silu, 0); // not trained here
/// Model::new(schema, preprocess, net).save(&path)?;
///
/// let model = Model::load(&path)?;
/// let predicted = model.predict(&Table::parse("new.csv", "colour,weight\nblack,5\n")?)?;
/// let names: Vec<&str> = predicted.columns.iter().map(|column| &column.name[..]).collect();
/// assert_eq!(names, ["kind", "P(cat)", "P(dog)"]);
/// let row = model.predict_row(&[("weight", "5"), ("colour", "black")])?;
/// assert!((row.numbers[0] + row.numbers[1] - 1.0).abs() < 1e-12);
/// # std::fs::remove_file(path).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Model<N = Mlp<Tensor>> {
    /// What the columns mean.
    pub schema: Schema,
    /// How they become features, and what outputs mean.
    pub preprocess: Preprocess,
    /// The net.
    pub net: N,
    /// Of each value, the residuals (true less predicted) between which nine of ten held-out rows lie; empty where they are not known.
    pub spread: Vec<[f64; 2]>,
    /// Whatever else is to be told: the seed, scores, what was tried.
    pub about: BTreeMap<String, Value>,
}

/// What is predicted of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The class, where classes are predicted.
    pub class: Option<String>,
    /// The probability of each class or label, or each value in its own unit.
    pub numbers: Vec<f64>,
}

/// All but the weights, as it stands in the file.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u64,
    /// That of an [`Mlp`]; other nets are made by whoever loads them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activation: Option<Activation>,
    schema: Schema,
    preprocess: Preprocess,
    #[serde(default)]
    spread: Vec<[f64; 2]>,
    #[serde(default)]
    about: BTreeMap<String, Value>,
}

impl<N: Predictor> Model<N> {
    /// A model of which nothing more is known.
    ///
    /// # Panics
    /// Where there is no target, or the net has other numbers of inputs or outputs than are prepared.
    #[track_caller]
    pub fn new(schema: Schema, preprocess: Preprocess, net: N) -> Self {
        if let Err(text) = sound(&preprocess).and_then(|outputs| net.fits(&preprocess, outputs)) {
            panic!("Model::new: {text}");
        }
        Self { schema, preprocess, net, spread: Vec::new(), about: BTreeMap::new() }
    }

    /// What is predicted for each row: under the target's name the class or the value; then the probability of each class, `P(name)`, or,
    /// where [`spread`](Self::spread) is known, the ends of the interval, `name low` and `name high`. Of labels, each one's probability
    /// stands under its name.
    ///
    /// # Errors
    /// Where a column is not there, or a cell is not what its column holds.
    pub fn predict(&self, table: &Table) -> Result<Table, Error> {
        let numbers = self.numbers(&self.preprocess.features(table)?);
        let Some(output) = &self.preprocess.output else { return Ok(Table::default()) };
        let k = output.width();
        let column = |of: usize| numbers.iter().skip(of).step_by(k).copied().collect::<Vec<f64>>();
        let mut predicted = Table::default();
        let mut add = |name: String, cells| predicted.columns.push(Column { name, cells });
        match output {
            Output::Classes { column: name, names } => {
                let rows = numbers.chunks(k).map(|row| Some(largest(row) as u32)).collect();
                add(name.clone(), Cells::Text { words: names.clone(), rows });
                for (of, class) in names.iter().enumerate() {
                    add(format!("P({class})"), Cells::Numbers(column(of)));
                }
            }
            Output::Labels { columns } | Output::Values { columns, .. } => {
                for (of, name) in columns.iter().enumerate() {
                    let values = column(of);
                    if let Some(ends) = self.spread.get(of) {
                        let ends = ends.map(|end| values.iter().map(|value| value + end).collect());
                        add(name.clone(), Cells::Numbers(values));
                        for (end, numbers) in ["low", "high"].into_iter().zip(ends) {
                            add(format!("{name} {end}"), Cells::Numbers(numbers));
                        }
                    } else {
                        add(name.clone(), Cells::Numbers(values));
                    }
                }
            }
        }
        Ok(predicted)
    }

    /// What is predicted of one row, given by the names of its columns and its cells as text, in any order.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_row(&self, cells: &[(&str, &str)]) -> Result<Prediction, Error> {
        let features: Vec<f64> = self.preprocess.row(cells)?;
        let numbers = self.numbers(&Tensor::new([1, features.len()], features));
        let class = match &self.preprocess.output {
            Some(Output::Classes { names, .. }) => Some(names[largest(&numbers)].clone()),
            Some(Output::Labels { .. } | Output::Values { .. }) | None => None,
        };
        Ok(Prediction { class, numbers })
    }

    /// Probabilities or values of features `[n, d]`, row by row.
    fn numbers(&self, features: &Tensor) -> Vec<f64> {
        if features.shape()[0] == 0 {
            return Vec::new();
        }
        let outputs = outputs(&self.net, &self.preprocess, features);
        match &self.preprocess.output {
            Some(Output::Classes { .. }) => softmax(&outputs).to_vec(),
            Some(Output::Labels { .. }) => outputs.as_slice().iter().map(|x| 1.0 / (1.0 + libm::exp(-x))).collect(),
            Some(output @ Output::Values { .. }) => output.values(&outputs),
            None => Vec::new(),
        }
    }

    /// Saves it; a file of the name is replaced as a whole, or not at all. The weights stand under PyTorch's names and in its layout.
    ///
    /// # Errors
    /// Where the file cannot be written, or a weight is NaN.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let mut stored = Stored::of(&self.net);
        without_nan(&stored.tensors).map_err(|fault| Error::stored(&path.display().to_string(), fault))?;
        let written = Written {
            version: VERSION,
            activation: self.net.activation(),
            schema: self.schema.clone(),
            preprocess: self.preprocess.clone(),
            spread: self.spread.clone(),
            about: self.about.clone(),
        };
        let text = serde_json::to_string(&written).expect("plain data can be JSON");
        stored.metadata.insert(KEY.to_owned(), text);
        stored.write(path)
    }

    /// Loads a model of a net of one's own, which a function makes as it was made for training, of how columns become features and of what was told
    /// [`about`](Self::about) the model. Its tensors are replaced by those of the file, which must have the same names and shapes.
    ///
    /// # Errors
    /// As [`Model::load`], and where the tensors are not those of the net, or the net does not take the features.
    pub fn load_with(
        path: impl AsRef<Path>,
        net: impl FnOnce(&Preprocess, &BTreeMap<String, Value>) -> N,
    ) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::with(&Stored::read(path)?, net).map_err(|fault| Error::stored(&path.display().to_string(), fault))
    }

    /// As [`Model::load_with`], of the bytes of a file, which errors call `file`.
    ///
    /// # Errors
    /// As [`Model::load_with`].
    pub fn parse_with(
        file: &str,
        bytes: &[u8],
        net: impl FnOnce(&Preprocess, &BTreeMap<String, Value>) -> N,
    ) -> Result<Self, Error> {
        Self::with(&Stored::parse(file, bytes)?, net).map_err(|fault| Error::stored(file, fault))
    }

    fn with(stored: &Stored, net: impl FnOnce(&Preprocess, &BTreeMap<String, Value>) -> N) -> Result<Self, Fault> {
        let (written, outputs) = Written::of(stored)?;
        let mut net = net(&written.preprocess, &written.about);
        Loading::default().checked(&mut net, stored)?;
        net.fits(&written.preprocess, outputs).map_err(|text| TOLD.wrong(&text))?;
        Ok(written.with(net))
    }
}

impl Model {
    /// Loads a model, whose net is an [`Mlp`].
    ///
    /// # Errors
    /// Where the file cannot be read, is damaged, is no model, or a newer version wrote it.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = path.display().to_string();
        Self::of(&Stored::read(path)?).map_err(|fault| Error::stored(&file, fault))
    }

    /// As [`Model::load`], of the bytes of a file, which errors call `file`.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        Self::of(&Stored::parse(file, bytes)?).map_err(|fault| Error::stored(file, fault))
    }

    fn of(stored: &Stored) -> Result<Self, Fault> {
        let (written, outputs) = Written::of(stored)?;
        let Some(activation) = written.activation else {
            return Err(TOLD.wrong("a net of its own, which `Model::load_with` makes"));
        };
        without_nan(&stored.tensors)?;
        // As many layers as the file has, not as it says.
        let tensor = |name: String| stored.tensors.get(&name).map(Array::tensor).transpose();
        let mut layers = Vec::new();
        while let Some(weight) = tensor(format!("layers.{}.weight", layers.len()))? {
            let bias = tensor(format!("layers.{}.bias", layers.len()))?;
            layers.push(Linear { weight, bias });
        }
        let net = Mlp { layers, activation };
        let known = net.layers.iter().map(|layer| 1 + usize::from(layer.bias.is_some())).sum::<usize>();
        if known != stored.tensors.len() {
            return Err(TOLD.wrong("tensors that are no layers"));
        }
        net.fits(&written.preprocess, outputs).map_err(|text| TOLD.wrong(&text))?;
        Ok(written.with(net))
    }
}

const TOLD: Versioned = Versioned { what: "a model", part: "model", known: VERSION };

impl Written {
    /// What a file says of a model, and how many outputs its net has.
    fn of(stored: &Stored) -> Result<(Self, usize), Fault> {
        let text = stored.metadata.get(KEY).ok_or_else(|| Fault::Foreign {
            expected: "a model",
            found: "a file of tensors that does not say what its net is for: `nn::load` reads its weights".into(),
        })?;
        let value = Value::Object(TOLD.read(text)?);
        let written = Self::deserialize(value).map_err(|error| TOLD.wrong(&error.to_string()))?;
        let outputs = sound(&written.preprocess).map_err(|text| TOLD.wrong(&text))?;
        if !written.spread.is_empty() && written.spread.len() != outputs {
            return Err(TOLD.wrong("an interval for each value"));
        }
        Ok((written, outputs))
    }

    fn with<N>(self, net: N) -> Model<N> {
        let Self { schema, preprocess, spread, about, .. } = self;
        Model { schema, preprocess, net, spread, about }
    }
}

/// How many outputs a net has for these columns, which are to have features and a target.
fn sound(preprocess: &Preprocess) -> Result<usize, String> {
    let Some(output) = &preprocess.output else { return Err("expected a target, found none".to_owned()) };
    let outputs = output.width();
    if outputs == 0 {
        return Err("expected one output or more, found none".to_owned());
    }
    if preprocess.columns.iter().all(|column| column.width() == 0) {
        return Err("expected one feature or more, found none".to_owned());
    }
    if let Output::Values { mean, scale, bend, .. } = output
        && !(mean.len() == outputs && scale.len() == outputs && (bend.is_empty() || bend.len() == outputs))
    {
        return Err(format!("expected means and scales of {outputs} values"));
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Preparing;

    const PETS: &str =
        "weight,colour,kind,price\n4.1,black,cat,10.5\n30,brown,dog,80.25\n3.8,grey,cat,12.125\n25,black,dog,60.5\n";

    fn model(target: &str, ignore: &[&str]) -> (Table, Model) {
        let table = Table::parse("pets.csv", PETS).unwrap();
        let schema = Schema::infer(&table, &[target], ignore).unwrap();
        let preprocess = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
        let outputs = preprocess.output.as_ref().unwrap().width();
        let net = Mlp::new(&[preprocess.names().len(), 5, outputs], Activation::Tanh, 1);
        (table, Model::new(schema, preprocess, net))
    }

    fn bytes(model: &Model, name: &str) -> Vec<u8> {
        let path = std::env::temp_dir().join(format!("nn-model-{name}-{}.safetensors", std::process::id()));
        model.save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        bytes
    }

    #[test]
    fn what_is_loaded_predicts_the_same_bits() {
        for (target, ignore) in [("kind", &["price"][..]), ("price", &["kind"])] {
            let (table, mut model) = model(target, ignore);
            if target == "price" {
                model.spread = vec![[-1.5, 2.5]];
            }
            let again = Model::parse("m", &bytes(&model, target)).unwrap();
            let csv = |model: &Model| {
                let mut text = Vec::new();
                model.predict(&table).unwrap().write_csv(&mut text).unwrap();
                String::from_utf8(text).unwrap()
            };
            assert_eq!(csv(&model), csv(&again));
            assert_eq!((again.net, again.schema), (model.net, model.schema));
        }
    }

    #[test]
    fn a_row_is_predicted_as_in_its_table_and_an_interval_is_around_the_value() {
        let (table, mut model) = model("price", &["kind"]);
        model.spread = vec![[-1.5, 2.5]];
        let predicted = model.predict(&table).unwrap();
        let Cells::Numbers(values) = &predicted.columns[0].cells else { panic!("values are numbers") };
        let Cells::Numbers(low) = &predicted.column("price low").unwrap().cells else { panic!("ends are numbers") };
        let row = model.predict_row(&[("colour", "brown"), ("weight", "30")]).unwrap();
        assert_eq!((row.class, row.numbers[0], low[1]), (None, values[1], values[1] - 1.5));
    }

    #[test]
    fn one_model_serves_many_threads() {
        let (table, model) = model("kind", &["price"]);
        let one = model.predict_row(&[("colour", "grey"), ("weight", "4")]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    assert_eq!(model.predict_row(&[("colour", "grey"), ("weight", "4")]).unwrap(), one);
                    assert_eq!(model.predict(&table).unwrap().len(), 4);
                });
            }
        });
    }

    #[test]
    fn other_files_newer_ones_and_damaged_ones_are_told() {
        let (_, model) = model("kind", &["price"]);
        let stored = Stored::parse("m", &bytes(&model, "damaged")).unwrap();
        let said = |change: &dyn Fn(&mut Stored)| {
            let mut stored = stored.clone();
            change(&mut stored);
            Model::parse("m", &stored.bytes()).unwrap_err().to_string()
        };
        assert!(said(&|stored| stored.metadata.clear()).starts_with("m: expected a model, found a file of tensors"));
        let newer = said(&|stored| {
            let text = stored.metadata[KEY].replace("\"version\":1", "\"version\":2");
            stored.metadata.insert(KEY.to_owned(), text);
        });
        assert!(newer.contains("a model") && newer.contains('2'), "{newer}");
        let less = said(&|stored| {
            stored.tensors.remove("layers.1.weight");
        });
        assert!(less.contains("tensors that are no layers"), "{less}");
        let other = said(&|stored| {
            let bias = stored.tensors["layers.1.bias"].clone();
            stored.tensors.insert("layers.0.bias".to_owned(), bias);
        });
        assert!(other.contains("expected layer 0"), "{other}");
    }

    #[test]
    fn a_net_of_its_own_is_made_by_whoever_loads_it() {
        use crate::layers::Sequential;
        let (table, model) = model("kind", &["price"]);
        let sequence = |of: &Preprocess, hidden: usize| {
            let sizes = [of.names().len(), hidden, 2];
            Sequential::<Tensor>::mlp(&sizes, Activation::Relu, crate::layers::Between::default(), 3)
        };
        let mut own = Model::new(model.schema.clone(), model.preprocess.clone(), sequence(&model.preprocess, 7));
        own.about.insert("hidden".to_owned(), 7.into());
        let path = std::env::temp_dir().join(format!("nn-model-own-{}.safetensors", std::process::id()));
        own.save(&path).unwrap();
        let by_file =
            |of: &Preprocess, about: &BTreeMap<String, Value>| sequence(of, about["hidden"].as_u64().unwrap() as usize);
        let again = Model::load_with(&path, by_file).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(again.net, own.net);
        assert_eq!(format!("{:?}", again.predict(&table)), format!("{:?}", own.predict(&table)));

        let said = |wrong: Result<Model<Sequential<Tensor>>, Error>| wrong.unwrap_err().to_string();
        let wrong = said(Model::parse_with("m", &bytes, |of, _| sequence(of, 5)));
        assert!(wrong.contains("0.weight") && wrong.contains('7') && wrong.contains('5'), "{wrong}");
        let wrong = Model::parse("m", &bytes).unwrap_err().to_string();
        assert!(wrong.contains("`Model::load_with`"), "{wrong}");
        // It has the tensors of the file, which says of other columns.
        let mut stored = Stored::parse("m", &bytes).unwrap();
        let text = stored.metadata[KEY].replace("\"words\":[", "\"words\":[\"blue\",");
        stored.metadata.insert(KEY.to_owned(), text);
        let wrong = said(Model::parse_with("m", &stored.bytes(), |_, _| own.net.clone()));
        assert!(wrong.contains("expected a net for 5 features"), "{wrong}");
    }

    #[test]
    fn scales_are_those_of_the_values() {
        let (_, model) = model("price", &["kind"]);
        let mut stored = Stored::parse("m", &bytes(&model, "scales")).unwrap();
        let text = &stored.metadata[KEY];
        let (start, end) =
            text.split_once("\"mean\":[").map(|(start, rest)| (start, rest.split_once(']').unwrap().1)).unwrap();
        stored.metadata.insert(KEY.to_owned(), format!("{start}\"mean\":[]{end}"));
        let wrong = Model::parse("m", &stored.bytes()).unwrap_err().to_string();
        assert!(wrong.contains("expected means and scales of 1 values"), "{wrong}");
    }

    #[test]
    #[should_panic(expected = "Model::new: expected layer 0 to take 4 numbers, found weights [2, 3]")]
    fn a_net_has_the_inputs_that_are_prepared() {
        let (_, model) = model("kind", &["price"]);
        Model::new(model.schema, model.preprocess, Mlp::new(&[3, 2], Activation::Relu, 0));
    }
}
