//! Arrays of numbers as files hold them.

use crate::fault::Fault;
use autograd::{Float, Tensor};

/// An array as a file holds it (npy, npz, IDX, safetensors), in row-major order.
///
/// ```
/// use nn::data::{Array, Numbers};
/// let array = Array { shape: vec![2, 2], numbers: Numbers::U8(vec![0, 255, 7, 1]) };
/// assert_eq!(array.tensor::<f32>()?, autograd::Tensor::from_rows([[0.0, 255.0], [7.0, 1.0]]));
/// # Ok::<(), nn::Fault>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The sizes along the axes; none of a single number.
    pub shape: Vec<usize>,
    /// As many as the product of the sizes.
    pub numbers: Numbers,
}

/// Numbers of the types that files hold; shorter ones are read as the next that holds them all.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Of 8 bytes.
    F64(Vec<f64>),
    /// Of 4 bytes, and of 2 (f16 and bf16).
    F32(Vec<f32>),
    /// Signed, of 8 bytes, and unsigned of 4.
    I64(Vec<i64>),
    /// Signed, of 1 to 4 bytes, and unsigned of 2.
    I32(Vec<i32>),
    /// Unsigned, of 8 bytes.
    U64(Vec<u64>),
    /// Unsigned, of 1 byte, and truth values.
    U8(Vec<u8>),
}

/// Does the same with the numbers of any type.
macro_rules! with {
    ($numbers:expr, $x:ident => $body:expr) => {
        match $numbers {
            Numbers::F64($x) => $body,
            Numbers::F32($x) => $body,
            Numbers::I64($x) => $body,
            Numbers::I32($x) => $body,
            Numbers::U64($x) => $body,
            Numbers::U8($x) => $body,
        }
    };
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        with!(self, x => x.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type: `f64`, `f32`, `i64`, `i32`, `u64` or `u8`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::F64(_) => "f64",
            Self::F32(_) => "f32",
            Self::I64(_) => "i64",
            Self::I32(_) => "i32",
            Self::U64(_) => "u64",
            Self::U8(_) => "u8",
        }
    }

    /// Whether one is NaN.
    pub fn has_nan(&self) -> bool {
        match self {
            Self::F64(x) => x.iter().any(|x| x.is_nan()),
            Self::F32(x) => x.iter().any(|x| x.is_nan()),
            Self::I64(_) | Self::I32(_) | Self::U64(_) | Self::U8(_) => false,
        }
    }

    /// The elements at these places.
    fn pick(&self, places: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::F64(x) => Self::F64(places.map(|place| x[place]).collect()),
            Self::F32(x) => Self::F32(places.map(|place| x[place]).collect()),
            Self::I64(x) => Self::I64(places.map(|place| x[place]).collect()),
            Self::I32(x) => Self::I32(places.map(|place| x[place]).collect()),
            Self::U64(x) => Self::U64(places.map(|place| x[place]).collect()),
            Self::U8(x) => Self::U8(places.map(|place| x[place]).collect()),
        }
    }
}

impl Array {
    /// The array of a tensor.
    pub fn of<T: Float>(tensor: &Tensor<T>) -> Self {
        let x = tensor.as_slice();
        let numbers = if T::NAME == "f32" {
            Numbers::F32(x.iter().map(|x| x.to_f64() as f32).collect())
        } else {
            Numbers::F64(x.iter().map(|x| x.to_f64()).collect())
        };
        Self { shape: tensor.shape().to_vec(), numbers }
    }

    /// The numbers as a tensor, where each is exactly a number of its type.
    ///
    /// # Errors
    /// Where a number would be rounded: f64 as f32, whichever they are, and integers that the type does not hold; or where the
    /// shape does not fit the numbers. See [`Array::rounded`].
    pub fn tensor<T: Float>(&self) -> Result<Tensor<T>, Fault> {
        if self.exact::<T>() {
            return self.rounded();
        }
        Err(Fault::Unsupported(format!(
            "expected numbers that {} holds exactly, found {}: `rounded` takes the nearest",
            T::NAME,
            self.numbers.name()
        )))
    }

