//! The vocabulary: one file for each family of operations, with the methods that record them.
//!
//! Reading order: the table of them all, the element-wise tables, then products, views, reductions, indexing, and the softmax family.

pub(crate) mod operand;
pub(crate) mod table;
pub(crate) mod unary;
mod unary_rules;
pub(crate) mod with_slope;
pub(crate) mod binary;
pub(crate) mod select;
pub(crate) mod elementwise;
pub(crate) mod activations;
pub(crate) mod matmul;
pub(crate) mod slice;
pub(crate) mod view;
pub(crate) mod concat;
pub(crate) mod roll;
pub(crate) mod reduce;
pub(crate) mod extreme;
pub(crate) mod scan;
pub(crate) mod products;
pub(crate) mod norm;
pub(crate) mod take;
pub(crate) mod index_views;
pub(crate) mod scatter;
pub(crate) mod scatter_extreme;
pub(crate) mod mask;
pub(crate) mod sort;
pub(crate) mod quantile;
pub(crate) mod arrange;
pub(crate) mod copies;
pub(crate) mod vectors;
pub(crate) mod einsum;
pub(crate) mod conv;
pub(crate) mod linalg;
pub(crate) mod determinant;
pub(crate) mod softmax;
pub(crate) mod cross_entropy;
pub(crate) mod labels;
pub(crate) mod losses;
pub(crate) mod likelihoods;
pub(crate) mod margins;
pub(crate) mod distances;
pub(crate) mod stop;
pub(crate) mod key;
pub(crate) mod random;
pub(crate) mod rows;
pub(crate) mod tensors;
