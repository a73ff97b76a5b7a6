//! Structures of leaves: one generic struct for a model's parameters, its variables and its gradients.

use crate::float::Float;
use crate::tensor::Tensor;
use crate::var::Var;

/// A structure with leaves of one type, tensors or variables: a leaf itself, an array, a vector, an option, a tuple,
/// or a struct declared with [`tree!`](crate::tree!).
///
/// ```
/// use autograd::{grad, tree, Tape, Tensor};
///
/// struct Line<V> {
///     slope: V,
///     offset: V,
/// }
/// tree!(Line { slope, offset });
///
/// let params = Line { slope: Tensor::scalar(2.0), offset: Tensor::scalar(1.0) };
/// let tape = Tape::new();
/// let line = tape.vars(&params); // Line<Var>
/// let loss = (line.slope * 3.0 + line.offset).square();
/// let grads = grad(loss, &line); // Line<Var>
/// assert_eq!((grads.slope.item(), grads.offset.item()), (42.0, 14.0));
/// ```
///
/// A struct needs one type parameter, which stands for the leaf: `struct Net<V> { w: V, b: V }`. A field that is no tree,
/// such as a number or a name, is left out of it: `tree!(Net { w, b, ..rate })`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tree of tensors or variables",
    label = "this is no tensor, variable, or structure of them",
    note = "for a struct of your own, write `tree!(Net {{ w, b }});` below it, with its name and fields; it needs one type \
            parameter for its leaves, as in `struct Net<V> {{ w: V, b: V }}`",
    note = "a field that is no tensor, such as a number or a name, is left out with two dots: `tree!(Net {{ w, b, ..rate }});`"
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

/// Makes a struct with one type parameter, its leaf, a [`Tree`](crate::Tree) for tensors and for variables: name its
/// fields, each a tree; then, each after `..`, those that are no leaves and are cloned.
///
/// ```
/// use autograd::{tree, Tensor, Tree};
/// struct Layer<V> {
///     weight: V,
///     bias: Option<V>,
///     name: String,
/// }
/// tree!(Layer { weight, bias, ..name });
/// let layer = Layer { weight: Tensor::from([1.0]), bias: None, name: "last".into() };
/// assert_eq!(layer.names(), ["weight"]);
/// ```
#[macro_export]
macro_rules! tree {
    ($name:ident $fields:tt) => {
        $crate::tree!(@leaf [T: $crate::Float] $crate::Tensor<T>, $name $fields);
        $crate::tree!(@leaf ['t, T: $crate::Float] $crate::Var<'t, T>, $name $fields);
    };
    (@leaf [$($generics:tt)*] $leaf:ty, $name:ident { $($field:ident),* $(, ..$plain:ident)* $(,)? }) => {
        impl<$($generics)*> $crate::Tree for $name<$leaf> {
            type Leaf = $leaf;
            type With<U> = $name<U>;
            fn map<U>(&self, f: &mut dyn FnMut(&$leaf) -> U) -> $name<U> {
                $name {
                    $($field: $crate::Tree::map(&self.$field, f),)*
                    $($plain: self.$plain.clone(),)*
                }
            }
            fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a $leaf)) {
                $($crate::Tree::visit(&self.$field, f);)*
            }
            fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut $leaf)) {
                $($crate::Tree::visit_mut(&mut self.$field, f);)*
            }
            fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
                $($crate::Tree::paths(&self.$field, &$crate::join(prefix, stringify!($field)), f);)*
            }
        }
    };
}

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
}

impl<T: Tree> Tree for Vec<T> {
    type Leaf = T::Leaf;
    type With<U> = Vec<T::With<U>>;
    fn map<U>(&self, f: &mut dyn FnMut(&T::Leaf) -> U) -> Self::With<U> {
        self.iter().map(|a| a.map(f)).collect()
    }
    visit_each!(T);
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
}

macro_rules! tuple {
    ($first:ident 0, $($rest:ident $i:tt),*) => {
        impl<$first: Tree, $($rest: Tree<Leaf = $first::Leaf>),*> Tree for ($first, $($rest),*) {
            type Leaf = $first::Leaf;
            type With<U> = ($first::With<U>, $($rest::With<U>),*);
            fn map<U>(&self, f: &mut dyn FnMut(&$first::Leaf) -> U) -> Self::With<U> {
                (self.0.map(f), $(self.$i.map(f)),*)
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
        }
    };
}
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);

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
