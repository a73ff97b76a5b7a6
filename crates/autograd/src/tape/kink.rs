//! Did a second derivative go through a kink?

use crate::float::Float;
use crate::tape::Tape;
use crate::tape::nodes::NONE;
use crate::tape::op::View;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use smallvec::SmallVec;
use std::fmt;
use std::panic::Location;

/// An operation whose second derivative was taken at a point where its first is one by convention.
///
/// Derivative rules are local: at 0 the rule of `|x|` gives 0 and cannot know that `|x|²` is smooth there, with the second
/// derivative 2. What comes out is 0, by convention as the first derivative of `|x|` is (docs/CONVENTIONS.md), and no
/// measure of the function.
#[derive(Clone, Debug, PartialEq)]
pub struct Kink {
    /// The operation's name.
    pub op: &'static str,
    /// Its place on the tape.
    pub index: u32,
    /// The first element of its result, row-major, that lies on the kink.
    pub element: usize,
    /// The user's line that recorded it.
    pub location: &'static Location<'static>,
}

impl fmt::Display for Kink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { op, index, element, location } = self;
        write!(
            f,
            "a second derivative went through the kink of {op} (#{index}) at element {element}, recorded at {location}"
        )?;
        write!(f, "; what its rule gives there is a convention")
    }
}

impl<T: Float> Tape<T> {
    /// Computes variables and names the first operation on the way to them that has a kink (or a tie, or an origin) at its
    /// operands and whose derivative was itself differentiated, or `None`. What second derivatives give there is a
    /// convention, also where the whole function is smooth. Conditions (`where`, `sign`, comparisons) are not kinks that an
    /// operation can see. Of a loop ([`Tape::scan`]) in which
    /// any operation lies on its kink the loop is named, and that operation where loops are written out ([`Tape::write_out_loops`]).
    ///
    /// ```
    /// use autograd::{hessian, Tape};
    /// let tape = Tape::new();
    /// let x = tape.scalar(0.0);
    /// let curvature = hessian(x.abs().square(), x); // 2, but no rule can know
    /// assert_eq!(curvature.item(), 0.0);
    /// assert_eq!(tape.first_kink(&curvature).unwrap().op, "abs");
    /// assert!(tape.first_kink(&hessian(x.square(), x)).is_none());
    /// ```
    ///
    /// # Panics
    /// Where a variable lives on another tape.
    #[track_caller]
    pub fn first_kink<'t, P: Tree<Leaf = Var<'t, T>> + ?Sized>(&'t self, vars: &P) -> Option<Kink> {
        let nothing: [Var<'_, T>; 0] = [];
        let _whole = self.composite("first_kink", nothing);
        self.compute(vars, true);
        let roots: SmallVec<[u32; 8]> = vars.leaves().into_iter().map(Var::index).collect();
        self.kink_below(&roots)
    }

    /// From now on (or no longer), computing panics where a second derivative went through a kink, and names the operation,
    /// as [`Tape::first_kink`] does.
    ///
    /// ```should_panic
    /// use autograd::{hessian, Tape};
    /// let tape = Tape::new();
    /// tape.watch_kinks(true);
    /// let x = tape.scalar(0.0);
    /// hessian(x.abs().square(), x).item(); // a second derivative went through the kink of abs (#1) at element 0 …
    /// ```
    pub fn watch_kinks(&self, on: bool) {
        self.watch_kinks.set(on);
    }

    /// The first operation below these roots whose rule was differentiated and whose operands lie on its kink.
    #[track_caller]
    pub(crate) fn kink_below(&self, roots: &[u32]) -> Option<Kink> {
        let needed = self.nodes.needed(roots, 0);
        let rule_of = |i: u32| Some(self.nodes[i].origin.rule_of).filter(|&of| of != NONE);
        // What the rule of an operation recorded, and was differentiated in turn.
        let twice = |i: u32| rule_of(i).and_then(rule_of).filter(|_| needed[i as usize]);
        let mut suspects: Vec<u32> = (0..self.len() as u32).filter_map(twice).collect();
        suspects.sort_unstable();
        suspects.dedup();
        self.kink_among(&suspects)
    }

    /// The first of these operations whose operands lie on its kink.
    #[track_caller]
    pub(crate) fn kink_among(&self, suspects: &[u32]) -> Option<Kink> {
        // Not by a closure, in which a panic for want of memory would be told at a line in here.
        for &index in suspects {
            let node = &self.nodes[index];
            self.compute_again(&node.args);
            let state = self.state.borrow();
            let view = |&a: &u32| View { shape: &self.nodes[a].shape, data: state.slice(&self.nodes, a) };
            let views: SmallVec<[View<'_, T>; 4]> = node.args.iter().map(view).collect();
            if let Some(element) = node.kind.op().and_then(|op| op.kink(&views)) {
                return Some(Kink { op: node.kind.name(), index, element, location: node.origin.location });
            }
        }
        None
    }
}