    /// The numbers as a tensor, each rounded to the nearest of its type.
    ///
    /// # Errors
    /// Where the shape does not fit the numbers, or a finite number is beyond the type's range.
    pub fn rounded<T: Float>(&self) -> Result<Tensor<T>, Fault> {
        let numbers: Vec<T> = match &self.numbers {
            Numbers::F64(x) => x.iter().map(|&x| T::of(x)).collect(),
            Numbers::F32(x) => x.iter().map(|&x| T::of(f64::from(x))).collect(),
            // Of integers, the one rounding is to the type itself.
            Numbers::I64(x) if T::NAME == "f32" => x.iter().map(|&x| T::of(f64::from(x as f32))).collect(),
            Numbers::U64(x) if T::NAME == "f32" => x.iter().map(|&x| T::of(f64::from(x as f32))).collect(),
            Numbers::I64(x) => x.iter().map(|&x| T::of(x as f64)).collect(),
            Numbers::U64(x) => x.iter().map(|&x| T::of(x as f64)).collect(),
            Numbers::I32(x) => x.iter().map(|&x| T::of(f64::from(x))).collect(),
            Numbers::U8(x) => x.iter().map(|&x| T::of(f64::from(x))).collect(),
        };
        if let Some(wide) = self.beyond::<T>() {
            return Err(Fault::Unsupported(format!(
                "expected numbers within the range of {}, found {wide:e}",
                T::NAME
            )));
        }
        Tensor::try_new(self.shape.clone(), numbers).map_err(|error| Fault::Damaged(error.to_string()))
    }

    /// The first finite number that is none in this type.
    pub(crate) fn beyond<T: Float>(&self) -> Option<f64> {
        let Numbers::F64(numbers) = &self.numbers else { return None };
        numbers.iter().copied().find(|&wide| wide.is_finite() && !T::of(wide).is_finite())
    }

    /// Whether no number would be rounded in this type.
    pub(crate) fn exact<T: Float>(&self) -> bool {
        let kept = |x: f64| T::of(x).to_f64() == x;
        match &self.numbers {
            Numbers::F64(_) => T::NAME == "f64",
            Numbers::F32(_) | Numbers::U8(_) => true,
            // In i128, the largest of u64 and the f64 that it is rounded to stay apart.
            Numbers::I64(x) => x.iter().all(|&x| kept(x as f64) && (x as f64) as i128 == i128::from(x)),
            Numbers::U64(x) => x.iter().all(|&x| kept(x as f64) && (x as f64) as i128 == i128::from(x)),
            Numbers::I32(x) => x.iter().all(|&x| kept(f64::from(x))),
        }
    }

    /// The numbers as labels or places, `0, 1, …`.
    ///
    /// ```
    /// use nn::data::{Array, Numbers};
    /// let array = Array { shape: vec![3], numbers: Numbers::I64(vec![2, 0, 1]) };
    /// assert_eq!(array.labels().unwrap(), [2, 0, 1]);
    /// let array = Array { shape: vec![1], numbers: Numbers::F64(vec![0.5]) };
    /// assert_eq!(array.labels().unwrap_err().to_string(), "expected whole numbers from 0 on, found 0.5 at place 0");
    /// ```
    ///
    /// # Errors
    /// Where one is negative or not whole, with its place.
    pub fn labels(&self) -> Result<Vec<usize>, Fault> {
        fn each<A: Copy + std::fmt::Display>(x: &[A], of: impl Fn(A) -> Option<usize>) -> Result<Vec<usize>, Fault> {
            let label = |(i, &x): (usize, &A)| {
                of(x).ok_or_else(|| {
                    Fault::Unsupported(format!("expected whole numbers from 0 on, found {x} at place {i}"))
                })
            };
            x.iter().enumerate().map(label).collect()
        }
        let whole = |x: f64| (x >= 0.0 && x.fract() == 0.0 && x < 9e15).then_some(x as usize);
        match &self.numbers {
            Numbers::F64(x) => each(x, whole),
            Numbers::F32(x) => each(x, |x| whole(f64::from(x))),
            Numbers::I64(x) => each(x, |x| usize::try_from(x).ok()),
            Numbers::I32(x) => each(x, |x| usize::try_from(x).ok()),
            Numbers::U64(x) => each(x, |x| usize::try_from(x).ok()),
            Numbers::U8(x) => each(x, |x| Some(usize::from(x))),
        }
    }

