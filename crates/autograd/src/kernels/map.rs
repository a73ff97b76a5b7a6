//! Element-wise loops, with NumPy broadcasting through strides of 0.

use super::strided::{Odometer, collapse};

/// `out[i] = f(x[i])`
#[inline]
pub(crate) fn map<T: Copy>(x: &[T], out: &mut [T], f: impl Fn(T) -> T) {
    for (o, &x) in out.iter_mut().zip(x) {
        *o = f(x);
    }
}

/// `out[i] = f(a[i], b[i])`, both operands broadcast to `sizes` by their strides.
#[inline]
pub(crate) fn zip<T: Copy>(
    sizes: &[usize],
    (a, a_strides): (&[T], &[usize]),
    (b, b_strides): (&[T], &[usize]),
    out: &mut [T],
    f: impl Fn(T, T) -> T,
) {
    if a.len() == out.len() && b.len() == out.len() {
        return zip_contiguous(a, b, out, f);
    }
    let dims = collapse(sizes, [a_strides, b_strides]);
    let Some((&(n, [sa, sb]), outer)) = dims.split_last() else {
        out[0] = f(a[0], b[0]);
        return;
    };
    if out.is_empty() {
        return;
    }
    let mut at = Odometer::new(outer);
    for row in out.chunks_exact_mut(n) {
        let [pa, pb] = at.offsets();
        match (sa, sb) {
            (1, 1) => zip_contiguous(&a[pa..pa + n], &b[pb..pb + n], row, &f),
            (1, 0) => {
                let b = b[pb];
                map(&a[pa..pa + n], row, |a| f(a, b));
            }
            (0, 1) => {
                let a = a[pa];
                map(&b[pb..pb + n], row, |b| f(a, b));
            }
            (0, 0) => row.fill(f(a[pa], b[pb])),
            _ => {
                for (i, o) in row.iter_mut().enumerate() {
                    *o = f(a[pa + i * sa], b[pb + i * sb]);
                }
            }
        }
        at.step();
    }
}

#[inline]
fn zip_contiguous<T: Copy>(a: &[T], b: &[T], out: &mut [T], f: impl Fn(T, T) -> T) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = f(a, b);
    }
}

/// `out[i] = mask[i] != 0 ? a[i] : b[i]`, all three broadcast to `sizes` by their strides.
pub(crate) fn select<T: crate::Float>(sizes: &[usize], args: [(&[T], &[usize]); 3], out: &mut [T]) {
    let [mask, a, b] = args.map(|(data, _)| data);
    if args.iter().all(|(data, _)| data.len() == out.len()) {
        for (((o, &m), &a), &b) in out.iter_mut().zip(mask).zip(a).zip(b) {
            *o = if m == T::ZERO { b } else { a };
        }
        return;
    }
    let dims = collapse(sizes, args.map(|(_, strides)| strides));
    let mut at = Odometer::new(&dims);
    for o in out {
        let [pm, pa, pb] = at.offsets();
        *o = if mask[pm] == T::ZERO { b[pb] } else { a[pa] };
        at.step();
    }
}
