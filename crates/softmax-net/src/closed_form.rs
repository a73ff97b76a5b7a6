//! The derivation's formulas on plain row-major slices, without a tape: the post's equations and, beyond it, the hidden
//! layer and the second order.
//!
//! Each equation is a function of its own; [`ClosedForm`] puts them together for a network with its examples. All
//! formulas are those of the sum `L = Σ_i L_i`, unless a [`Convention`] is asked for. Each checks the lengths of its
//! slices and its labels, and panics at the caller's line with its own name where they do not fit.
//!
//! ```
//! use softmax_net::closed_form::{dl_ds, probabilities};
//! let s = [0.0, 0.0, 1e4, 0.0]; // two examples, two classes
//! let o2 = probabilities(&s, 2);
//! assert_eq!(o2, [0.5, 0.5, 1.0, 0.0]);
//! assert_eq!(dl_ds(&o2, &[0, 1], 2), [-0.5, 0.5, 1.0, -1.0]); // O2 − Y
//! ```

use crate::activation::Activation;
use crate::error::Error;
use crate::sizes::{Convention, Sizes};
use crate::toy::{Forward, Gradients, Toy};
use autograd::Float;

/// A network with its examples, as slices whose lengths fit.
///
/// ```
/// use softmax_net::{closed_form::ClosedForm, published::Published, Convention};
/// let data = Published::embedded();
/// let network = ClosedForm::try_new(data.sizes(), data.net.slices(), data.x.as_slice(), &data.labels)?;
/// let forward = network.forward(Convention::Sum)?;
/// let gradients = network.gradients(&forward, Convention::Sum)?;
/// assert_eq!(gradients.w2.len(), 10 * 3);
/// // An output bias shifts all scores of a class, and the rows of O2 − Y sum to 0:
/// assert!(gradients.b2.iter().sum::<f64>().abs() < 1e-14);
/// # Ok::<(), softmax_net::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClosedForm<'a, T> {
    sizes: Sizes,
    net: Toy<&'a [T]>,
    x: &'a [T],
    labels: &'a [usize],
}

impl<'a, T: Float> ClosedForm<'a, T> {
    /// A network of parameters `W1` `[D, H]`, `b1` `[H]`, `W2` `[H, K]`, `b2` `[K]`, with examples `X` `[N, D]` and a
    /// label in `0..K` for each.
    ///
    /// # Errors
    /// Where a slice does not have the length that the sizes ask for, or a label is out of range.
    pub fn try_new(sizes: Sizes, net: Toy<&'a [T]>, x: &'a [T], labels: &'a [usize]) -> Result<Self, Error> {
        sizes.check(&net, x, labels)?;
        Ok(Self { sizes, net, x, labels })
    }

    /// All named results of the forward pass. Only `U` can overflow; nothing reads it.
    ///
    /// # Errors
    /// For a mean over an empty batch.
    pub fn forward(&self, convention: Convention) -> Result<Forward<Vec<T>>, Error> {
        let (Sizes { n, d, h, k }, net) = (self.sizes, &self.net);
        let divisor = convention.divisor(n)?;
        let z1 = affine([n, d, h], self.x, net.w1, net.b1);
        let o1: Vec<T> = z1.iter().map(|&z| net.f.value(z)).collect();
        let s = affine([n, h, k], &o1, net.w2, net.b2);
        let u = s.iter().map(|s| s.exp()).collect();
        let o2 = probabilities(&s, k);
        let l_i = losses(&s, self.labels, k);
        let l = vec![total(l_i.iter().copied()) / T::of_count(divisor)];
        Ok(Forward { z1, o1, s, u, o2, l_i, l })
    }

