//! Why training on several ranks stopped.

use std::fmt;

/// Why training on several ranks stopped. Each rank gets the same one, whichever of them met it.
#[derive(Debug)]
pub struct Error {
    /// The ranks that met it; all of them where the list is empty.
    pub ranks: Vec<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What can go wrong among ranks.
#[derive(Debug)]
#[non_exhaustive]
pub enum Kind {
    /// A rank has ended with this error, or could not do what was asked of all.
    Failed(String),
    /// A rank has panicked.
    Panicked(String),
    /// A rank has ended its work, while others go on.
    Finished,
    /// A rank does something else than the first one.
    Parted {
        /// What is not the same on both.
        what: &'static str,
    },
    /// A loss, or a parameter after a step, is not finite.
    Diverged {
        /// Which shard of the batch, from 0.
        shard: usize,
        /// Of how many.
        shards: usize,
        /// Where the number comes from.
        diverged: Box<nn::train::Diverged>,
    },
    /// What the crate `nn` found wrong, on all ranks alike.
    Nn(Box<nn::Error>),
}

impl Error {
    /// What all ranks found.
    pub(crate) fn of_all(kind: Kind) -> Self {
        Self { ranks: Vec::new(), kind }
    }

    /// A second copy, in words where it cannot be copied.
    pub(crate) fn again(&self) -> Self {
        let kind = match &self.kind {
            Kind::Failed(text) => Kind::Failed(text.clone()),
            Kind::Panicked(text) => Kind::Panicked(text.clone()),
            Kind::Finished => Kind::Finished,
            Kind::Parted { what } => Kind::Parted { what },
            Kind::Diverged { shard, shards, diverged } => {
                Kind::Diverged { shard: *shard, shards: *shards, diverged: diverged.clone() }
            }
            Kind::Nn(error) => Kind::Failed(error.to_string()),
        };
        Self { ranks: self.ranks.clone(), kind }
    }
}

impl From<nn::Error> for Error {
    fn from(error: nn::Error) -> Self {
        Self::of_all(Kind::Nn(Box::new(error)))
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = named(&self.ranks);
        let has = if self.ranks.len() == 1 { "has" } else { "have" };
        match &self.kind {
            Kind::Failed(text) if self.ranks.is_empty() => f.write_str(text),
            Kind::Failed(text) => write!(f, "{who}: {text}"),
            Kind::Panicked(text) => write!(f, "{who} {has} panicked: {text}"),
            Kind::Finished => write!(f, "{who} {has} ended, while other ranks go on with training"),
            Kind::Parted { what } => write!(
                f,
                "{who} {has} another {what} than rank 0: all ranks must take the same steps, on the same batches"
            ),
            Kind::Diverged { shard, shards, diverged } => write!(f, "shard {shard} of {shards}: {diverged}"),
            Kind::Nn(error) => error.fmt(f),
        }
    }
}

/// Ranks in words.
pub(crate) fn named(ranks: &[usize]) -> String {
    const MOST: usize = 8;
    let shown: Vec<String> = ranks.iter().take(MOST).map(usize::to_string).collect();
    match ranks {
        [] => "all ranks".to_owned(),
        [one] => format!("rank {one}"),
        _ if ranks.len() > MOST => format!("ranks {} and {} more", shown.join(", "), ranks.len() - MOST),
        _ => format!("ranks {} and {}", shown[..shown.len() - 1].join(", "), shown[shown.len() - 1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_ranks_that_met_it() {
        let failed =
            |ranks: &[usize]| Error { ranks: ranks.to_vec(), kind: Kind::Failed("no disk".into()) }.to_string();
        assert_eq!(failed(&[2]), "rank 2: no disk");
        assert_eq!(failed(&[0, 1, 3]), "ranks 0, 1 and 3: no disk");
        assert_eq!(failed(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), "ranks 0, 1, 2, 3, 4, 5, 6, 7 and 2 more: no disk");
        assert_eq!(failed(&[]), "no disk");
        let parted = Error { ranks: vec![1], kind: Kind::Parted { what: "batch" } };
        assert!(parted.to_string().starts_with("rank 1 has another batch than rank 0"));
        let ended = Error { ranks: vec![1, 2], kind: Kind::Finished };
        assert_eq!(ended.again().to_string(), "ranks 1 and 2 have ended, while other ranks go on with training");
    }
}
