//! Functions that are generic over the number type and compiled with this crate all the same, as those of the engine are: never
//! inlined, and named here, they are not compiled anew in every program.

use crate::data::{Csv, Dataset, Standardiser};
use crate::layers::{Activation, Linear, Mlp};
use crate::measure::accuracy;
use crate::optim::{Adam, Recall, Rule, Sgd, Step};
use autograd::{Float, Tensor, Var};
use std::hint::black_box;

/// What is static is compiled, whether anybody asks for it or not.
#[used]
static SHARED: [fn(); 2] = [shared::<f32>, shared::<f64>];

/// Names them for a type.
fn shared<T: Float>() {
    of_data::<T>();
    of_layers::<T>();
    of_rules::<T>();
}

fn of_data<T: Float>() {
    black_box((Csv::parse::<T> as fn(_, _, _) -> _, Dataset::<T>::try_with as fn(_, _) -> _));
    black_box((Dataset::<T>::select as fn(_, _) -> _, Dataset::<T>::batch as fn(_, _) -> _));
    black_box((Dataset::<T>::gather_into as fn(_, _, _), Dataset::<T>::with_features as fn(_, _, _) -> _));
    black_box((Dataset::<T>::split as fn(_, _, _) -> _, Standardiser::<T>::apply as fn(_, _) -> _));
}

fn of_layers<T: Float>() {
    black_box((Mlp::<Tensor<T>>::new as fn(_, _, _) -> _, Mlp::<Tensor<T>>::predict as fn(_, _) -> _));
    black_box((Mlp::<Var<'_, T>>::forward as fn(_, _) -> _, Linear::<Var<'_, T>>::forward as fn(_, _) -> _));
    black_box(Activation::apply::<T> as fn(_, _) -> _);
}

fn of_rules<T: Float>() {
    black_box((
        <Adam<T> as Rule<T>>::advance as fn(_, &mut Step<'_, T>),
        <Sgd<T> as Rule<T>>::advance as fn(_, &mut Step<'_, T>),
    ));
    black_box((Recall::<'_, T>::new as fn(_, _) -> _, Recall::<'_, T>::recall as fn(_, _, _, _) -> _));
    black_box((Recall::<'_, T>::complaint as fn(_, _, _) -> _, Recall::<'_, T>::unless as fn(_, _)));
    black_box((Recall::<'_, T>::into_started as fn(_) -> _, Recall::<'_, T>::into_values as fn(_) -> _));
    black_box(accuracy::<T> as fn(_, _) -> _);
}
