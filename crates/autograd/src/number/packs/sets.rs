//! The instruction sets that have packs.

/// Vectors of 256 bits.
pub(crate) mod single256 {
    use super::super::*;
    pack!(f32 i32, __m256 8, __m256;
        load _mm256_loadu_ps, store _mm256_storeu_ps, splat _mm256_set1_ps,
        arithmetic _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_sqrt_ps,
        bits _mm256_and_ps _mm256_andnot_ps _mm256_or_ps _mm256_xor_ps,
        integers _mm256_castps_si256 _mm256_castsi256_ps _mm256_add_epi32 _mm256_sub_epi32 _mm256_slli_epi32
            _mm256_srli_epi32 _mm256_set1_epi32,
        compare |a, b| _mm256_cmp_ps::<_CMP_LT_OQ>(a, b), _mm256_cmp_ps::<_CMP_LE_OQ>(a, b),
            _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b), _mm256_cmp_ps::<_CMP_UNORD_Q>(a, b);
        |x| x;
        // A mask is its sign bits.
        masks |a, b| _mm256_and_ps(a, b), _mm256_or_ps(a, b), _mm256_xor_ps(a, b), _mm256_xor_ps(a, _mm256_set1_ps(-0.0));
        |holds, a, b| _mm256_blendv_ps(b, a, holds));
}
/// The same of the wide number type.
pub(crate) mod double256 {
    use super::super::*;
    pack!(f64 i64, __m256d 4, __m256d;
        load _mm256_loadu_pd, store _mm256_storeu_pd, splat _mm256_set1_pd,
        arithmetic _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd _mm256_sqrt_pd,
        bits _mm256_and_pd _mm256_andnot_pd _mm256_or_pd _mm256_xor_pd,
        integers _mm256_castpd_si256 _mm256_castsi256_pd _mm256_add_epi64 _mm256_sub_epi64 _mm256_slli_epi64
            _mm256_srli_epi64 _mm256_set1_epi64x,
        compare |a, b| _mm256_cmp_pd::<_CMP_LT_OQ>(a, b), _mm256_cmp_pd::<_CMP_LE_OQ>(a, b),
            _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b), _mm256_cmp_pd::<_CMP_UNORD_Q>(a, b);
        |x| x;
        masks |a, b| _mm256_and_pd(a, b), _mm256_or_pd(a, b), _mm256_xor_pd(a, b), _mm256_xor_pd(a, _mm256_set1_pd(-0.0));
        |holds, a, b| _mm256_blendv_pd(b, a, holds));
}
/// Vectors of 512 bits.
pub(crate) mod single512 {
    use super::super::*;
    pack!(f32 i32, __m512 16, __mmask16;
        load _mm512_loadu_ps, store _mm512_storeu_ps, splat _mm512_set1_ps,
        arithmetic _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_sqrt_ps,
        bits _mm512_and_ps _mm512_andnot_ps _mm512_or_ps _mm512_xor_ps,
        integers _mm512_castps_si512 _mm512_castsi512_ps _mm512_add_epi32 _mm512_sub_epi32 _mm512_slli_epi32
            _mm512_srli_epi32 _mm512_set1_epi32,
        compare |a, b| _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b),
            _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b), _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b);
        |x| _mm512_movepi32_mask(_mm512_castps_si512(x));
        masks |a, b| a & b, a | b, a ^ b, !a;
        |holds, a, b| _mm512_mask_blend_ps(holds, b, a));
}
/// The same of the wide number type.
pub(crate) mod double512 {
    use super::super::*;
    pack!(f64 i64, __m512d 8, __mmask8;
        load _mm512_loadu_pd, store _mm512_storeu_pd, splat _mm512_set1_pd,
        arithmetic _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_sqrt_pd,
        bits _mm512_and_pd _mm512_andnot_pd _mm512_or_pd _mm512_xor_pd,
        integers _mm512_castpd_si512 _mm512_castsi512_pd _mm512_add_epi64 _mm512_sub_epi64 _mm512_slli_epi64
            _mm512_srli_epi64 _mm512_set1_epi64,
        compare |a, b| _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b), _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b),
            _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b), _mm512_cmp_pd_mask::<_CMP_UNORD_Q>(a, b);
        |x| _mm512_movepi64_mask(_mm512_castpd_si512(x));
        masks |a, b| a & b, a | b, a ^ b, !a;
        |holds, a, b| _mm512_mask_blend_pd(holds, b, a));
}
