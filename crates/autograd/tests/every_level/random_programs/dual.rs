//! Numbers that carry derivatives: sums of products of infinitesimals `ε₀, ε₁, …`, each of which has the square 0.

/// The coefficient of the product of the infinitesimals in a set stands at the set's bits. A number of `2^k` coefficients
/// has none of the infinitesimals from `ε_k` on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dual(Vec<f64>);

impl Dual {
    pub(crate) fn real(x: f64) -> Self {
        Self(vec![x])
    }

    /// The part without infinitesimals.
    pub(crate) fn value(&self) -> f64 {
        self.0[0]
    }

    /// `direction · ε_k`, where the direction has no `ε_k`.
    pub(crate) fn along(direction: &Self, k: usize) -> Self {
        let mut all = vec![0.0; 1 << k];
        all.extend(direction.padded(1 << k));
        Self(all)
    }

    /// The coefficient of `ε_k`, the last of the infinitesimals.
    pub(crate) fn coefficient(&self, k: usize) -> Self {
        if self.0.len() <= 1 << k { Self::real(0.0) } else { Self(self.0[1 << k..].to_vec()) }
    }

    fn padded(&self, len: usize) -> Vec<f64> {
        let mut all = self.0.clone();
        all.resize(len.max(all.len()), 0.0);
        all
    }

    /// `a + ε b`, taken apart at the last of the infinitesimals.
    fn halves(&self) -> Option<(Self, Self)> {
        let half = self.0.len() / 2;
        (half > 0).then(|| (Self(self.0[..half].to_vec()), Self(self.0[half..].to_vec())))
    }

    fn join(a: &Self, b: &Self, half: usize) -> Self {
        let mut all = a.padded(half);
        all.extend(b.padded(half));
        Self(all)
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let len = self.0.len().max(other.0.len());
        Self(self.padded(len).iter().zip(other.padded(len)).map(|(a, b)| a + b).collect())
    }

    pub(crate) fn scale(&self, factor: f64) -> Self {
        Self(self.0.iter().map(|a| a * factor).collect())
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        self.add(&other.scale(-1.0))
    }

    pub(crate) fn plus(&self, x: f64) -> Self {
        self.add(&Self::real(x))
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let len = self.0.len().max(other.0.len());
        match (Self(self.padded(len)).halves(), Self(other.padded(len)).halves()) {
            (Some((a, da)), Some((b, db))) => Self::join(&a.mul(&b), &a.mul(&db).add(&da.mul(&b)), len / 2),
            _ => Self::real(self.0[0] * other.0[0]),
        }
    }

    /// `f(a + ε b) = f(a) + ε f′(a) b`
    fn lift(&self, f: impl Fn(f64) -> f64, slope: impl Fn(&Self) -> Self) -> Self {
        self.lift_by(&f, &slope)
    }

    fn lift_by(&self, f: &dyn Fn(f64) -> f64, slope: &dyn Fn(&Self) -> Self) -> Self {
        match self.halves() {
            None => Self::real(f(self.0[0])),
            Some((a, b)) => Self::join(&a.lift_by(f, slope), &slope(&a).mul(&b), self.0.len() / 2),
        }
    }

    pub(crate) fn sin(&self) -> Self {
        self.lift(f64::sin, Self::cos)
    }

    pub(crate) fn cos(&self) -> Self {
        self.lift(f64::cos, |x| x.sin().scale(-1.0))
    }

    pub(crate) fn exp(&self) -> Self {
        self.lift(f64::exp, Self::exp)
    }

    pub(crate) fn reciprocal(&self) -> Self {
        self.lift(f64::recip, |x| {
            let y = x.reciprocal();
            y.mul(&y).scale(-1.0)
        })
    }

    pub(crate) fn ln(&self) -> Self {
        self.lift(f64::ln, Self::reciprocal)
    }

    pub(crate) fn sqrt(&self) -> Self {
        self.lift(f64::sqrt, |x| x.sqrt().reciprocal().scale(0.5))
    }

    pub(crate) fn tanh(&self) -> Self {
        self.lift(f64::tanh, |x| {
            let y = x.tanh();
            y.mul(&y).scale(-1.0).plus(1.0)
        })
    }

    pub(crate) fn sigmoid(&self) -> Self {
        self.scale(0.5).tanh().plus(1.0).scale(0.5)
    }

    pub(crate) fn square(&self) -> Self {
        self.mul(self)
    }

    /// Its positive part, and 0 with slope 0 where it is not positive.
    pub(crate) fn relu(&self) -> Self {
        if self.value() > 0.0 { self.clone() } else { Self::real(self.value().max(0.0)) }
    }

    /// Its absolute value, with slope 0 at 0.
    pub(crate) fn abs(&self) -> Self {
        let sign = if self.value() == 0.0 { 0.0 } else { self.value().signum() };
        self.scale(sign)
    }
}
