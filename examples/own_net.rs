//! A net of your own on a raw table: trained, saved in one file with what its columns mean, loaded, and predicting rows as they come.
//!
//! `cargo run --release --example own_net`
//!
//! Each word of each column has a row of an embedding (Guo and Berkhahn, "Entity embeddings of categorical variables", 2016). Numbers, words and
//! missing cells are prepared by what the training rows tell; a fifth of the rows is held out.

use autograd::{IndexVar, Tensor, Var, concat, tree};
use nn::data::{PreparedColumn, Preparing, Preprocess, Schema, Table};
use nn::file::{Model, Predictor, RowVars};
use nn::layers::Embedding;
use nn::measure::r2;
use nn::{Adam, Error, Init, Learner, Linear, generator};

tree! {
    struct Net<V> { words: Vec<Embedding<V>>, hidden: Linear<V>, out: Linear<V> }
}

impl Net<Tensor> {
    /// For these columns: how many words there are is known from the training rows.
    fn new(columns: &Preprocess) -> Self {
        let (init, rng) = (Init::XavierUniform { gain: 1.0 }, &mut generator(0));
        let places: Vec<usize> = columns.columns.iter().filter_map(PreparedColumn::places).collect();
        let words: Vec<_> = places.iter().map(|&places| Embedding::new(places, 3, rng)).collect();
        let inputs = columns.names().len() - words.len() + 3 * words.len();
        Self { words, hidden: Linear::new([inputs, 16], init, rng), out: Linear::new([16, 1], init, rng) }
    }
}

impl<'t> Net<Var<'t>> {
    fn forward(&self, x: Var<'t>, places: IndexVar<'t>) -> Var<'t> {
        let words = self.words.iter().enumerate();
        let words = words.map(|(i, words)| words.forward(&places.narrow(1, i, 1).squeeze(1)));
        let x = concat(&std::iter::once(x).chain(words).collect::<Vec<_>>(), 1);
        self.out.forward(self.hidden.forward(x).tanh())
    }
}

/// This makes it a net that a model can hold.
impl Predictor for Net<Tensor> {
    fn forward<'t>(net: &Net<Var<'t>>, rows: &RowVars<'t>) -> Var<'t> {
        net.forward(rows.numbers, rows.places())
    }
}

fn main() -> Result<(), Error> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/command/data");
    let table = Table::read(format!("{folder}/flats.csv"))?;
    let schema = Schema::infer(&table, &["rent"], &[])?;
    println!("{schema}");
    let parts = schema.split(&table, 0.2, 0)?;
    let (train, held_out) = (table.select(&parts.train), table.select(&parts.held_out));

    let preprocess = Preprocess::fit(&train, &schema, Preparing { indices: true, ..Preparing::default() })?;
    let words: Vec<&str> =
        preprocess.columns.iter().filter(|column| column.places().is_some()).map(|column| &column.name[..]).collect();
    let examples = preprocess.examples(&train)?.with_features_as_indices(&words);
    let mut learner = Learner::new(Net::new(&preprocess), Adam::new(0.02), |net, batch| {
        batch.loss(net.forward(batch.features, batch.indices()))
    });
    for _ in 0..200 {
        learner.step(&examples.whole())?;
    }

    let path = std::env::temp_dir().join(format!("own-net-{}.safetensors", std::process::id()));
    Model::new(schema, preprocess, learner.net().clone()).save(&path)?;
    let model = Model::load_with(&path, |columns, _| Net::new(columns))?;
    let rents = |table: &Table| -> Vec<f64> {
        let nn::data::Cells::Numbers(rents) =
            &table.columns.iter().find(|column| column.name == "rent").expect("the target").cells
        else {
            panic!("rents are numbers")
        };
        rents.clone()
    };
    println!("R2 of held-out rows: {:.3}", r2(&rents(&model.predict(&held_out)?), &rents(&held_out)));
    for (row, rent) in rents(&model.predict(&Table::read(format!("{folder}/new_flats.csv"))?)?).iter().enumerate() {
        println!("new flat {}: {rent:.0}", row + 1);
    }
    std::fs::remove_file(&path).ok();
    Ok(())
}
