//! Constants and bit patterns of `f32`. The coefficients are minimax fits of the relative error (Remez exchange in 50
//! digits), rounded to `f32`.

use super::Format;
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
