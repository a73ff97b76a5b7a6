//! Whether skewed columns are bent.

use super::watched::Watch;
use super::{Recipe, Trial, usual};
use crate::Dataset;
use crate::data::{Batch, Preparing, Preprocess, Schema, Table, Target};
use crate::error::Error;
use crate::measure::{by_column, r2};
use autograd::Tensor;

/// How much better than without a bend it must be.
const BETTER: f64 = 0.95;
/// With fewer rows there is too little to choose by.
const FEWEST_ROWS: usize = 50;
/// How many trials judge each way.
const QUICK: usize = 6;
/// In how many iterations.
const QUICK_ITERATIONS: usize = 100;

impl Recipe {
    /// The same way to prepare a table, with skewed features and targets bent where a linear model or a net, trained on some of the rows,
    /// is clearly better on the others then, of values in their own unit.
    ///
    /// ```
    /// use nn::Recipe;
    /// use nn::data::{Preparing, Schema, Table};
    /// # fn main() -> Result<(), nn::Error> {
    /// let x: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 60) / 10.0).collect();
    /// let y: Vec<f64> = x.iter().map(|x| (1.7 * x).exp()).collect();
    /// let table = Table::from_columns([("x", &x[..]), ("y", &y)]);
    /// let schema = Schema::infer(&table, &["y"], &[])?;
    /// let how = Recipe::default().preparing(&table, &schema, Preparing::default())?;
    /// assert!(how.bend_targets && !how.bend_features);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Preprocess::fit`] and [`Preprocess::examples`].
    pub fn preparing(&self, table: &Table, schema: &Schema, how: Preparing) -> Result<Preparing, Error> {
        self.prepared(table, schema, how, &mut Watch::nobody())
    }

    pub(super) fn prepared(
        &self,
        table: &Table,
        schema: &Schema,
        how: Preparing,
        watch: &mut Watch,
    ) -> Result<Preparing, Error> {
        if table.len() < FEWEST_ROWS || table.len() > self.most_rows {
            return Ok(how);
        }
        let bent = Preprocess::fit(table, schema, Preparing { bend_features: true, bend_targets: true, ..how })?;
        let targets = bent.output.as_ref().is_some_and(|output| output.bends().iter().any(Option::is_some));
        let features = bent.bends().len() > usize::from(targets);
        if !targets && !features {
            return Ok(how);
        }
        watch.begin(4 * (QUICK * self.folds) as u64 * QUICK_ITERATIONS as u64);
        let mut best = (BETTER * self.own_loss(table, schema, how, watch, 0)?, how);
        for (place, (bend_features, bend_targets)) in
            [(true, false), (false, true), (true, true)].into_iter().enumerate()
        {
            if (features || !bend_features) && (targets || !bend_targets) {
                let how = Preparing { bend_features, bend_targets, ..how };
                let loss = self.own_loss(table, schema, how, watch, 1 + place)?;
                // What was ended early is no judgement.
                if loss < best.0 && !watch.ended {
                    best = (loss, how);
                }
            }
        }
        Ok(best.1)
    }

    /// The loss of few trials on rows that they were not trained with; of values, in their own unit.
    fn own_loss(
        &self,
        table: &Table,
        schema: &Schema,
        how: Preparing,
        watch: &mut Watch,
        place: usize,
    ) -> Result<f64, Error> {
        let preprocess = Preprocess::fit(table, schema, how)?;
        let data: Dataset = preprocess.examples(table)?;
        let quick = Self { max_iterations: QUICK_ITERATIONS, ..self.clone() };
        let parts = quick.parts(&data, 0);
        let judge = |outputs: &Tensor, batch: &Batch| match (&batch.target, &preprocess.output) {
            (Target::Values { values, .. }, Some(output)) => {
                let own = |y: &Tensor| Tensor::new(y.shape(), output.values(y));
                let errors = by_column(&own(outputs), &own(values), |y, truth| 1.0 - r2(y, truth));
                errors.iter().sum::<f64>() / errors.len() as f64
            }
            _ => usual(outputs, batch),
        };
        let mut least = f64::INFINITY;
        let mut trials = place * QUICK;
        for (hidden, activation) in self.candidates.iter().take(2) {
            for penalty in [1e-1, 1e-2, 1e-3] {
                let trial = Trial { hidden: hidden.clone(), activation: *activation, penalty, loss: 0.0 };
                let at = quick.steps(trials * self.folds);
                least = least.min(quick.loss_in(&parts, &trial, &judge, watch, (&[], at)));
                trials += 1;
            }
        }
        Ok(least)
    }
}
