//! Constants and bit patterns of `f64`. The coefficients are minimax fits of the relative error (Remez exchange in 50
//! digits), rounded to `f64`.

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

impl Format for f64 {
    const ROUND: Self = 6755399441055744.0;
    const LOG2_E: Self = std::f64::consts::LOG2_E;
    // 41 bits, and the rest.
    const LN_2: [Self; 2] = [0.693147180559663, 2.8235290563031577e-13];
    // 4·e^−748 < 2^−1075, half the smallest number; e^710 > 2^1024.
    const EXP_RANGE: [Self; 2] = [-748.0, 710.0];
    const SATURATED: Self = 40.0;
    // 2^−54
    const TINY: Self = 5.551115123125783e-17;
    // Error 2^−57.9 of e^r.
    const EXP: &'static [Self] = &[
        0.5000000000000011,
        0.1666666666666641,
        0.041666666666529725,
        0.008333333333494983,
        0.0013888888943760025,
        0.0001984126950576129,
        2.4801492949554984e-5,
        2.7557586815025555e-6,
        2.7630306281255606e-7,
        2.500001530175319e-8,
    ];
    // Error 2^−59.5 of the logarithm.
    const LN: &'static [Self] = &[
        0.6666666666666735,
        0.3999999999941109,
        0.28571428743262883,
        0.22222198475961874,
        0.18183569741235744,
        0.15313903206532364,
        0.1479750814198129,
    ];
    // Error 2^−62.7 of tanh x.
    const TANH: [&'static [Self]; 2] = [
        &[-0.3333333333333333, -0.02049986310774559, -0.0001992251960499968],
        &[1.0, 0.4614995893232316, 0.023292749412790633, 0.0002065842439784795],
    ];

    // Error 2^−57.8 of erf x.
    const ERF: &'static [Self] = &[
        0.12837916709551256,
        -0.37612638903183465,
        0.11283791670924816,
        -0.026866170632716322,
        0.005223977370332408,
        -0.0008548297524748163,
        0.00012053324323886661,
        -1.4845583855143466e-5,
        1.4723215353508247e-6,
    ];
    // Error 2^−58.0.
    const ERFC: Ratio<Self> = Ratio {
        scale: 2.0,
        main: 1.140625,
        rest: [
            &[
                -0.1406249999470797,
                0.38957909049075373,
                0.9610686657850909,
                0.9551556136028392,
                0.5742237459411128,
                0.23232990621434718,
                0.06504800161675038,
                0.012323413548796224,
                0.0014328790695622205,
                7.139501579392094e-5,
                -2.443614588182939e-6,
            ],
            &[
                1.0,
                3.427852383971816,
                5.475275075514721,
                5.382921527727029,
                3.620501960237811,
                1.7486545321474474,
                0.6177700743519561,
                0.15883919227868123,
                0.028753444475804493,
                0.0033633571541683616,
                0.00019954662187471575,
            ],
        ],
    };
    // Error 2^−57.1.
    const EXCESS: [&'static [Self]; 2] = normal::EXCESS_OF_DOUBLE;
    const NORMAL: Ratio<Self> = Ratio {
        scale: 1.0,
        main: 0.46875,
        rest: [
            &[
                0.03125,
                0.17803841379595733,
                0.18874668331413227,
                0.10043593170547639,
                0.030768118023091446,
                0.004650928020737768,
                -0.00030320161882738,
                -0.0003371896062169088,
                -8.628195953427369e-5,
                -1.2462349481031805e-5,
                -1.0522382246138888e-6,
                -4.199324141809838e-8,
            ],
            &[
                1.0,
                2.4633822143164807,
                2.839845588386316,
                2.0265643892972003,
                0.9970837138533216,
                0.35614957034722394,
                0.09456298412213811,
                0.018742278054296072,
                0.0027319341520438945,
                0.00028087526321618196,
                1.851119461760542e-5,
                6.015558402366992e-7,
            ],
        ],
    };
    const ERFC_VANISHES: Self = 27.5;
    const GELU_VANISHES: Self = 39.5;
    const GATE_VANISHES: Self = 756.0;
    const GELU_TANH_VANISHES: Self = 22.0;
    const GELU_TANH: [[Self; 2]; 2] =
        [[1.5957691073417664, 1.426396435433791e-8], [0.071354815736413, 5.361872467621785e-10]];

    #[inline(always)]
    fn power_of_two(shifted: Self) -> Self {
        Self::from_bits(shifted.to_bits().wrapping_sub(Self::ROUND.to_bits()).wrapping_add(1023) << 52)
    }

    #[inline(always)]
    fn powers_of_two(shifted: Self) -> [Self; 2] {
        // Twice the bias keeps the exponent positive while it is halved.
        let k = shifted.to_bits().wrapping_sub(Self::ROUND.to_bits()).wrapping_add(2 * 1023);
        let half = k >> 1;
        [Self::from_bits(half << 52), Self::from_bits((k - half) << 52)]
    }

    const SPAN: Self = 1000.0;
    // 2^−512
    const LOWERED: Self = 7.458340731200207e-155;

    #[inline(always)]
    fn raised_power_of_two(shifted: Self) -> Self {
        Self::from_bits(shifted.to_bits().wrapping_sub(Self::ROUND.to_bits()).wrapping_add(1023 + 512) << 52)
    }

    #[inline(always)]
    fn upper(self) -> Self {
        Self::from_bits(self.to_bits() & 0xffff_ffff_f800_0000)
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
        let denormal = self < Self::MIN_POSITIVE;
        let x = if denormal { self * 18014398509481984.0 } else { self };
        let bias = if denormal { 1023.0 + 54.0 } else { 1023.0 };
        let bits = x.to_bits().wrapping_add(1_f64.to_bits() - SQRT_HALF);
        let k = Self::from_bits(Self::ROUND.to_bits() + (bits >> 52)) - (Self::ROUND + bias);
        (k, Self::from_bits((bits & 0x000f_ffff_ffff_ffff) + SQRT_HALF))
    }
}