    /// The gradients of the loss with respect to every array, from the results of the forward pass, which are read
    /// and stay as they are.
    ///
    /// # Errors
    /// For a mean over an empty batch.
    ///
    /// # Panics
    /// Where the results do not have the sizes of the network.
    #[track_caller]
    pub fn gradients(&self, forward: &Forward<Vec<T>>, convention: Convention) -> Result<Gradients<Vec<T>>, Error> {
        let (Sizes { n, d, h, k }, net) = (self.sizes, &self.net);
        let divisor = T::of_count(convention.divisor(n)?);
        for (what, values, sizes) in
            [("Z1", &forward.z1, [n, h]), ("O1", &forward.o1, [n, h]), ("O2", &forward.o2, [n, k])]
        {
            require("ClosedForm::gradients", what, values.len(), &sizes);
        }
        let s: Vec<T> = dl_ds(&forward.o2, self.labels, k).into_iter().map(|g| g / divisor).collect();
        let o1 = dl_do1([n, h, k], &s, net.w2);
        let z1 = dl_dz1(net.f, &forward.z1, &o1);
        Ok(Gradients {
            w1: dl_dw([n, d, h], self.x, &z1),
            b1: dl_db(&z1, h),
            w2: dl_dw([n, h, k], &forward.o1, &s),
            b2: dl_db(&s, k),
            x: dl_do1([n, d, h], &z1, net.w1),
            s,
            o1,
            z1,
        })
    }
}

/// `A B` for `[rows, inner, cols]`, with the elements of `A` and `B` as functions, so that a transposed matrix is one
/// whose indices are swapped.
fn product<T: Float>(
    [rows, inner, cols]: [usize; 3],
    a: impl Fn(usize, usize) -> T,
    b: impl Fn(usize, usize) -> T,
) -> Vec<T> {
    (0..rows * cols).map(|e| total((0..inner).map(|p| a(e / cols, p) * b(p, e % cols)))).collect()
}

/// The sum, in order, from `+0`.
fn total<T: Float>(terms: impl Iterator<Item = T>) -> T {
    terms.fold(T::ZERO, |sum, term| sum + term)
}

/// Whether a slice has as many elements as its sizes ask for; else a panic of the function, at its caller's line.
#[track_caller]
fn require(function: &str, what: &str, len: usize, sizes: &[usize]) {
    let needed = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    assert!(needed == Some(len), "{function}: {what} of sizes {sizes:?} is needed, {len} elements are given");
}

/// Whether a result of these sizes has a number of elements that memory can have; no operand bounds it where an inner size is 0.
#[track_caller]
fn require_result(function: &str, sizes: &[usize]) {
    let len = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let fits = len.is_some_and(|len| len <= isize::MAX as usize / size_of::<f64>());
    assert!(fits, "{function}: a result of sizes {sizes:?} is too large");
}

/// Whether a slice is rows of `k` elements.
#[track_caller]
fn require_rows(function: &str, len: usize, k: usize) {
    let fits = if k == 0 { len == 0 } else { len.is_multiple_of(k) };
    assert!(fits, "{function}: rows of {k} elements are needed, {len} elements are given");
}

/// Whether each label names one of `k` classes.
#[track_caller]
fn require_labels(function: &str, labels: &[usize], k: usize) {
    if let Some((i, label)) = labels.iter().enumerate().find(|&(_, &label)| label >= k) {
        panic!("{function}: label {label} of example {i} is out of range for {k} classes");
    }
}

fn delta<T: Float>(j: usize, k: usize) -> T {
    if j == k { T::ONE } else { T::ZERO }
}

/// `A W + b` `[n, out]` for `A` `[n, inner]`, `W` `[inner, out]`, `b` `[out]`; sizes `[n, inner, out]`.
#[track_caller]
pub fn affine<T: Float>([n, inner, out]: [usize; 3], a: &[T], w: &[T], b: &[T]) -> Vec<T> {
    require("affine", "A", a.len(), &[n, inner]);
    require("affine", "W", w.len(), &[inner, out]);
    require("affine", "b", b.len(), &[out]);
    require_result("affine", &[n, out]);
    let mut result = product([n, inner, out], |i, p| a[i * inner + p], |p, j| w[p * out + j]);
    for (e, r) in result.iter_mut().enumerate() {
        *r += b[e % out];
    }
    result
}

