//! Structures of leaves: one generic struct for a model's parameters, its variables and its gradients.

mod declare;

use crate::float::Float;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::marker::PhantomData;

/// A structure with leaves of one type, tensors or variables: a leaf itself, an array, a slice, a vector, an option, a box, a
/// map by name (`BTreeMap`), a tuple of up to twelve, or a struct or an enum declared with [`tree!`](crate::tree!).
///
/// ```
/// use autograd::{grad, tree, Tape, Tensor};
///
/// tree! {
///     struct Line<V> {
///         slope: V,
///         offset: V,
///     }
/// }
///
/// let params = Line { slope: Tensor::scalar(2.0), offset: Tensor::scalar(1.0) };
/// let tape = Tape::new();
/// let line = tape.vars(&params); // Line<Var>
/// let loss = (line.slope * 3.0 + line.offset).square();
/// let grads = grad(loss, &line); // Line<Var>
/// assert_eq!((grads.slope.item(), grads.offset.item()), (42.0, 14.0));
/// ```
///
/// A slice of variables is a structure as well, whose gradients are a vector: `grad(y, &x[..3])`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tree of tensors or variables",
    label = "this is no tensor, variable, or structure of them",
    note = "for a struct or an enum of your own, write `tree! {{ struct Net<V> {{ w: V, b: V }} }}`, or `tree!(Net {{ w, b }});` \
            below it; its first type parameter stands for its leaves",
    note = "a field that is no tensor, such as a number or a name, is marked with two dots: `..rate: f64`, or below it \
            `tree!(Net {{ w, b, ..rate }});`",
    note = "numbers in an array are a tensor: `Tensor::from([1.0, 2.0])`"
)]
pub trait Tree {
    /// What stands at the leaves.
    type Leaf;
    /// The same structure with something else at the leaves.
    type With<U>;

    /// The same structure with a function of each leaf, in a fixed order.
    fn map<U>(&self, f: &mut dyn FnMut(&Self::Leaf) -> U) -> Self::With<U>;

    /// Calls a function with each leaf, in the same order as [`Tree::map`].
    fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Self::Leaf));

    /// Calls a function with each leaf, to change it, in the same order as [`Tree::map`].
    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut Self::Leaf));

    /// Calls a function with the path of each leaf, such as `layers.0.weight`, in the same order as [`Tree::map`].
    fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str));

    /// Calls a function with what tells this structure from another one of its type, apart from the shapes of the leaves: the
    /// length of a vector, the variant of an enum, the keys of a map. A program compares its inputs' with the recorded ones.
    fn form(&self, f: &mut dyn FnMut(u64)) {
        let _ = f;
    }

    /// The leaves in order.
    fn leaves(&self) -> Vec<&Self::Leaf> {
        let mut leaves = Vec::new();
        self.visit(&mut |leaf| leaves.push(leaf));
        leaves
    }

    /// The leaves in order, to change.
    fn leaves_mut(&mut self) -> Vec<&mut Self::Leaf> {
        let mut leaves = Vec::new();
        self.visit_mut(&mut |leaf| leaves.push(leaf));
        leaves
    }

    /// The paths of the leaves in order.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.paths("", &mut |path| names.push(path.to_owned()));
        names
    }
}

/// The path of a field below a prefix.
#[doc(hidden)]
pub fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// What stands for a name in [`Tree::form`]: its FNV-1a hash.
#[doc(hidden)]
pub const fn form_of(name: &str) -> u64 {
    let (bytes, mut hash, mut i) = (name.as_bytes(), FNV_START, 0);
    while i < bytes.len() {
        hash = fnv(hash, bytes[i]);
        i += 1;
    }
    hash
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

const fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0100_0000_01b3)
}

/// As [`form_of`], of what is written to it, without a string.
struct Hashed(u64);

impl Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = text.bytes().fold(self.0, fnv);
        Ok(())
    }
}

