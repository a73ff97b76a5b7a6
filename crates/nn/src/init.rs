//! Initial values of weights, scaled so that signals keep their size from layer to layer.

use autograd::{Float, Tensor};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// How a weight matrix `[fan_in, fan_out]` is first filled. Uniform ranges are `[−a, a)`, normal ones have mean 0.
///
/// ```
/// use autograd::Tensor;
/// use nn::{Init, generator};
/// let weight: Tensor = Init::XavierUniform { gain: 1.0 }.sample([4, 2], &mut generator(0));
/// assert_eq!(weight.shape()[..], [4, 2]);
/// assert!(weight.as_slice().iter().all(|w| w.abs() <= 1.0)); // a = √(6 / (4 + 2))
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All zeros, as for biases.
    Zeros,
    /// All the same number.
    Constant(f64),
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
}

impl Init {
    /// A weight matrix `[fan_in, fan_out]`. The numbers are drawn in `f64` and row-major order, so one seed gives the
    /// same net in `f32` as in `f64`, rounded.
    ///
    /// # Panics
    /// Where the gain is not finite, or the sizes are too large for any buffer, or for the memory.
    #[track_caller]
    pub fn sample<T: Float>(self, fans: [usize; 2], rng: &mut impl Rng) -> Tensor<T> {
        match self.try_sample("Init::sample", fans, rng) {
            Ok(weight) => weight,
            Err(error) => panic!("Init::sample: {error}"),
        }
    }

    #[track_caller]
    pub(crate) fn try_sample<T: Float>(
        self,
        function: &str,
        [fan_in, fan_out]: [usize; 2],
        rng: &mut impl Rng,
    ) -> Result<Tensor<T>, autograd::Error> {
        if let Self::XavierUniform { gain }
        | Self::XavierNormal { gain }
        | Self::KaimingUniform { gain }
        | Self::KaimingNormal { gain } = self
        {
            assert!(gain.is_finite(), "{function}: a finite gain is needed, not {gain}");
        }
        let fans = fan_in as f64 + fan_out as f64;
        let distribution = match self {
            Self::Zeros => Distribution::Constant(0.0),
            Self::Constant(value) => Distribution::Constant(value),
            Self::XavierUniform { gain } => Distribution::Uniform(gain * (6.0 / fans).sqrt()),
            Self::XavierNormal { gain } => Distribution::Normal(gain * (2.0 / fans).sqrt()),
            Self::KaimingUniform { gain } => Distribution::Uniform(gain * (3.0 / fan_in as f64).sqrt()),
            Self::KaimingNormal { gain } => Distribution::Normal(gain / (fan_in as f64).sqrt()),
        };
        Tensor::try_from_fn([fan_in, fan_out], |_| T::of(distribution.draw(rng)))
    }
}

/// A number, the half-width of a range around 0, or a standard deviation around 0.
enum Distribution {
    Constant(f64),
    Uniform(f64),
    Normal(f64),
}

impl Distribution {
    fn draw(&self, rng: &mut impl Rng) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform(a) => a * (2.0 * rng.random::<f64>() - 1.0),
            Self::Normal(sigma) => sigma * rng.sample::<f64, _>(StandardNormal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator;

    const FANS: [usize; 2] = [200, 300];

    /// Mean, variance and largest magnitude of a sample.
    fn moments(init: Init) -> (f64, f64, f64) {
        let sample: Tensor<f64> = init.sample(FANS, &mut generator(11));
        let n = sample.numel() as f64;
        let mean = sample.as_slice().iter().sum::<f64>() / n;
        let variance = sample.as_slice().iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (mean, variance, sample.as_slice().iter().fold(0.0, |a, x| a.max(x.abs())))
    }

    #[test]
    fn means_variances_and_bounds_are_those_of_the_papers() {
        let n = (FANS[0] * FANS[1]) as f64;
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
        let sample: Tensor<f64> = Init::KaimingNormal { gain: 1.0 }.sample(FANS, &mut generator(5));
        let sigma = 1.0 / 200_f64.sqrt();
        let within = sample.as_slice().iter().filter(|x| x.abs() < sigma).count() as f64 / sample.numel() as f64;
        assert!((within - 0.6827).abs() < 0.008, "{within} of the numbers are within one σ");
    }

    #[test]
    fn constants_draw_nothing() {
        let rng = &mut generator(0);
        assert_eq!(Init::Zeros.sample::<f64>([2, 1], rng), Tensor::zeros([2, 1]));
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
        assert_eq!(Init::KaimingNormal { gain: 1.0 }.sample::<f64>([0, 3], &mut generator(0)).numel(), 0);
    }
}
