//! Metrics as plain functions: what is predicted, then what is true. Definitions and edge cases are scikit-learn's; where they are
//! not, the function says so. Sums are made in `f64`. With weights of the rows they are the methods of [`Weighted`].
//!
//! ```
//! use nn::measure::{Weighted, mae, r2};
//! let (prediction, truth) = ([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]);
//! assert_eq!(mae(&prediction, &truth), 0.5);
//! assert!((r2(&prediction, &truth) - 0.948_608_137_044_967_9).abs() < 1e-15);
//! assert_eq!(Weighted(&[1.0, 0.0, 1.0, 0.0]).mae(&prediction, &truth), 0.25);
//! ```
//!
//! A metric of a part is the metric of the parts' slices; one of several outputs is [`by_column`]; how sure it is of so few rows
//! tells [`bootstrap`], of any function of rows.

mod rows;
mod values;
mod classes;
mod confusion;
mod ranking;
mod probabilities;
mod calibration;
mod threshold;
mod intervals;

pub use calibration::{Bin, Reliability, Temperature};
pub(crate) use classes::largest;
pub use classes::{accuracy, classes, top_k};
pub use confusion::{Average, Confusion};
pub use intervals::{Bootstrap, Interval, bootstrap, quantile, spread, wilson};
pub use probabilities::{brier, log_loss, softmax};
pub use ranking::{CurvePoint, average_precision, curve, one_vs_rest, roc_auc};
pub use rows::Weighted;
pub use threshold::{Threshold, ThresholdGoal, choose_threshold};
pub use values::{by_column, explained_variance, mae, mse, pinball, r2, rmse};
