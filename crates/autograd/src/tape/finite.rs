//! Where did the NaN come from?

use crate::float::Float;
use crate::ops::labels::Labels;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tape::list::Nodes;
use crate::tape::nodes::{Mode, NONE};
use crate::tape::op::Arity;
use crate::tape::tree::Tree;
use crate::tape::values::State;
use crate::tape::var::Var;
use crate::tensor::error::Error;
use std::fmt;
use std::panic::Location;

/// The first operation whose value is not finite although its operands are.
#[derive(Clone, Debug, PartialEq)]
pub struct NonFinite {
    /// The operation's name; `leaf` where a value from outside is not finite.
    pub op: &'static str,
    /// Its place on the tape.
    pub index: u32,
    /// The places of its operands, each with its operation, and its smallest and largest element.
    pub operands: Vec<(u32, &'static str, f64, f64)>,
    /// The first element that is not finite, row-major, and its value.
    pub element: (usize, f64),
    /// The user's line that recorded it, or that recorded the operation whose derivative it belongs to.
    pub location: &'static Location<'static>,
    /// Whether it belongs to the user's expression, a cotangent or a tangent.
    pub pass: Mode,
    /// The operation whose derivative rule recorded it, where one did.
    pub rule_of: Option<&'static str>,
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (element, value) = self.element;
        write!(f, "{} (#{}) gave {value} at element {element}", self.op, self.index)?;
        for (k, (index, op, low, high)) in self.operands.iter().enumerate() {
            let joint = if k == 0 { " from" } else { " and" };
            write!(f, "{joint} {op} (#{index}) in [{low:e}, {high:e}]")?;
        }
        let pass = match self.pass {
            Mode::Primal => "value",
            Mode::Reverse => "cotangent",
            Mode::Forward => "tangent",
        };
        match self.rule_of {
            Some(op) => write!(f, ", in the {pass} through {op} recorded at {}", self.location),
            None => write!(f, ", recorded at {}", self.location),
        }
    }
}

impl<T: Float> Tape<T> {
    /// Computes variables and names the first operation on the way to them whose value is not finite although its
    /// operands are (or the first value from outside that is not). `None` where everything is finite. It may be asked at any
    /// time: intermediate values that [`Tape::values`] has recycled are computed again. Of a loop ([`Tape::scan`]) it names the loop, and
    /// the step's own operation where loops are written out ([`Tape::write_out_loops`]).
    ///
    /// ```
    /// use autograd::{grad, Mode, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0]));
    /// let y = x.sqrt().sum();
    /// assert!(tape.first_non_finite(&y).is_none());
    /// let found = tape.first_non_finite(&grad(y, &x)).unwrap();
    /// assert_eq!((found.op, found.rule_of, found.pass), ("reciprocal", Some("sqrt"), Mode::Reverse));
    /// assert!(found.to_string().contains("in the cotangent through sqrt recorded at"));
    /// ```
    ///
    /// # Panics
    /// Where a variable lives on another tape.
    #[track_caller]
    pub fn first_non_finite<'t, P: Tree<Leaf = Var<'t, T>> + ?Sized>(&'t self, vars: &P) -> Option<NonFinite> {
        self.first_broken(&vars.leaves())
    }

    /// [`Tape::first_non_finite`] of a list of variables.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn first_broken(&self, vars: &[&Var<'_, T>]) -> Option<NonFinite> {
        let nothing: [Var<'_, T>; 0] = [];
        let _whole = self.composite("first_non_finite", nothing);
        let _unwatched = Unwatched::new(self);
        let vars: Vec<Var<'_, T>> = vars.iter().map(|&&var| var).collect();
        self.compute(&vars, true);
        let nodes = &self.nodes;
        let roots: Vec<u32> = vars.iter().map(Var::index).collect();
        let needed = nodes.needed(&roots, 0);
        // What was computed before may have been computed from values that are recycled by now.
        let all: Vec<u32> = (0..nodes.len() as u32).filter(|&i| needed[i as usize]).collect();
        self.compute_again(&all);
        let state = self.state.borrow();
        let find = |holds: &dyn Fn(u32) -> bool| (0..nodes.len() as u32).find(|&i| needed[i as usize] && holds(i));
        let culprit = find(&|i| state.breaks(nodes, i));
        let leaf = || find(&|i| matches!(nodes[i].kind, Kind::Leaf) && state.wrong(nodes, i).is_some());
        culprit.or_else(leaf).map(|i| state.report(nodes, i))
    }

