//! What a program needs to know of its recording.

use crate::float::Float;
use crate::tape::Tape;
use std::cell::Ref;
use std::panic::Location;
use std::sync::Arc;

/// What a program needs to know of its recording: values that were read, branches that were taken, and the ranges that
/// integers must lie in.
#[derive(Default)]
pub(crate) struct Recording {
    on: bool,
    /// The nodes that were read, and the lines that read them.
    pub(crate) reads: Vec<(u32, &'static Location<'static>)>,
    pub(crate) guards: Vec<(u32, Condition)>,
    pub(crate) limits: Vec<(u32, Limit)>,
}

/// What is noted of a value: whether it was not 0, on which something depends that is the same in each run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition {
    pub(crate) held: bool,
    pub(crate) location: &'static Location<'static>,
    /// The operation that takes a mean by this weight; absent for a branch.
    pub(crate) mean: Option<&'static str>,
}

/// The range that integers must lie in, and one that they may be beside it.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) low: i64,
    pub(crate) high: i64,
    pub(crate) but: Option<i64>,
    /// What needs it; absent for the range of the number type.
    pub(crate) reader: Option<Reader>,
    /// The places of those that must, in order; absent for all.
    pub(crate) part: Option<Arc<[u32]>>,
}

/// An operation that indexes with integers: its name, the axis, which labels of classes have not, and its line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    pub(crate) op: &'static str,
    pub(crate) axis: Option<usize>,
    pub(crate) location: &'static Location<'static>,
}

impl Limit {
    /// Whether this integer may stand at this place.
    pub(crate) fn allows(&self, place: usize, i: i64) -> bool {
        let is_free = || self.part.as_deref().is_some_and(|part| part.binary_search(&(place as u32)).is_err());
        (self.low..=self.high).contains(&i) || self.but == Some(i) || is_free()
    }

    /// What has this range, in words.
    pub(crate) fn what(&self) -> String {
        let size = self.high.saturating_add(1);
        match self.reader {
            Some(Reader { op, axis: Some(axis), location }) => {
                format!("{op} on axis {axis} of size {size}, recorded at {location}")
            }
            Some(Reader { op, axis: None, location }) => format!("{op} of {size} classes, recorded at {location}"),
            None => "the number type".into(),
        }
    }
}

impl<T: Float> Tape<T> {
    /// From now on, notes what a program must know.
    pub(crate) fn start_recording(&self) {
        self.recording.borrow_mut().on = true;
    }

    pub(crate) fn recording(&self) -> Ref<'_, Recording> {
        Ref::map(self.recording.borrow(), |recording| &**recording)
    }

    /// Notes something while recording.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Recording)) {
        let mut recording = self.recording.borrow_mut();
        if recording.on {
            note(&mut recording);
        }
    }
}
