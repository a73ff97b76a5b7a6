//! Initial values of weights, scaled so that signals keep their size from layer to layer.

mod orthogonal;

use autograd::{Float, Shape, Tensor};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// How a weight is first filled. Its shape has PyTorch's layout, `[out, in, …]`: the fans are `in` and `out`, each times the
/// sizes of all further axes. Uniform ranges are `[−a, a)`, normal ones have mean 0, unless they say otherwise.
///
/// ```
/// use autograd::Tensor;
/// use nn::{Init, generator};
/// let weight: Tensor = Init::XavierUniform { gain: 1.0 }.sample([2, 4], &mut generator(0));
/// assert_eq!(weight.shape()[..], [2, 4]);
/// assert!(weight.as_slice().iter().all(|w| w.abs() <= 1.0)); // a = √(6 / (4 + 2))
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All zeros, as for biases.
    Zeros,
    /// All the same number.
    Constant(f64),
    /// Uniform in `[low, high)`.
    Uniform {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// Normal with this mean and standard deviation.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Normal, where a number outside `[low, high]` is drawn again.
    TruncatedNormal {
        /// The mean, before numbers are left out.
        mean: f64,
        /// The standard deviation, before numbers are left out.
        std: f64,
        /// The smallest number.
        low: f64,
        /// The largest number.
        high: f64,
    },
    /// Uniform with `a = gain · √(6 / (fan_in + fan_out))`: Glorot and Bengio, "Understanding the difficulty of
    /// training deep feedforward neural networks", 2010, eq. 16 (with gain 1).
    XavierUniform {
        /// Scales the range.
        gain: f64,
    },
    /// Normal with `σ = gain · √(2 / (fan_in + fan_out))`: the variance of Glorot and Bengio, 2010, eq. 12 (with
    /// gain 1).
    XavierNormal {
        /// Scales the standard deviation.
        gain: f64,
    },
    /// Uniform with `a = gain · √(3 / fan_in)`: the variance of [`Init::KaimingNormal`].
    KaimingUniform {
        /// Scales the range.
        gain: f64,
    },
    /// Normal with `σ = gain / √fan_in`: He et al., "Delving deep into rectifiers", 2015, eq. 10 (with gain `√2`, for
    /// ReLU) and eq. 15 (with gain `√(2 / (1 + slope²))`, for leaky ReLU).
    KaimingNormal {
        /// Scales the standard deviation.
        gain: f64,
    },
    /// As [`Init::KaimingUniform`] with `fan_out` in place of `fan_in`, which keeps the size of gradients.
    KaimingUniformOut {
        /// Scales the range.
        gain: f64,
    },
    /// As [`Init::KaimingNormal`] with `fan_out` in place of `fan_in` (He et al., 2015, eq. 14).
    KaimingNormalOut {
        /// Scales the standard deviation.
        gain: f64,
    },
    /// `gain` times a matrix `[out, rest]` with orthonormal rows, or columns where these are fewer, all such matrices being
    /// equally likely: Saxe et al., "Exact solutions to the nonlinear dynamics of learning", 2014.
    Orthogonal {
        /// Scales the matrix.
        gain: f64,
    },
}

impl Init {
    /// A weight `[out, in, …]`. The numbers are drawn in `f64` and row-major order, so one seed gives the same net in `f32` as
    /// in `f64`, rounded.
    ///
    /// # Panics
    /// Where a setting is not finite or a range is empty, a shape that has fans is not of two sizes or more, or is too
    /// large for any buffer, or for the memory.
    #[track_caller]
    pub fn sample<T: Float>(self, shape: impl Into<Shape>, rng: &mut impl Rng) -> Tensor<T> {
        match self.try_sample("Init::sample", shape.into(), rng) {
            Ok(weight) => weight,
            Err(error) => panic!("Init::sample: {error}"),
        }
    }

    #[track_caller]
    pub(crate) fn try_sample<T: Float>(
        self,
        function: &str,
        shape: Shape,
        rng: &mut impl Rng,
    ) -> Result<Tensor<T>, autograd::Error> {
        self.check(function, &shape);
        if let Self::Orthogonal { gain } = self {
            return orthogonal::sample(gain, shape, rng);
        }
        let draws = self.draws(&shape);
        Tensor::try_from_fn(shape, |_| T::of(draws.draw(rng)))
    }

