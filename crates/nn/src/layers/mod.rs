//! What nets are made of: structures of tensors, or of variables, with a forward pass. Names of parameters and their layouts are PyTorch's.

mod init;
mod activation;
mod linear;
mod mlp;
mod dropout;
mod embedding;
mod bilinear;
mod prelu;
mod norm;
mod conv;
mod pool;
mod recurrent;
mod attention;
mod sequential;

pub use activation::{Activation, glu};
pub use attention::{Mask, MultiheadAttention, TransformerBlock};
pub use bilinear::Bilinear;
pub use conv::{Conv1d, Conv2d, ConvTranspose2d, Edges};
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use init::Init;
pub use linear::Linear;
pub use mlp::Mlp;
pub use norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm};
pub use pool::{Window, adaptive_mean};
pub use prelu::PRelu;
pub use recurrent::{Cell, Direction, Recurrent};
pub use sequential::{Between, Layer, Sequential};