    /// The same array with its axes in reverse order: a matrix is transposed.
    ///
    /// # Panics
    /// Where the shape does not fit the numbers.
    #[track_caller]
    pub fn transposed(&self) -> Self {
        self.hold("transposed");
        let shape: Vec<usize> = self.shape.iter().rev().copied().collect();
        Self { numbers: self.numbers.pick(reversed(&self.shape)), shape }
    }
}

impl Array {
    /// Holds a shape that somebody else has written to its numbers.
    #[track_caller]
    pub(crate) fn hold(&self, function: &str) {
        let (shape, count) = (&self.shape, self.numbers.len());
        let fits = bytes_of(shape, 1) == Some(count);
        assert!(fits, "{function}: a shape of {count} elements is needed, not {shape:?}");
    }
}

/// For each element of an array of reversed axes, its place in the array of these sizes. No memory is asked for by the sizes:
/// where one of them is 0, the others may be anything.
fn reversed(shape: &[usize]) -> impl Iterator<Item = usize> {
    let mut axes = Vec::new();
    let (mut count, mut stride) = (usize::from(!shape.contains(&0)), 1);
    if count > 0 {
        // Axes of one element move nothing.
        for &size in shape.iter().rev().filter(|&&size| size > 1) {
            axes.push((size, stride, 0));
            stride *= size;
        }
        count = stride;
    }
    let mut place = 0;
    (0..count).map(move |_| {
        let here = place;
        // The last axis of the new order, which moves first, is the first of the old one.
        for (size, stride, at) in axes.iter_mut().rev() {
            (*at, place) = (*at + 1, place + *stride);
            if *at < *size {
                break;
            }
            (*at, place) = (0, place - *size * *stride);
        }
        here
    })
}

/// Numbers of a type from their bytes, in the order of the machine that wrote them.
pub(crate) fn decode(kind: Stored, big: bool, bytes: &[u8]) -> Numbers {
    fn each<const N: usize, A>(big: bool, bytes: &[u8], of: impl Fn([u8; N]) -> A) -> Vec<A> {
        let one = |chunk: &[u8]| {
            let mut bytes = [0; N];
            bytes.copy_from_slice(chunk);
            if big {
                bytes.reverse();
            }
            of(bytes)
        };
        bytes.chunks_exact(N).map(one).collect()
    }
    match kind {
        Stored::F64 => Numbers::F64(each(big, bytes, f64::from_le_bytes)),
        Stored::F32 => Numbers::F32(each(big, bytes, f32::from_le_bytes)),
        Stored::F16 => Numbers::F32(each(big, bytes, |bytes| half(u16::from_le_bytes(bytes)))),
        Stored::Bf16 => {
            Numbers::F32(each(big, bytes, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)))
        }
        Stored::I64 => Numbers::I64(each(big, bytes, i64::from_le_bytes)),
        Stored::I32 => Numbers::I32(each(big, bytes, i32::from_le_bytes)),
        Stored::I16 => Numbers::I32(each(big, bytes, |bytes| i32::from(i16::from_le_bytes(bytes)))),
        Stored::I8 => Numbers::I32(each(big, bytes, |bytes| i32::from(i8::from_le_bytes(bytes)))),
        Stored::U64 => Numbers::U64(each(big, bytes, u64::from_le_bytes)),
        Stored::U32 => Numbers::I64(each(big, bytes, |bytes| i64::from(u32::from_le_bytes(bytes)))),
        Stored::U16 => Numbers::I32(each(big, bytes, |bytes| i32::from(u16::from_le_bytes(bytes)))),
        Stored::U8 => Numbers::U8(bytes.to_vec()),
    }
}

/// The bytes of numbers, little end first.
pub(crate) fn encode(numbers: &Numbers, into: &mut Vec<u8>) {
    with!(numbers, x => x.iter().for_each(|x| into.extend_from_slice(&x.to_le_bytes())));
}

/// A type of numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stored {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    /// Truth values, too.
    U8,
}

