//! What can be an input: tensors, numbers, keys, labels, structures of tensors, and tuples of all of them.

use super::{InputRecorder, InputWriter, Inputs};
use crate::float::Float;
use crate::ops::key::Key;
use crate::ops::random::KeyVar;
use crate::program::error::ProgramError;
use crate::tape::Tape;
use crate::tape::index::IndexVar;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::shape::Shape;
use std::collections::BTreeMap;
use std::fmt::Display;

impl<T: Float> Inputs<T> for Tensor<T> {
    type Traced<'t> = Var<'t, T>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> Var<'t, T> {
        slots.numbers(tape, self)
    }
    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        binder.tensor(self)
    }
}

macro_rules! number {
    ($($t:ty)*) => {
        $(
            impl Inputs<$t> for $t {
                type Traced<'t> = Var<'t, $t>;
                type Owned = Self;
                fn trace<'t>(&self, tape: &'t Tape<$t>, slots: &mut InputRecorder) -> Var<'t, $t> {
                    Tensor::scalar(*self).trace(tape, slots)
                }
                fn bind(&self, binder: &mut InputWriter<'_, $t>) -> Result<(), ProgramError> {
                    binder.numbers(&Shape::scalar(), &[*self])
                }
            }
        )*
    };
}
number!(f32 f64);

impl<T: Float> Inputs<T> for Key {
    type Traced<'t> = KeyVar<'t, T>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> KeyVar<'t, T> {
        slots.key(tape.key(*self))
    }
    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        binder.integers(&Shape::from([2]), self.integers())
    }
}

impl<T: Float> Inputs<T> for [usize] {
    type Traced<'t> = IndexVar<'t, T>;
    type Owned = Vec<usize>;
    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> IndexVar<'t, T> {
        slots.integers(tape.labels(self))
    }
    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        binder.labels(self)
    }
}

impl<T: Float> Inputs<T> for Vec<usize> {
    type Traced<'t> = IndexVar<'t, T>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> IndexVar<'t, T> {
        self[..].trace(tape, slots)
    }
    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        self[..].bind(binder)
    }
}

impl<T: Float, const N: usize> Inputs<T> for [usize; N] {
    type Traced<'t> = IndexVar<'t, T>;
    type Owned = Vec<usize>;
    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> IndexVar<'t, T> {
        self[..].trace(tape, slots)
    }
    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        self[..].bind(binder)
    }
}

impl<T: Float, F: Inputs<T> + ?Sized> Inputs<T> for &F {
    type Traced<'t> = F::Traced<'t>;
    type Owned = F::Owned;
    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> Self::Traced<'t> {
        (**self).trace(tape, slots)
    }
    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        (**self).bind(binder)
    }
}

/// A row is a container of structures of tensors, what it gives the function, and what it is without borrows.
macro_rules! structures {
    ($([$($generics:tt)*] $container:ty => $owned:ty;)*) => {
        $(
            impl<T: Float, A: Tree<Leaf = Tensor<T>>, $($generics)*> Inputs<T> for $container {
                type Traced<'t> = <Self as Tree>::With<Var<'t, T>>;
                type Owned = $owned;
                fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> Self::Traced<'t> {
                    slots.tree(tape, self)
                }
                fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
                    binder.tree(self)
                }
            }
        )*
    };
}
structures! {
    [] [A] => Vec<A>;
    [] Vec<A> => Self;
    [const N: usize] [A; N] => Self;
    [] Option<A> => Self;
    [] Box<A> => Self;
    [K: Ord + Clone + Display] BTreeMap<K, A> => Self;
}

macro_rules! tuple {
    ($($name:ident $i:tt),*) => {
        impl<T: Float, $($name: Inputs<T>),*> Inputs<T> for ($($name,)*) {
            type Traced<'t> = ($($name::Traced<'t>,)*);
            type Owned = ($($name::Owned,)*);
            #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple has no inputs")]
            fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> Self::Traced<'t> {
                ($(self.$i.trace(tape, slots),)*)
            }
            #[allow(unused_variables, reason = "the empty tuple has no inputs")]
            fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
                $(self.$i.bind(binder)?;)*
                Ok(())
            }
        }
    };
}
tuple!();
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
