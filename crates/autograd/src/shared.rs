//! Functions that are generic over the number type and compiled with this crate all the same: a program that uses them takes
//! these copies, since they are never inlined. One that is not named here, and that nothing in this crate calls for a type,
//! is compiled anew in every program, with all that it calls. A small one may be.

use crate::diff::{forward, jacobian, reverse};
use crate::float::Float;
use crate::ops::{index_views, tensors};
use crate::program;
use crate::tape::Tape;
use crate::tape::var::Var;
use std::hint::black_box;

/// What is static is compiled, whether anybody asks for it or not.
#[used]
static SHARED: [fn(); 2] = [shared::<f32>, shared::<f64>];

/// Names them for a type; those of programs are private there.
fn shared<T: Float>() {
    of_tapes::<T>();
    of_derivatives::<T>();
    of_operations::<T>();
    program::shared::<T>();
}

fn of_tapes<T: Float>() {
    black_box((Tape::<T>::clear as fn(_), Tape::<T>::shrink as fn(_), Tape::<T>::given as fn(_, _, _) -> _));
    black_box((Tape::<T>::buffer_for as fn(_, _) -> _, Tape::<T>::leaf_of as fn(_, _, _, _, _) -> _));
    black_box((Tape::<T>::composite_of as fn(_, _, _, _, _) -> _, Tape::<T>::share as fn(_, _) -> _));
    black_box((Tape::<T>::first_broken as fn(_, _) -> _, Tape::<T>::compute_again as fn(_, _)));
}

fn of_derivatives<T: Float>() {
    black_box((reverse::pulled_back::<T> as fn(_, _, _) -> _, forward::pushed_forward::<T> as fn(_, _, _) -> _));
    black_box((jacobian::products::<T> as fn(_, _, _) -> _, jacobian::by_example::<T> as fn(_, _) -> _));
    black_box((jacobian::jacobian::<T> as fn(_, _) -> _, jacobian::hessian::<T> as fn(_, _) -> _));
    black_box(Tape::<T>::graded_by as fn(_, _, _, _, _) -> _);
}

fn of_operations<T: Float>() {
    black_box((index_views::integers_now::<T> as fn(_, _) -> _, index_views::parts::<T> as fn(_, _) -> _));
    black_box((tensors::computed::<T> as fn(_, _) -> _, Var::<T>::product as fn(_, _, _, _) -> _));
    black_box((Var::<T>::linear as fn(_, _, _) -> _, Var::<T>::fitting as fn(_, _, _, _) -> _));
    black_box((Var::<T>::summed as fn(_, _) -> _, Var::<T>::averaged as fn(_, _) -> _));
    black_box((Var::<T>::reshaped as fn(_, _) -> _, Var::<T>::try_repeated as fn(_, _) -> _));
    black_box((Var::<T>::scored as fn(_, _, _, _) -> _, Var::<T>::merge_axes as fn(_, _, _) -> _));
}
