//! Constants and bit patterns of `f32`. The coefficients are minimax fits of the relative error (Remez exchange in 50
//! digits), rounded to `f32`.

use super::Format;
use super::bases::Base;
use super::cardinal::Cardinal;
use super::error_function::Ratio;
use super::hyperbolic::Hyperbolic;
use super::inverse::Inverse;
use super::normal;
use super::plane::Plane;
use super::power::Power;
use super::trigonometric::Circular;

impl Format for f32 {
    const ROUND: Self = 12582912.0;
    const LOG2_E: Self = std::f32::consts::LOG2_E;
    // 15 bits, and the rest.
    const LN_2: [Self; 2] = [0.69314575, 1.4286068e-6];
    // 4·e^−106 < 2^−150, half the smallest number; e^89 > 2^128.
    const EXP_RANGE: [Self; 2] = [-106.0, 89.0];
    const SATURATED: Self = 20.0;
    // 2^−25
    const TINY: Self = 2.9802322e-8;
    // Error 2^−28.3 of e^r.
    const EXP: &'static [Self] = &[0.49999994, 0.16666521, 0.04166839, 0.008368745, 0.0013814539];
    // Error 2^−30.2 of the logarithm.
    const LN: &'static [Self] = &[0.66666776, 0.39977497, 0.29873073];
    // Error 2^−28.9 of tanh x.
    const TANH: [&'static [Self]; 2] = [&[-0.3333332, -0.0015502487], &[1.0, 0.40464264]];

    // Error 2^−29.5 of erf x.
    const ERF: &'static [Self] = &[0.12837917, -0.37612608, 0.112828225, -0.026757184, 0.0047179903];
    // Error 2^−28.4.
    const ERFC: Ratio<Self> = Ratio {
        scale: 2.0,
        main: 1.140625,
        rest: [
            &[-0.140625, 0.5332483, 0.49030536, 0.19647548, 0.0327252, -0.00082876836],
            &[1.0, 2.4062076, 2.4905107, 1.4087579, 0.44594285, 0.06771802],
        ],
    };
    // Error 2^−28.7.
    const EXCESS: [&'static [Self]; 2] = normal::EXCESS_OF_SINGLE;
    const NORMAL: Ratio<Self> = Ratio {
        scale: 1.0,
        main: 0.46875,
        rest: [
            &[0.031249998, 0.15447392, 0.06307209, 0.005265997, -0.0029939206, -0.00087008066],
            &[1.0, 1.7093145, 1.2568554, 0.50593966, 0.11409757, 0.012464363],
        ],
    };
    const ERFC_VANISHES: Self = 10.5;
    const GELU_VANISHES: Self = 15.0;
    const GATE_VANISHES: Self = 112.0;
    const GELU_TANH_VANISHES: Self = 11.25;
    const GELU_TANH: [[Self; 2]; 2] = [[1.5957031, 6.59966e-5], [0.0713501, 4.7186163e-6]];

    #[inline(always)]
    fn power_of_two(shifted: Self) -> Self {
        Self::from_bits(shifted.to_bits().wrapping_sub(Self::ROUND.to_bits()).wrapping_add(127) << 23)
    }

    #[inline(always)]
    fn powers_of_two(shifted: Self) -> [Self; 2] {
        // Twice the bias keeps the exponent positive while it is halved.
        let k = shifted.to_bits().wrapping_sub(Self::ROUND.to_bits()).wrapping_add(2 * 127);
        let half = k >> 1;
        [Self::from_bits(half << 23), Self::from_bits((k - half) << 23)]
    }

    const SPAN: Self = 100.0;
    // 2^−64
    const LOWERED: Self = 5.421011e-20;

    #[inline(always)]
    fn raised_power_of_two(shifted: Self) -> Self {
        Self::from_bits(shifted.to_bits().wrapping_sub(Self::ROUND.to_bits()).wrapping_add(127 + 64) << 23)
    }

    #[inline(always)]
    fn upper(self) -> Self {
        Self::from_bits(self.to_bits() & 0xffff_f000)
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        const SQRT_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
        let denormal = self < Self::MIN_POSITIVE;
        let x = if denormal { self * 16777216.0 } else { self };
        let bias = if denormal { 127.0 + 24.0 } else { 127.0 };
        let bits = x.to_bits().wrapping_add(1_f32.to_bits() - SQRT_HALF);
        let k = Self::from_bits(Self::ROUND.to_bits() + (bits >> 23)) - (Self::ROUND + bias);
        (k, Self::from_bits((bits & 0x007f_ffff) + SQRT_HALF))
    }
}

impl Circular for f32 {
    const NEAR: Self = 3000.0;
    const QUARTERS: Self = std::f32::consts::FRAC_2_PI;
    // 13 bits three times, and the rest.
    const QUARTER: &'static [Self] = &[1.5708008, -4.454516e-6, 6.0765615e-11, 5.390303e-15];
    // Error 2^−26.8 of sin r.
    const SIN: &'static [Self] = &[-0.16666655, 0.008332159, -0.00019515153];
    // Error 2^−32.5 of cos r.
    const COS: &'static [Self] = &[0.041666646, -0.0013887315, 2.4433008e-5];

    #[inline(always)]
    fn is_odd(shifted: Self) -> bool {
        shifted.to_bits() & 1 != 0
    }

    #[inline(always)]
    fn turn(y: Self, shifted: Self) -> Self {
        Self::from_bits(y.to_bits() ^ ((shifted.to_bits() & 2) << 30))
    }
}

impl Hyperbolic for f32 {
    const END: Self = 89.6;
    // Error 2^−28.1 of ln cosh x.
    const LN_COSH: &'static [Self] =
        &[-0.0833333, 0.022221496, -0.0067399885, 0.0021618267, -0.0006801885, 0.00017676128, -2.5777212e-5];
    // Error 2^−25.0.
    const TANHSHRINK: [&'static [Self]; 2] =
        [&[0.33333334, 0.020512821, 0.0001998002], &[1.0, 0.46153846, 0.023310022, 0.0002072002]];
    // Error 2^−27.4 of artanh s.
    const ATANH: &'static [Self] = &[0.3333321, 0.20010768, 0.14000838, 0.14006338];
}

impl Inverse for f32 {
    #[allow(clippy::approx_constant, reason = "a part of it")]
    const EIGHTH: [Self; 2] = [0.785398, 1.5695824e-7];
    // Error 2^−27.4 of arcsin s.
    const ASIN: &'static [Self] = &[0.16666752, 0.074952975, 0.045470383, 0.024179481, 0.042166363];
    // Error 2^−28.4 of arctan t.
    const ATAN: &'static [Self] = &[-0.33333316, 0.1999847, -0.14243487, 0.10593451, -0.060772564];
}

impl Plane for f32 {
    // 2^50
    const WIDE: Self = 1125899906842624.0;
    // 2^±100
    const RAISED: [Self; 2] = [1.2676506e30, 7.888609e-31];
}

impl Power for f32 {
    // Error 2^−36.6 of the logarithm.
    const POWER: &'static [Self] = &[0.6000023, 0.42820686, 0.35128236];
    const TWO_THIRDS: [Self; 2] = [0.66674805, -8.138021e-5];
    // 2^24
    const EVEN: Self = 16777216.0;
    // 2^40
    const STEEP: Self = 1099511627776.0;

    #[inline(always)]
    fn ends_odd(self) -> bool {
        self.to_bits() & 1 != 0
    }
}

impl Base for f32 {
    const EXP2_RANGE: [Self; 2] = [-152.0, 129.0];
    const LOG10_E: [Self; 2] = [0.4342041, 9.038034e-5];
    const LOG10_2: [Self; 2] = [0.3010254, 4.605039e-6];
    // Error 2^−10.6.
    const CBRT: &'static [Self] = &[0.55370563, 0.55366206, -0.10747694];
}

impl Cardinal for f32 {
    // Errors 2^−26.3, 2^−27.1 and less than an ulp.
    const SINC: [&'static [Self]; 3] = [
        &[-1.6449333, 0.8117164, -0.19044732, 0.024724886],
        &[-3.289868, 3.246969, -1.1444888, 0.20893975, -0.022359],
        &[-3.289868, 9.740909, -5.7225523, 1.4642406, -0.21086329, 0.018623639],
    ];
}