impl Stored {
    /// The bytes of a number.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::I8 | Self::U8 => 1,
        }
    }
}

/// The bytes that an array of these sizes takes, or `None` where no address space has so many.
pub(crate) fn bytes_of(shape: &[usize], size: usize) -> Option<usize> {
    // A size of 0 does not excuse others beyond any range.
    let product = shape.iter().filter(|&&n| n != 0).try_fold(size, |all, &n| all.checked_mul(n));
    let product = product.filter(|&bytes| isize::try_from(bytes).is_ok());
    if shape.contains(&0) { product.map(|_| 0) } else { product }
}

/// A number of 16 bits (IEEE 754 binary16), exactly.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, fraction) = (u32::from(bits >> 10) & 31, u32::from(bits) & 1023);
    let size = match exponent {
        // Below the normal numbers, steps of 2^−24.
        0 => (fraction as f32 / 16_777_216.0).to_bits(),
        31 => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_their_values() {
        // IEEE 754-2019, binary16: largest, 1/3, smallest normal and subnormal.
        for (bits, want) in [
            (0x7bff, 65504.0),
            (0x3555, 0.333_251_95),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x8000, -0.0),
            (0xfc00, f32::NEG_INFINITY),
            (0xc000, -2.0),
        ] {
            assert_eq!(half(bits).to_bits(), f32::to_bits(want), "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn numbers_are_rounded_only_where_that_is_asked_for() {
        let of = |numbers| Array { shape: vec![1], numbers };
        assert!(of(Numbers::F64(vec![0.5])).tensor::<f32>().is_err());
        assert_eq!(of(Numbers::F64(vec![0.1])).rounded::<f32>().unwrap().item(), 0.1);
        assert!(of(Numbers::F64(vec![1e300])).rounded::<f32>().unwrap_err().to_string().contains("1e300"));
        assert_eq!(of(Numbers::F64(vec![f64::INFINITY])).rounded::<f32>().unwrap().item(), f32::INFINITY);
        assert!(of(Numbers::I64(vec![i64::MAX])).tensor::<f64>().is_err());
        assert!(of(Numbers::U64(vec![u64::MAX])).tensor::<f64>().is_err());
        assert_eq!(of(Numbers::I64(vec![-(1 << 53)])).tensor::<f64>().unwrap().item(), -9007199254740992.0);
        assert!(of(Numbers::I32(vec![16_777_217])).tensor::<f32>().is_err());
        // 2^54 + 2^30 + 1 lies above the middle of two f32; rounded to f64 first, it would lie on it.
        let x = (1_i64 << 54) + (1 << 30) + 1;
        assert_eq!(of(Numbers::I64(vec![x])).rounded::<f32>().unwrap().item(), x as f32);
    }

    #[test]
    fn axes_are_reversed() {
        let array = Array { shape: vec![2, 3], numbers: Numbers::U8(vec![1, 2, 3, 4, 5, 6]) };
        let turned = Array { shape: vec![3, 2], numbers: Numbers::U8(vec![1, 4, 2, 5, 3, 6]) };
        assert_eq!(array.transposed(), turned);
        let deep = Array { shape: vec![2, 1, 3], numbers: Numbers::U8(vec![1, 2, 3, 4, 5, 6]) };
        assert_eq!(deep.transposed().transposed(), deep);
        assert_eq!(deep.transposed().shape, [3, 1, 2]);
        let none = Array { shape: vec![1 << 40, 0], numbers: Numbers::U8(vec![]) };
        assert_eq!(none.transposed().shape, [0, 1 << 40]);
        let one = Array { shape: vec![], numbers: Numbers::U8(vec![3]) };
        assert_eq!(one.transposed(), one);
    }

    #[test]
    fn sizes_that_no_memory_has_are_found_before_any_is_asked_for() {
        assert_eq!(bytes_of(&[3, 4], 8), Some(96));
        assert_eq!(bytes_of(&[], 8), Some(8));
        assert_eq!(bytes_of(&[0, 5], 8), Some(0));
        assert_eq!(bytes_of(&[0, usize::MAX, usize::MAX], 8), None);
        assert_eq!(bytes_of(&[1 << 40, 1 << 40], 1), None);
    }
}
