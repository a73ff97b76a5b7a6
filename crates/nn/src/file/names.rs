//! The one place where names and layouts of other frameworks become ours, or ours theirs.

use super::stored::Stored;
use crate::data::Array;
use crate::fault::Mismatch;
use crate::pattern::{captures, fits};
use std::collections::{BTreeMap, BTreeSet};

/// A rule for the names of a file, or for the layout behind them. Rules are applied one after the other, each to all names as
/// the rules before left them. In patterns, `*` stands for any run of characters. A rule that fits no name is an error.
///
/// ```
/// use autograd::Tensor;
/// use nn::file::{Loading, Rename, Stored};
/// use nn::{Activation, Mlp};
/// // A file of PyTorch's `nn.Sequential(Linear, Tanh, Linear)`: "0.weight", "0.bias", "2.weight", "2.bias".
/// let theirs: Mlp<Tensor> = Mlp::new(&[2, 3, 2], Activation::Tanh, 0);
/// let mut file = Stored::of(&theirs);
/// file.tensors = file.tensors.into_iter().map(|(name, array)| {
///     (name.replace("layers.1", "2").replace("layers.", ""), array)
/// }).collect();
///
/// let mut net: Mlp<Tensor> = Mlp::new(&[2, 3, 2], Activation::Tanh, 1);
/// let loading = Loading { names: &[Rename::Prefix("layers."), Rename::Renumber("layers")], ..Loading::default() };
/// loading.apply(&mut net, "net.safetensors", &file)?;
/// assert_eq!(net, theirs);
/// # Ok::<(), nn::Error>(())
/// ```
///
/// Keras stores the kernel of a dense layer as `[in, out]`. Of a file that Python wrote by
/// `numpy.savez("net.npz", *model.get_weights())`, the names are `arr_0` (kernel), `arr_1` (bias), and so on:
///
/// ```
/// use autograd::Tensor;
/// use nn::data::{Array, Numbers};
/// use nn::file::{Loading, Rename, Stored};
/// use std::collections::BTreeMap;
/// let mut file = Stored::default();
/// let kernel = Array { shape: vec![2, 3], numbers: Numbers::F32(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) };
/// file.tensors.insert("arr_0".into(), kernel);
///
/// let mut net = BTreeMap::from([("weight", Tensor::<f32>::zeros([3, 2]))]);
/// let names = [Rename::Replace("arr_0", "weight"), Rename::Transpose("*weight")];
/// Loading { names: &names, ..Loading::default() }.apply(&mut net, "net.npz", &file)?;
/// assert_eq!(net["weight"], Tensor::from_rows([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rename<'a> {
    /// Takes this off the beginning of each name that begins so: `module.` of PyTorch's `DataParallel`.
    Strip(&'a str),
    /// Puts this before every name.
    Prefix(&'a str),
    /// Names of the first pattern become the second one, where each `*` stands for what the one of the same place stood for:
    /// `Replace("dense_*.gamma", "norms.*.weight")`.
    Replace(&'a str, &'a str),
    /// Numbers that follow this name become 0, 1, 2, … in their order: of `layers.0.bias` and `layers.2.bias`, the second becomes
    /// `layers.1.bias`. PyTorch's `Sequential` counts activations, too.
    Renumber(&'a str),
    /// Matrices of these names are stored as `[in, out]`, as in Keras, and become `[out, in]`, or the other way round.
    Transpose(&'a str),
    /// Tensors of these names are left out: `Skip("*.num_batches_tracked")`.
    Skip(&'a str),
}

/// The tensors under their new names; what is wrong with the rules is added to a list.
pub(super) fn renamed(stored: &Stored, rules: &[Rename], mismatch: &mut Mismatch) -> BTreeMap<String, Array> {
    let mut all: Vec<(String, Array)> =
        stored.tensors.iter().map(|(name, array)| (name.clone(), array.clone())).collect();
    for rule in rules {
        if !apply(*rule, &mut all) {
            mismatch.unused.push(format!("{rule:?}"));
        }
    }
    let mut tensors = BTreeMap::new();
    for (name, array) in all {
        if tensors.insert(name.clone(), array).is_some() && !mismatch.same.contains(&name) {
            mismatch.same.push(name);
        }
    }
    tensors
}

/// Whether the rule fitted a name.
fn apply(rule: Rename, all: &mut Vec<(String, Array)>) -> bool {
    let mut fitted = false;
    let mut rename = |new: &dyn Fn(&str) -> Option<String>| {
        for (name, _) in all.iter_mut() {
            if let Some(new) = new(name) {
                *name = new;
                fitted = true;
            }
        }
    };
    match rule {
        Rename::Strip(prefix) => rename(&|name| name.strip_prefix(prefix).map(str::to_owned)),
        Rename::Prefix(prefix) => rename(&|name| Some(format!("{prefix}{name}"))),
        Rename::Replace(from, to) => rename(&|name| captures(from, name).map(|found| filled(to, &found))),
        Rename::Renumber(prefix) => {
            let number = |name: &str| -> Option<(u64, String)> {
                let rest = if prefix.is_empty() { name } else { name.strip_prefix(prefix)?.strip_prefix('.')? };
                let (number, rest) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
                Some((number.parse().ok()?, rest.to_owned()))
            };
            let numbers: BTreeSet<u64> =
                all.iter().filter_map(|(name, _)| number(name)).map(|(number, _)| number).collect();
            for (name, _) in all.iter_mut() {
                if let Some((old, rest)) = number(name) {
                    let new = numbers.range(..old).count();
                    let dot = if prefix.is_empty() { "" } else { "." };
                    *name = format!("{prefix}{dot}{new}{rest}");
                    fitted = true;
                }
            }
        }
        Rename::Transpose(pattern) => {
            for (_, array) in all.iter_mut().filter(|(name, array)| array.shape.len() == 2 && fits(pattern, name)) {
                *array = array.transposed();
                fitted = true;
            }
        }
        Rename::Skip(pattern) => {
            let count = all.len();
            all.retain(|(name, _)| !fits(pattern, name));
            fitted = all.len() < count;
        }
    }
    fitted
}

/// A pattern with its stars replaced in turn; where there are more than were found, by nothing.
fn filled(pattern: &str, found: &[&str]) -> String {
    let mut found = found.iter();
    let mut parts = pattern.split('*');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(found.next().copied().unwrap_or_default());
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Numbers;

    fn stored(names: &[&str]) -> Stored {
        let array = Array { shape: vec![1], numbers: Numbers::U8(vec![0]) };
        let tensors = names.iter().map(|name| ((*name).to_owned(), array.clone())).collect();
        Stored { tensors, ..Stored::default() }
    }

    #[test]
    fn rules_are_applied_one_after_the_other() {
        let file = stored(&["m.net.0.w", "m.net.3.w", "m.net.10.w", "m.net.10.n"]);
        let mut mismatch = Mismatch::default();
        let rules = [
            Rename::Skip("*.n"),
            Rename::Strip("m."),
            Rename::Renumber("net"),
            Rename::Replace("net.*.w", "layers.*.weight"),
        ];
        let names: Vec<String> = renamed(&file, &rules, &mut mismatch).into_keys().collect();
        assert_eq!(names, ["layers.0.weight", "layers.1.weight", "layers.2.weight"]);
        assert!(mismatch.is_empty());
    }

    #[test]
    fn rules_that_fit_nothing_and_names_that_become_one_are_told() {
        let mut mismatch = Mismatch::default();
        renamed(&stored(&["a", "b"]), &[Rename::Strip("x."), Rename::Replace("*", "one")], &mut mismatch);
        assert_eq!(mismatch.unused, ["Strip(\"x.\")"]);
        assert_eq!(mismatch.same, ["one"]);
    }
}
