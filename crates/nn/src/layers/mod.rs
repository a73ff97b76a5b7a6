//! What nets are made of: structures of tensors, or of variables, with a forward pass.

mod init;
mod activation;
mod linear;
mod mlp;

pub use activation::Activation;
pub use init::Init;
pub use linear::Linear;
pub use mlp::Mlp;