    #[track_caller]
    fn check(self, function: &str, shape: &[usize]) {
        match self {
            Self::Zeros | Self::Constant(_) => {}
            Self::Uniform { low, high } => {
                finite(function, "low end", low);
                finite(function, "high end", high);
                assert!(low <= high, "{function}: a range from low to high is needed, not from {low} to {high}");
            }
            Self::Normal { mean, std } => {
                finite(function, "mean", mean);
                assert!(
                    std >= 0.0 && std.is_finite(),
                    "{function}: a standard deviation of 0 or more is needed, not {std}"
                );
            }
            Self::TruncatedNormal { mean, std, low, high } => {
                finite(function, "mean", mean);
                assert!(std > 0.0 && std.is_finite(), "{function}: a standard deviation above 0 is needed, not {std}");
                // Further out, drawing again would go on for ever.
                let within = low < high && low <= mean + 3.0 * std && high >= mean - 3.0 * std;
                assert!(
                    within,
                    "{function}: a range that meets three deviations around the mean is needed, not from {low} to {high}"
                );
            }
            Self::XavierUniform { gain }
            | Self::XavierNormal { gain }
            | Self::KaimingUniform { gain }
            | Self::KaimingNormal { gain }
            | Self::KaimingUniformOut { gain }
            | Self::KaimingNormalOut { gain }
            | Self::Orthogonal { gain } => {
                finite(function, "gain", gain);
                assert!(shape.len() >= 2, "{function}: a shape [out, in, …] is needed, not {shape:?}");
            }
        }
    }

    fn draws(self, shape: &[usize]) -> Draws {
        let [fan_in, fan_out] = fans(shape);
        let uniform = |half: f64| Draws::Uniform { centre: 0.0, half };
        let normal = |std: f64| Draws::Normal { mean: 0.0, std };
        match self {
            Self::Zeros | Self::Orthogonal { .. } => Draws::Constant(0.0),
            Self::Constant(value) => Draws::Constant(value),
            Self::Uniform { low, high } => {
                Draws::Uniform { centre: low / 2.0 + high / 2.0, half: high / 2.0 - low / 2.0 }
            }
            Self::Normal { mean, std } => Draws::Normal { mean, std },
            Self::TruncatedNormal { mean, std, low, high } => Draws::Truncated { mean, std, low, high },
            Self::XavierUniform { gain } => uniform(gain * (6.0 / (fan_in + fan_out)).sqrt()),
            Self::XavierNormal { gain } => normal(gain * (2.0 / (fan_in + fan_out)).sqrt()),
            Self::KaimingUniform { gain } => uniform(gain * (3.0 / fan_in).sqrt()),
            Self::KaimingNormal { gain } => normal(gain / fan_in.sqrt()),
            Self::KaimingUniformOut { gain } => uniform(gain * (3.0 / fan_out).sqrt()),
            Self::KaimingNormalOut { gain } => normal(gain / fan_out.sqrt()),
        }
    }
}

#[track_caller]
fn finite(function: &str, name: &str, value: f64) {
    assert!(value.is_finite(), "{function}: a finite {name} is needed, not {value}");
}

/// How many numbers go into an output and how many outputs a number goes into, of a weight `[out, in, …]`.
fn fans(shape: &[usize]) -> [f64; 2] {
    let &[fan_out, fan_in, ref field @ ..] = shape else { return [1.0; 2] };
    let field: f64 = field.iter().map(|&size| size as f64).product();
    [fan_in as f64 * field, fan_out as f64 * field]
}

/// What single numbers are drawn from.
enum Draws {
    Constant(f64),
    Uniform { centre: f64, half: f64 },
    Normal { mean: f64, std: f64 },
    Truncated { mean: f64, std: f64, low: f64, high: f64 },
}