/// The form of a key of a map.
fn form_of_key(key: &impl Display) -> u64 {
    let mut hashed = Hashed(FNV_START);
    // Where a key cannot be written, what it had written stands for it.
    let _ = write!(hashed, "{key}");
    hashed.0
}

/// A leaf is a tree of one.
macro_rules! leaf {
    (impl<$($life:lifetime,)* $p:ident: $bound:path> $leaf:ty) => {
        impl<$($life,)* $p: $bound> Tree for $leaf {
            type Leaf = Self;
            type With<U> = U;
            fn map<U>(&self, f: &mut dyn FnMut(&Self) -> U) -> U {
                f(self)
            }
            fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Self)) {
                f(self);
            }
            fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut Self)) {
                f(self);
            }
            fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
                f(prefix);
            }
        }
    };
}

leaf!(impl<T: Float> Tensor<T>);
leaf!(impl<'t, T: Float> Var<'t, T>);

/// The methods of a sequence of trees that do not depend on which it is.
macro_rules! visit_each {
    ($a:ident) => {
        fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a $a::Leaf)) {
            for a in self {
                a.visit(f);
            }
        }
        fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut $a::Leaf)) {
            for a in self {
                a.visit_mut(f);
            }
        }
        fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
            for (i, a) in self.iter().enumerate() {
                a.paths(&join(prefix, &i.to_string()), f);
            }
        }
    };
}

impl<A: Tree, const N: usize> Tree for [A; N] {
    type Leaf = A::Leaf;
    type With<U> = [A::With<U>; N];
    fn map<U>(&self, f: &mut dyn FnMut(&A::Leaf) -> U) -> Self::With<U> {
        std::array::from_fn(|i| self[i].map(f))
    }
    visit_each!(A);
    fn form(&self, f: &mut dyn FnMut(u64)) {
        for a in self {
            a.form(f);
        }
    }
}

/// What is made of a part of a list is a list: `grad(y, &x[..3])`.
impl<A: Tree> Tree for [A] {
    type Leaf = A::Leaf;
    type With<U> = Vec<A::With<U>>;
    fn map<U>(&self, f: &mut dyn FnMut(&A::Leaf) -> U) -> Self::With<U> {
        self.iter().map(|a| a.map(f)).collect()
    }
    visit_each!(A);
    fn form(&self, f: &mut dyn FnMut(u64)) {
        f(self.len() as u64);
        for a in self {
            a.form(f);
        }
    }
}

impl<T: Tree> Tree for Vec<T> {
    type Leaf = T::Leaf;
    type With<U> = Vec<T::With<U>>;
    fn map<U>(&self, f: &mut dyn FnMut(&T::Leaf) -> U) -> Self::With<U> {
        self[..].map(f)
    }
    visit_each!(T);
    fn form(&self, f: &mut dyn FnMut(u64)) {
        self[..].form(f);
    }
}

/// The leaves' paths have the keys, as they are displayed.
impl<K: Ord + Clone + Display, V: Tree> Tree for BTreeMap<K, V> {
    type Leaf = V::Leaf;
    type With<U> = BTreeMap<K, V::With<U>>;
    fn map<U>(&self, f: &mut dyn FnMut(&V::Leaf) -> U) -> Self::With<U> {
        self.iter().map(|(key, a)| (key.clone(), a.map(f))).collect()
    }
    fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a V::Leaf)) {
        for a in self.values() {
            a.visit(f);
        }
    }
    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut V::Leaf)) {
        for a in self.values_mut() {
            a.visit_mut(f);
        }
    }
    fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
        for (key, a) in self {
            a.paths(&join(prefix, &key.to_string()), f);
        }
    }
    fn form(&self, f: &mut dyn FnMut(u64)) {
        f(self.len() as u64);
        for (key, a) in self {
            f(form_of_key(key));
            a.form(f);
        }
    }
}