/// Each row of scores less its largest.
fn shifted<T: Float>(row: &[T]) -> impl Iterator<Item = T> + Clone {
    let top = row.iter().copied().fold(-T::INFINITY, T::larger);
    row.iter().map(move |&s| s - top)
}

/// `O2[i,k] = U[i,k] / Σ_p U[i,p]` from scores `[N, K]`. A shift of a row's scores cancels in the quotient, so they
/// are shifted by their largest and `exp` cannot overflow.
#[track_caller]
pub fn probabilities<T: Float>(s: &[T], k: usize) -> Vec<T> {
    require_rows("probabilities", s.len(), k);
    let row = |row| {
        let u = shifted(row).map(T::exp);
        let sum = total(u.clone());
        u.map(move |u| u / sum)
    };
    s.chunks_exact(k.max(1)).flat_map(row).collect()
}

/// `L_i = −ln O2[i, y_i] = ln Σ_p exp S[i,p] − S[i, y_i]` `[N]`, from shifted scores.
#[track_caller]
pub fn losses<T: Float>(s: &[T], labels: &[usize], k: usize) -> Vec<T> {
    require("losses", "S", s.len(), &[labels.len(), k]);
    require_labels("losses", labels, k);
    let row = |(i, &y): (usize, &usize)| {
        let row = &s[i * k..(i + 1) * k];
        let at_label = shifted(row).nth(y).expect("a label names a class");
        total(shifted(row).map(T::exp)).ln() - at_label
    };
    labels.iter().enumerate().map(row).collect()
}

/// `1 − p_j` of a row of probabilities, which sum to 1. Of a probability above ½ it is the sum of the others: a subtraction
/// from 1 would leave few digits of a confident prediction, or none.
fn complement<T: Float>(p: &[T], j: usize) -> T {
    if p[j] > T::of(0.5) {
        total(p.iter().enumerate().filter(|&(k, _)| k != j).map(|(_, &p)| p))
    } else {
        T::ONE - p[j]
    }
}

/// Eq. 1.1: `dL_i/dO2[i,y_i] = −1 / O2[i,y_i]` `[N]`; the other entries are 0.
#[track_caller]
pub fn dl_do2_at_label<T: Float>(o2: &[T], labels: &[usize], k: usize) -> Vec<T> {
    require("dl_do2_at_label", "O2", o2.len(), &[labels.len(), k]);
    require_labels("dl_do2_at_label", labels, k);
    labels.iter().enumerate().map(|(i, &y)| -o2[i * k + y].recip()).collect()
}

/// Eq. 1.2: `dO2[i,y_i]/dS[i,k]` `[N, K]`: `O2[i,k] (1 − O2[i,k])` where `k = y_i` (Eq. 1.2.1), `−O2[i,y_i] O2[i,k]`
/// elsewhere (Eq. 1.2.2). In the quotient rule behind the latter the square is that of the whole sum, `(Σ_p U[i,p])²`.
#[track_caller]
pub fn do2_at_label_ds<T: Float>(o2: &[T], labels: &[usize], k: usize) -> Vec<T> {
    require("do2_at_label_ds", "O2", o2.len(), &[labels.len(), k]);
    require_labels("do2_at_label_ds", labels, k);
    let entry = |(e, &p): (usize, &T)| {
        let (y, row) = (labels[e / k], &o2[e / k * k..][..k]);
        if e % k == y { p * complement(row, y) } else { -row[y] * p }
    };
    o2.iter().enumerate().map(entry).collect()
}

/// The whole Jacobian `dO2[i,j]/dS[i,k] = O2[i,j] (δ_jk − O2[i,k])` `[N, K, K]`. Across examples it is 0.
#[track_caller]
pub fn do2_ds<T: Float>(o2: &[T], k: usize) -> Vec<T> {
    require_rows("do2_ds", o2.len(), k);
    let entry = |p: &[T], i: usize, j: usize| if i == j { p[i] * complement(p, i) } else { -p[i] * p[j] };
    let row = |p| (0..k * k).map(move |e| entry(p, e / k, e % k));
    o2.chunks_exact(k.max(1)).flat_map(row).collect()
}

