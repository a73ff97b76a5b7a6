//! The one source of random numbers: a named generator, so that a seed means the same numbers on every machine.

use rand::SeedableRng;

/// The random generator of this crate: `ChaCha` with 8 rounds (Bernstein, 2008), whose numbers do not depend on the
/// platform.
pub type Generator = rand::rngs::ChaCha8Rng;

/// A generator from a seed.
///
/// ```
/// use rand::Rng;
/// assert_eq!(nn::generator(7).next_u64(), nn::generator(7).next_u64());
/// assert_ne!(nn::generator(7).next_u64(), nn::generator(8).next_u64());
/// ```
pub fn generator(seed: u64) -> Generator {
    stream(seed, Purpose::Init)
}

/// What random numbers are for. One seed gives independent numbers for each, so a net and the order of its examples
/// may share a seed.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Init,
    Split,
    Shuffle,
    Synthetic,
    /// The order of the examples in an epoch.
    Epoch(u32),
    /// The settings that are tried at random, by their place.
    Settings(u32),
}

/// The numbers of a seed for a purpose: the generator's own streams keep them apart.
pub(crate) fn stream(seed: u64, purpose: Purpose) -> Generator {
    let mut generator = Generator::seed_from_u64(seed);
    generator.set_stream(match purpose {
        Purpose::Init => 0,
        Purpose::Split => 1,
        Purpose::Shuffle => 2,
        Purpose::Synthetic => 3,
        Purpose::Epoch(epoch) => (1 << 32) + u64::from(epoch),
        Purpose::Settings(place) => (2 << 32) + u64::from(place),
    });
    generator
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn purposes_have_numbers_of_their_own() {
        let purposes = [
            Purpose::Init,
            Purpose::Split,
            Purpose::Shuffle,
            Purpose::Synthetic,
            Purpose::Epoch(0),
            Purpose::Epoch(1),
            Purpose::Epoch(u32::MAX),
            Purpose::Settings(0),
            Purpose::Settings(1),
        ];
        let mut first = purposes.map(|purpose| stream(3, purpose).next_u64()).to_vec();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), purposes.len());
    }
}