impl<T: Tree> Tree for Box<T> {
    type Leaf = T::Leaf;
    type With<U> = Box<T::With<U>>;
    fn map<U>(&self, f: &mut dyn FnMut(&T::Leaf) -> U) -> Self::With<U> {
        Box::new((**self).map(f))
    }
    fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a T::Leaf)) {
        (**self).visit(f);
    }
    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut T::Leaf)) {
        (**self).visit_mut(f);
    }
    fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
        (**self).paths(prefix, f);
    }
    fn form(&self, f: &mut dyn FnMut(u64)) {
        (**self).form(f);
    }
}

/// A structure without leaves, for a type whose leaf stands in no field: `struct Relu<V>(PhantomData<V>)`.
impl<T: Tree> Tree for PhantomData<T> {
    type Leaf = T::Leaf;
    type With<U> = PhantomData<T::With<U>>;
    fn map<U>(&self, _: &mut dyn FnMut(&T::Leaf) -> U) -> Self::With<U> {
        PhantomData
    }
    fn visit<'a>(&'a self, _: &mut dyn FnMut(&'a T::Leaf)) {}
    fn visit_mut<'a>(&'a mut self, _: &mut dyn FnMut(&'a mut T::Leaf)) {}
    fn paths(&self, _: &str, _: &mut dyn FnMut(&str)) {}
}

impl<A: Tree> Tree for Option<A> {
    type Leaf = A::Leaf;
    type With<U> = Option<A::With<U>>;
    fn map<U>(&self, f: &mut dyn FnMut(&A::Leaf) -> U) -> Self::With<U> {
        self.as_ref().map(|a| a.map(f))
    }
    fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a A::Leaf)) {
        if let Some(a) = self {
            a.visit(f);
        }
    }
    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut A::Leaf)) {
        if let Some(a) = self {
            a.visit_mut(f);
        }
    }
    fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
        if let Some(a) = self {
            a.paths(prefix, f);
        }
    }
    fn form(&self, f: &mut dyn FnMut(u64)) {
        f(u64::from(self.is_some()));
        if let Some(a) = self {
            a.form(f);
        }
    }
}

/// A row is the parts of a tuple and their positions.
macro_rules! tuple {
    ($first:ident 0 $(, $rest:ident $i:tt)*) => {
        impl<$first: Tree, $($rest: Tree<Leaf = $first::Leaf>),*> Tree for ($first, $($rest,)*) {
            type Leaf = $first::Leaf;
            type With<U> = ($first::With<U>, $($rest::With<U>,)*);
            fn map<U>(&self, f: &mut dyn FnMut(&$first::Leaf) -> U) -> Self::With<U> {
                (self.0.map(f), $(self.$i.map(f),)*)
            }
            fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a $first::Leaf)) {
                self.0.visit(f);
                $(self.$i.visit(f);)*
            }
            fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut $first::Leaf)) {
                self.0.visit_mut(f);
                $(self.$i.visit_mut(f);)*
            }
            fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
                self.0.paths(&join(prefix, "0"), f);
                $(self.$i.paths(&join(prefix, stringify!($i)), f);)*
            }
            fn form(&self, f: &mut dyn FnMut(u64)) {
                self.0.form(f);
                $(self.$i.form(f);)*
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_maps_and_visits_agree_on_the_order() {
        let t = |x: f64| Tensor::scalar(x);
        let mut tree = (t(1.0), vec![[t(2.0), t(3.0)], [t(4.0), t(5.0)]], Some(t(6.0)));
        assert_eq!(tree.names(), ["0", "1.0.0", "1.0.1", "1.1.0", "1.1.1", "2"]);
        let values: Vec<f64> = tree.leaves().iter().map(|t| t.item()).collect();
        assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        tree.visit_mut(&mut |t| *t = Tensor::scalar(t.item() * 2.0));
        let mapped = tree.map(&mut |t| t.item() as i32);
        assert_eq!((mapped.1[1][0], mapped.2), (8, Some(12)));
    }
}