/// Eq. 1, the chain rule: `dL_i/dS[i,k] = dL_i/dO2[i,y_i] · dO2[i,y_i]/dS[i,k]` `[N, K]`, the product of Eq. 1.1 and
/// Eq. 1.2.
#[track_caller]
pub fn dl_ds_by_chain_rule<T: Float>(o2: &[T], labels: &[usize], k: usize) -> Vec<T> {
    require("dl_ds_by_chain_rule", "O2", o2.len(), &[labels.len(), k]);
    require_labels("dl_ds_by_chain_rule", labels, k);
    let outer = dl_do2_at_label(o2, labels, k);
    do2_at_label_ds(o2, labels, k).into_iter().enumerate().map(|(e, inner)| outer[e / k] * inner).collect()
}

/// Eq. 1.3: `dL_i/dS = O2 − Y` `[N, K]`, `Y` one-hot.
#[track_caller]
pub fn dl_ds<T: Float>(o2: &[T], labels: &[usize], k: usize) -> Vec<T> {
    require("dl_ds", "O2", o2.len(), &[labels.len(), k]);
    require_labels("dl_ds", labels, k);
    let entry = |(e, &p): (usize, &T)| {
        let y = labels[e / k];
        if e % k == y { -complement(&o2[e / k * k..][..k], y) } else { p }
    };
    o2.iter().enumerate().map(entry).collect()
}

/// Exp. 2: `dS[i,k]/dW2[m,n] = O1[i,m]` where `k = n`, 0 elsewhere: `[N, K, H, K]`; sizes `[N, H, K]`.
#[track_caller]
pub fn ds_dw2<T: Float>([n, h, k]: [usize; 3], o1: &[T]) -> Vec<T> {
    require("ds_dw2", "O1", o1.len(), &[n, h]);
    require_result("ds_dw2", &[n, k, h, k]);
    let entry = |e: usize| {
        let (i, class, m, column) = (e / (k * h * k), e / (h * k) % k, e / k % h, e % k);
        delta::<T>(class, column) * o1[i * h + m]
    };
    (0..n * k * h * k).map(entry).collect()
}

/// The Gradient Equation for each example: `dL_i/dW2[m,n] = Σ_k dL_i/dS[i,k] dS[i,k]/dW2[m,n]` `[N, H, K]`, the sum
/// taken as it stands; sizes `[N, H, K]`.
#[track_caller]
pub fn dl_i_dw2<T: Float>([n, h, k]: [usize; 3], o1: &[T], dl_ds: &[T]) -> Vec<T> {
    require("dl_i_dw2", "O1", o1.len(), &[n, h]);
    require("dl_i_dw2", "dL/dS", dl_ds.len(), &[n, k]);
    require_result("dl_i_dw2", &[n, k, h, k]);
    let ds_dw2 = ds_dw2([n, h, k], o1);
    let entry = |e: usize| {
        let (i, w) = (e / (h * k), e % (h * k));
        total((0..k).map(|class| dl_ds[i * k + class] * ds_dw2[(i * k + class) * h * k + w]))
    };
    (0..n * h * k).map(entry).collect()
}

/// The Gradient Equation in matrices: `dL/dW2 = O1ᵀ dL/dS` `[H, K]`, and likewise `dL/dW1 = Xᵀ dL/dZ1`; sizes
/// `[n, inner, out]` as for [`affine`].
#[track_caller]
pub fn dl_dw<T: Float>([n, inner, out]: [usize; 3], a: &[T], dl: &[T]) -> Vec<T> {
    require("dl_dw", "A", a.len(), &[n, inner]);
    require("dl_dw", "the gradient", dl.len(), &[n, out]);
    require_result("dl_dw", &[inner, out]);
    product([inner, n, out], |m, i| a[i * inner + m], |i, j| dl[i * out + j])
}

