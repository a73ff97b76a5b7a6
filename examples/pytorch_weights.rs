//! Weights from PyTorch, and back. In Python:
//!
//! ```python
//! model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)).double()
//! safetensors.torch.save_file(model.state_dict(), "model.safetensors")
//! ```
//!
//! `cargo run --release --example pytorch_weights`; what it saves, `model.load_state_dict(safetensors.torch.load_file(…))` reads.

use autograd::Tensor;
use nn::file::{Loading, Rename, Saving, Stored};
use nn::{Activation, Error, Mlp};

/// A file of PyTorch's, with inputs and the logits that it gave beside the weights.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/nn/tests/data/torch_f64.safetensors");

fn main() -> Result<(), Error> {
    let file = Stored::read(FILE)?;
    for (name, array) in &file.tensors {
        println!("{name}: {:?} of {}", array.shape, array.numbers.name());
    }

    // PyTorch counts the activation: its layers are 0 and 2, ours `layers.0` and `layers.1`.
    let mut net: Mlp<Tensor> = Mlp::new(&[4, 8, 3], Activation::Tanh, 0);
    let names = [Rename::Skip("x"), Rename::Skip("logits"), Rename::Prefix("layers."), Rename::Renumber("layers")];
    Loading { names: &names, ..Loading::default() }.apply(&mut net, FILE, &file)?;

    let [x, logits] = ["x", "logits"].map(|name| file.tensors[name].rounded::<f64>().expect("the file holds numbers"));
    let gaps = net.predict(&x).as_slice().iter().zip(logits.as_slice()).map(|(a, b)| (a - b).abs()).collect::<Vec<_>>();
    println!(
        "the logits differ from PyTorch's by {:.1e} at most",
        gaps.iter().fold(0.0_f64, |most, gap| most.max(*gap))
    );

    let back = [Rename::Replace("layers.1.*", "2.*"), Rename::Strip("layers.")];
    let path = std::env::temp_dir().join("for_pytorch.safetensors");
    Saving { names: &back, ..Saving::default() }.save(&net, &path)?;
    println!("saved for PyTorch: {}", path.display());
    Ok(())
}