    /// Computes values that may have been recycled since, neither noted as read nor looked at.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn compute_again(&self, nodes: &[u32]) {
        Error::or_raise(T::close(self).and_then(|()| self.compute_nodes(nodes, true)));
    }

    /// From now on (or no longer), computing panics once a value is not finite, and names the first operation that gave
    /// one although its operands were finite, as [`Tape::first_non_finite`] does. Costs a look at every value.
    ///
    /// It panics too where an operator broadcasts two operands of as many elements, and different ranks, to a larger
    /// result: `[n, 1] − [n]` are `n²` differences, of which a mean trains in silence. ([`Var::mse`] refuses them.)
    ///
    /// ```should_panic
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// tape.watch(true);
    /// tape.var(&Tensor::from([0.0])).log().value(); // log (#1) gave -inf at element 0 from leaf (#0) …
    /// ```
    pub fn watch(&self, on: bool) {
        self.state.borrow_mut().watch = on;
    }
}

/// Computing does not look for values that are not finite until this goes out of scope.
struct Unwatched<'t, T: Float> {
    tape: &'t Tape<T>,
    watched: bool,
}

impl<'t, T: Float> Unwatched<'t, T> {
    fn new(tape: &'t Tape<T>) -> Self {
        Self { tape, watched: std::mem::replace(&mut tape.state.borrow_mut().watch, false) }
    }
}

impl<T: Float> Drop for Unwatched<'_, T> {
    fn drop(&mut self) {
        self.tape.state.borrow_mut().watch = self.watched;
    }
}

/// Whether a value is integers, from outside or computed, or a view of them.
pub(crate) fn holds_integers<T: Float>(nodes: &Nodes<T>, mut index: u32) -> bool {
    while let Kind::Reshape(_) | Kind::Read(_) | Kind::Transpose(_) | Kind::Concat(_) | Kind::Roll(_) =
        nodes[index].kind
    {
        index = nodes[index].args[0];
    }
    let kind = &nodes[index].kind;
    matches!(
        kind,
        Kind::Index
            | Kind::Argsort(_)
            | Kind::ArgExtreme(_)
            | Kind::Labels(Arity(Labels::Without(_) | Labels::Place(_)))
            | Kind::FoldIn(_)
    ) || matches!(kind, Kind::Random(random) if random.0.is_integer())
}

impl<T: Float> State<T> {
    /// The first element of a value that is not finite; integers in the bits of floats always are.
    fn wrong(&self, nodes: &Nodes<T>, index: u32) -> Option<usize> {
        if holds_integers(nodes, index) {
            return None;
        }
        self.slice(nodes, index).iter().position(|x| !x.is_finite())
    }

    /// Whether an operation's value is not finite although all its operands are.
    pub(crate) fn breaks(&self, nodes: &Nodes<T>, index: u32) -> bool {
        let node = &nodes[index];
        node.kind.op().is_some()
            && self.wrong(nodes, index).is_some()
            && node.args.iter().all(|&a| self.wrong(nodes, a).is_none())
    }

    pub(crate) fn report(&self, nodes: &Nodes<T>, index: u32) -> NonFinite {
        let node = &nodes[index];
        let range = |a: u32| {
            let bounds = (f64::INFINITY, f64::NEG_INFINITY);
            let integers = holds_integers(nodes, a);
            let number = |x: &T| if integers { x.to_index() as f64 } else { x.to_f64() };
            let widen = |(low, high): (f64, f64), x: &T| (low.min(number(x)), high.max(number(x)));
            self.slice(nodes, a).iter().fold(bounds, widen)
        };
        let operand = |&a: &u32| {
            let (low, high) = range(a);
            (a, nodes[a].kind.name(), low, high)
        };
        let element = self.wrong(nodes, index).unwrap_or_default();
        let value = self.slice(nodes, index).get(element).map_or(f64::NAN, |x| x.to_f64());
        let rule_of = node.origin.rule_of;
        NonFinite {
            op: node.kind.name(),
            index,
            operands: node.args.iter().map(operand).collect(),
            element: (element, value),
            location: node.origin.location,
            pass: node.origin.pass(),
            rule_of: (rule_of != NONE).then(|| nodes[rule_of].kind.name()),
        }
    }
}