impl Circular for f64 {
    const NEAR: Self = 1e5;
    const QUARTERS: Self = std::f64::consts::FRAC_2_PI;
    // 37 bits twice, and the rest.
    const QUARTER: &'static [Self] = &[1.5707963267923333, 2.5633441515839558e-12, 1.0562999066987428e-23];
    // Error 2^−56.4 of sin r.
    const SIN: &'static [Self] = &[
        -0.1666666666666663,
        0.008333333333322096,
        -0.00019841269829570663,
        2.755731361460804e-6,
        -2.5050746667957545e-8,
        1.5896164835606936e-10,
    ];
    // Error 2^−59.6 of cos r.
    const COS: &'static [Self] = &[
        0.041666666666666595,
        -0.0013888888888873025,
        2.480158728883109e-5,
        -2.7557314173182724e-7,
        2.0875699990146745e-9,
        -1.1358491380792404e-11,
    ];

    #[inline(always)]
    fn is_odd(shifted: Self) -> bool {
        shifted.to_bits() & 1 != 0
    }

    #[inline(always)]
    fn turn(y: Self, shifted: Self) -> Self {
        Self::from_bits(y.to_bits() ^ ((shifted.to_bits() & 2) << 62))
    }
}

impl Hyperbolic for f64 {
    const END: Self = 710.6;
    // Error 2^−56.5 of ln cosh x.
    const LN_COSH: &'static [Self] = &[
        -0.08333333333333315,
        0.022222222222205806,
        -0.0067460317454713144,
        0.002186948843546266,
        -0.0007386028511095295,
        0.000256579786340316,
        -9.098572177454166e-5,
        3.276522677261215e-5,
        -1.1919373662711794e-5,
        4.332438457616601e-6,
        -1.5293019522397734e-6,
        4.93293149720853e-7,
        -1.3109860896269295e-7,
        2.4391274506085538e-8,
        -2.2928072125462255e-9,
    ];
    // Error 2^−54.0.
    const TANHSHRINK: [&'static [Self]; 2] = [
        &[0.3333333333333333, 0.025396825396825397, 0.0005012531328320802, 3.1201564446441344e-6, 4.727509764612325e-9],
        &[
            1.0,
            0.47619047619047616,
            0.03007518796992481,
            0.0005503955968352253,
            3.2761642668763414e-6,
            4.800240684067899e-9,
        ],
    ];
    // Error 2^−58.6 of artanh s.
    const ATANH: &'static [Self] = &[
        0.33333333333333154,
        0.20000000000077633,
        0.14285714274048683,
        0.11111111977498209,
        0.09090872214700657,
        0.07693274745924905,
        0.06650553224186574,
        0.060525333643803886,
        0.041722118907587855,
        0.0850539956560039,
    ];
}