impl Draws {
    fn draw(&self, rng: &mut impl Rng) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform { centre, half } => centre + half * (2.0 * rng.random::<f64>() - 1.0),
            Self::Normal { mean, std } => mean + std * rng.sample::<f64, _>(StandardNormal),
            Self::Truncated { mean, std, low, high } => loop {
                let drawn = mean + std * rng.sample::<f64, _>(StandardNormal);
                if (low..=high).contains(&drawn) {
                    return drawn;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    /// 200 numbers go into each of 300 outputs.
    const SHAPE: [usize; 2] = [300, 200];

    /// Mean, variance and largest magnitude of a sample.
    fn moments(init: Init) -> (f64, f64, f64) {
        let sample: Tensor<f64> = init.sample(SHAPE, &mut generator(11));
        let n = sample.numel() as f64;
        let mean = sample.as_slice().iter().sum::<f64>() / n;
        let variance = sample.as_slice().iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (mean, variance, sample.as_slice().iter().fold(0.0, |a, x| a.max(x.abs())))
    }

    #[test]
    fn means_variances_and_bounds_are_those_of_the_papers() {
        let n = (SHAPE[0] * SHAPE[1]) as f64;
        // The fourth moment over the squared variance: 9/5 for a uniform distribution, 3 for a normal one.
        let (uniform, normal) = (1.8, 3.0);
        let rows = [
            (Init::XavierUniform { gain: 1.0 }, 2.0 / 500.0, uniform),
            (Init::XavierUniform { gain: 3.0 }, 9.0 * 2.0 / 500.0, uniform),
            (Init::XavierNormal { gain: 1.0 }, 2.0 / 500.0, normal),
            (Init::KaimingUniform { gain: 2_f64.sqrt() }, 2.0 / 200.0, uniform),
            (Init::KaimingNormal { gain: 2_f64.sqrt() }, 2.0 / 200.0, normal),
        ];
        for (init, variance, kurtosis) in rows {
            let (m, v, largest) = moments(init);
            assert!(m.abs() < 4.0 * (variance / n).sqrt(), "{init:?}: mean {m}");
            let spread = variance * ((kurtosis - 1.0) / n).sqrt();
            assert!((v - variance).abs() < 4.0 * spread, "{init:?}: variance {v}, not {variance}");
            let bound = (3.0 * variance).sqrt();
            if kurtosis == uniform {
                // The largest of 60,000 numbers is within 0.1 % of the bound, but for once in e^60 seeds.
                assert!(largest <= bound && largest > 0.999 * bound, "{init:?}: bound {bound}, largest {largest}");
            } else {
                assert!(largest > 2.0 * bound, "{init:?}: a normal distribution has tails, largest {largest}");
            }
        }
    }

    #[test]
    fn a_normal_sample_has_normal_tails() {
        let sample: Tensor<f64> = Init::KaimingNormal { gain: 1.0 }.sample(SHAPE, &mut generator(5));
        let sigma = 1.0 / 200_f64.sqrt();
        let within = sample.as_slice().iter().filter(|x| x.abs() < sigma).count() as f64 / sample.numel() as f64;
        assert!((within - 0.6827).abs() < 0.008, "{within} of the numbers are within one σ");
    }

    #[test]
    fn constants_draw_nothing() {
        let rng = &mut generator(0);
        assert_eq!(Init::Zeros.sample::<f64>([2], rng), Tensor::zeros([2]));
        assert_eq!(Init::Constant(0.5).sample::<f32>([1, 2], rng), Tensor::full([1, 2], 0.5));
        assert_eq!(rng.next_u64(), generator(0).next_u64());
    }

    #[test]
    fn a_seed_gives_these_numbers_on_every_run() {
        let uniform: Tensor<f64> = Init::XavierUniform { gain: 1.0 }.sample([2, 2], &mut generator(42));
        let normal: Tensor<f64> = Init::KaimingNormal { gain: 1.0 }.sample([2, 2], &mut generator(42));
        assert_eq!(
            uniform.as_slice(),
            [0.44555285730650807, 1.1029449925212633, -0.17754782772298303, 0.3119682903084046]
        );
        assert_eq!(
            normal.as_slice(),
            [0.3379837749179509, 0.9433303750765868, -0.14910526166726143, 0.3368281400225692]
        );
        let narrow: Tensor<f32> = Init::KaimingNormal { gain: 1.0 }.sample([2, 2], &mut generator(42));
        assert_eq!(narrow, normal.cast());
    }

    #[test]
    fn sizes_that_no_buffer_has_are_named() {
        // 2^64 elements, which wrap to none.
        let panic = std::panic::catch_unwind(|| Init::Zeros.sample::<f64>([1 << 33, 1 << 31], &mut generator(0)));
        let text = panic.unwrap_err().downcast::<String>().unwrap();
        assert!(text.starts_with("Init::sample: from_fn: [8589934592, 2147483648] is too large"), "{text}");
        assert!(text.contains("init.rs:"), "{text}");
    }

    #[test]
    fn a_layer_without_inputs_has_no_weights() {
        assert_eq!(Init::KaimingNormal { gain: 1.0 }.sample::<f64>([3, 0], &mut generator(0)).numel(), 0);
    }

    #[test]
    fn fans_of_a_convolution_count_its_field() {
        assert_eq!(fans(&[6, 4, 3, 3]), [36.0, 54.0]);
        assert_eq!(fans(&[6, 4, 3]), [12.0, 18.0]);
    }

    #[test]
    fn truncated_numbers_stay_within_their_range_with_the_moments_of_what_is_left() {
        // Mean and variance of a normal distribution cut to a range, by its density and distribution function.
        let init = Init::TruncatedNormal { mean: 0.5, std: 1.5, low: -1.0, high: 1.0 };
        let (mean, variance, largest) = moments(init);
        assert!((mean - 0.06957556943442).abs() < 0.01, "{mean}");
        assert!((variance - 0.3112582704850845).abs() < 0.01, "{variance}");
        assert!(largest <= 1.0);
    }

    #[test]
    fn an_orthogonal_matrix_has_orthonormal_rows_or_columns() {
        for (shape, gain) in
            [(&[5, 5][..], 1.0), (&[4, 9], 1.0), (&[9, 4], 1.5), (&[6, 2, 3], 2.0), (&[1, 1], 1.0), (&[0, 3], 1.0)]
        {
            let weight: Tensor = Init::Orthogonal { gain }.sample(shape, &mut generator(3));
            let (rows, columns) = (shape[0], shape[1..].iter().product::<usize>());
            let at = |i: usize, j: usize| weight.as_slice()[i * columns + j] / gain;
            let (lines, length) = (rows.min(columns), rows.max(columns));
            for (a, b) in (0..lines).flat_map(|a| (0..lines).map(move |b| (a, b))) {
                let entry = |line: usize, i: usize| if rows <= columns { at(line, i) } else { at(i, line) };
                let product: f64 = (0..length).map(|i| entry(a, i) * entry(b, i)).sum();
                assert!((product - f64::from(u8::from(a == b))).abs() < 1e-12, "{shape:?}: {a} {b} {product}");
            }
        }
    }
}