/// The bias: `dL/db2[n] = Σ_i dL/dS[i,n]` `[K]`, and likewise `dL/db1`: the column sums of a gradient of rows of `out`.
#[track_caller]
pub fn dl_db<T: Float>(dl: &[T], out: usize) -> Vec<T> {
    require_rows("dl_db", dl.len(), out);
    (0..out).map(|j| total(dl.iter().skip(j).step_by(out).copied())).collect()
}

/// The input of an affine layer: `dL/dO1 = dL/dS W2ᵀ` `[N, H]`, and likewise `dL/dX = dL/dZ1 W1ᵀ`; sizes
/// `[n, inner, out]` as for [`affine`].
#[track_caller]
pub fn dl_do1<T: Float>([n, inner, out]: [usize; 3], dl: &[T], w: &[T]) -> Vec<T> {
    require("dl_do1", "the gradient", dl.len(), &[n, out]);
    require("dl_do1", "W", w.len(), &[inner, out]);
    require_result("dl_do1", &[n, inner]);
    product([n, out, inner], |i, p| dl[i * out + p], |p, m| w[m * out + p])
}

/// The activation: `dL/dZ1 = dL/dO1 ∘ f′(Z1)` `[N, H]`.
#[track_caller]
pub fn dl_dz1<T: Float>(f: Activation, z1: &[T], dl_do1: &[T]) -> Vec<T> {
    require("dl_dz1", "dL/dO1", dl_do1.len(), &[z1.len()]);
    z1.iter().zip(dl_do1).map(|(&z, &g)| g * f.derivative(z)).collect()
}

/// Second order in the scores: `d²L_i/dS[i]² = diag(O2[i]) − O2[i] O2[i]ᵀ` `[N, K, K]`. It is the Jacobian of the
/// softmax again, since `dL_i/dS = O2 − Y`; it is positive semi-definite, and its rows sum to 0.
#[track_caller]
pub fn d2l_ds2<T: Float>(o2: &[T], k: usize) -> Vec<T> {
    require_rows("d2l_ds2", o2.len(), k);
    do2_ds(o2, k)
}

/// Second order along the scores: `vᵀ (d²L_i/dS[i]²) v = Σ_k O2[i,k] (v_k − Σ_p O2[i,p] v_p)²` `[N]`, the variance
/// of `v` under the probabilities, whose rows have the length of `v`: never negative, so the Hessian is positive semi-definite.
#[track_caller]
pub fn d2l_along<T: Float>(o2: &[T], v: &[T]) -> Vec<T> {
    require_rows("d2l_along", o2.len(), v.len());
    let variance = |p: &[T]| {
        let mean = total(p.iter().zip(v).map(|(&p, &v)| p * v));
        total(p.iter().zip(v).map(|(&p, &v)| p * (v - mean) * (v - mean)))
    };
    o2.chunks_exact(v.len().max(1)).map(variance).collect()
}

/// Second order in the weights: `d²L/dW2² = Σ_i (O1[i] O1[i]ᵀ) ⊗ (d²L_i/dS[i]²)` `[H, K, H, K]`, a sum of Kronecker
/// products; sizes `[N, H, K]`.
#[track_caller]
pub fn d2l_dw2<T: Float>([n, h, k]: [usize; 3], o1: &[T], o2: &[T]) -> Vec<T> {
    require("d2l_dw2", "O1", o1.len(), &[n, h]);
    require("d2l_dw2", "O2", o2.len(), &[n, k]);
    require_result("d2l_dw2", &[h, k, h, k]);
    let blocks = d2l_ds2(o2, k);
    let entry = |e: usize| {
        let (row, column) = (e / (h * k), e % (h * k));
        let term = |i: usize| o1[i * h + row / k] * o1[i * h + column / k] * blocks[(i * k + row % k) * k + column % k];
        total((0..n).map(term))
    };
    (0..h * k * h * k).map(entry).collect()
}