impl Inverse for f64 {
    #[allow(clippy::approx_constant, reason = "a part of it")]
    const EIGHTH: [Self; 2] = [0.7853981633974483, 3.061616997868383e-17];
    // Error 2^−55.8 of arcsin s.
    const ASIN: &'static [Self] = &[
        0.16666666666665408,
        0.07500000000337016,
        0.0446428568283247,
        0.030381959137118986,
        0.02237175804762322,
        0.017359704787984712,
        0.013885235414106465,
        0.01216921075185106,
        0.006527983900669242,
        0.019528230401577064,
        -0.016224183597590584,
        0.031912214187871095,
    ];
    // Error 2^−57.2 of arctan t.
    const ATAN: &'static [Self] = &[
        -0.333333333333332,
        0.1999999999995307,
        -0.1428571428014763,
        0.11111110781169146,
        -0.09090897695897103,
        0.0769205917909989,
        -0.066630929163092,
        0.05847812392724702,
        -0.05038974439365865,
        0.03805653913727559,
        -0.01789878917652678,
    ];
}

impl Plane for f64 {
    // 2^400
    const WIDE: Self = 2.5822498780869086e120;
    // 2^±800
    const RAISED: [Self; 2] = [6.668014432879854e240, 1.499696813895631e-241];
}

impl Power for f64 {
    // Error 2^−65.3 of the logarithm.
    const POWER: &'static [Self] = &[
        0.6000000000000338,
        0.4285714285514765,
        0.33333333780194646,
        0.27272676523089595,
        0.2308013728935428,
        0.19885196014110498,
        0.19794781874257383,
    ];
    const TWO_THIRDS: [Self; 2] = [0.6666666716337204, -4.967053731282552e-9];
    // 2^53
    const EVEN: Self = 9007199254740992.0;
    // 2^70
    const STEEP: Self = 1180591620717411303424.0;

    #[inline(always)]
    fn ends_odd(self) -> bool {
        self.to_bits() & 1 != 0
    }
}

impl Base for f64 {
    const EXP2_RANGE: [Self; 2] = [-1077.0, 1025.0];
    const LOG10_E: [Self; 2] = [0.4342944771051407, 4.798111141615973e-9];
    const LOG10_2: [Self; 2] = [0.30102999566395283, 2.8363394551044964e-14];
    // Error 2^−22.5.
    const CBRT: &'static [Self] = &[
        0.398357300957603,
        1.197052234806479,
        -1.1869995145105294,
        0.9710636161154882,
        -0.514842001440067,
        0.1557498129619676,
        -0.020381572293537445,
    ];
}

impl Cardinal for f64 {
    // Errors 2^−54.7, 2^−54.8 and 2^−54.9.
    const SINC: [&'static [Self]; 3] = [
        &[
            -1.6449340668482264,
            0.8117424252833401,
            -0.19075182412150105,
            0.026147847805457192,
            -0.002346080893742963,
            0.0001484278302906313,
            -6.972066907668273e-6,
            2.449926153198441e-7,
        ],
        &[
            -3.289868133696453,
            3.246969701133381,
            -1.144510944729746,
            0.20918278245447688,
            -0.02346080901009532,
            0.0017811341689740205,
            -9.76090181572755e-5,
            3.919473064097378e-6,
        ],
        &[
            -3.289868133696453,
            9.740909103400242,
            -5.722554723662355,
            1.4642794777820567,
            -0.2111472930619613,
            0.019592599253888072,
            -0.0012695996878430722,
            6.0713521424872544e-5,
            -2.1610084426270484e-6,
        ],
    ];
}
