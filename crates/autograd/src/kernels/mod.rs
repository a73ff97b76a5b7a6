//! The loops that compute. They see slices, sizes and strides; never a tape, never a user's mistake: whoever calls
//! them has checked the shapes. Lengths that `unsafe` code rests on are asserted where a kernel is entered; what is
//! multiplied there are sizes of tensors, whose products `Shape::elements` has checked, or the product is checked itself.

pub(crate) mod machine;
pub(crate) mod order;
pub(crate) mod finish;
pub(crate) mod product;
pub(crate) mod column_sums;
pub(crate) mod gemm;
pub(crate) mod map;
pub(crate) mod zip;
pub(crate) mod powers;
pub(crate) mod choose;
pub(crate) mod reduce;
pub(crate) mod by_row;
pub(crate) mod norm_slope;
pub(crate) mod extreme;
pub(crate) mod pooling;
pub(crate) mod cumsum;
pub(crate) mod products;
pub(crate) mod recur;
pub(crate) mod softmax;
pub(crate) mod cross_entropy;
pub(crate) mod perceptron;
pub(crate) mod place;
pub(crate) mod chain;
pub(crate) mod in_turn;
pub(crate) mod jit;
pub(crate) mod numbers;
pub(crate) mod group;
pub(crate) mod apart;
pub(crate) mod strided;
pub(crate) mod roll;
pub(crate) mod short_rows;
pub(crate) mod spread;
pub(crate) mod transpose;
pub(crate) mod window;
pub(crate) mod beside;
pub(crate) mod take;
pub(crate) mod pack;
pub(crate) mod lent;
pub(crate) mod sort;
pub(crate) mod random;
pub(crate) mod running;
pub(crate) mod linalg;
pub(crate) mod compiled;
