//! What a row of the yardstick is.

use autograd::{Float, IndexVar, KeyVar, Tape, Var, vjp};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The value alone.
    Forward,
    /// The value with the gradients of all operands that have one.
    Gradient,
}

impl Pass {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Gradient => "gradient",
        }
    }
}

/// What an element costs beside the memory that is moved.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// So many exponentials and divisions.
    Formula(u8, u8),
    /// Work that has no bound here: products, sorting, factorisations, random bits, series.
    Other,
}

/// Where numbers are drawn from.
pub(crate) type Range = (f64, f64);

/// Operands on a tape.
pub(crate) struct Given<'t, T: Float> {
    pub(crate) tape: &'t Tape<T>,
    pub(crate) x: Vec<Var<'t, T>>,
    pub(crate) index: Vec<IndexVar<'t, T>>,
    pub(crate) key: KeyVar<'t, T>,
}

/// From operands to a value.
pub(crate) type Function<T> = Box<dyn for<'t> Fn(&Given<'t, T>) -> Var<'t, T>>;

/// An operation with its operands and what it must cost.
pub(crate) struct Row<T: Float> {
    pub(crate) name: String,
    /// Shapes of numbers, and where they are from.
    pub(crate) numbers: Vec<(Vec<usize>, Range)>,
    /// Shapes of integers, and what they are below.
    pub(crate) integers: Vec<(Vec<usize>, usize)>,
    /// So many of the numbers, from the first, have a gradient.
    pub(crate) differentiated: usize,
    pub(crate) function: Function<T>,
    /// Of the value, and of value and gradient.
    pub(crate) work: [Work; 2],
    /// Elements that are read and written, where these are not all of the operands and results.
    pub(crate) moved: Option<[usize; 2]>,
}

/// Elements of an element-wise row.
const FLAT: usize = 100_000;

/// All rows, and how large their arrays are.
pub(crate) struct Table<T: Float> {
    pub(crate) rows: Vec<Row<T>>,
    tiny: bool,
}

impl<T: Float> Table<T> {
    pub(crate) fn new(tiny: bool) -> Self {
        Self { rows: Vec::new(), tiny }
    }

    /// This size, or a small one in its place.
    pub(crate) fn size(&self, n: usize) -> usize {
        if self.tiny { n.min(6) } else { n }
    }

    /// The shapes along whose axes reductions and arrangements are measured.
    pub(crate) fn shapes(&self) -> [Vec<usize>; 3] {
        let sizes = |sizes: &[usize]| sizes.iter().map(|&n| self.size(n)).collect();
        [sizes(&[1000, 1000]), sizes(&[25_000, 4]), sizes(&[64, 16, 8, 8])]
    }

    /// An element-wise function of operands of one shape, with the exponentials and divisions of its value, and of its value
    /// and gradient.
    pub(crate) fn map<const N: usize>(
        &mut self,
        name: &str,
        ranges: [Range; N],
        work: [(u8, u8); 2],
        f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T> + 'static,
    ) {
        let shape = vec![self.size(FLAT)];
        let row = Row {
            work: work.map(|(exponentials, divisions)| Work::Formula(exponentials, divisions)),
            ..Row::new(name, &shape, move |given| f(std::array::from_fn(|k| given.x[k])))
        };
        self.rows.push(row.numbers(ranges.map(|range| (shape.clone(), range))));
    }

    /// The same, for functions that are no formula.
    pub(crate) fn series<const N: usize>(
        &mut self,
        name: &str,
        ranges: [Range; N],
        f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T> + 'static,
    ) {
        self.map(name, ranges, [(0, 0); 2], f);
        self.rows.last_mut().expect("it was added").work = [Work::Other; 2];
    }
}

impl<T: Float> Row<T> {
    /// A function of numbers of one shape, which moves memory and has a gradient.
    pub(crate) fn new(
        name: impl Into<String>,
        shape: &[usize],
        function: impl for<'t> Fn(&Given<'t, T>) -> Var<'t, T> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            numbers: vec![(shape.to_vec(), (-2.0, 2.0))],
            integers: Vec::new(),
            differentiated: 1,
            function: Box::new(function),
            work: [Work::Formula(0, 0); 2],
            moved: None,
        }
    }

    /// Of other numbers, all of which have a gradient.
    pub(crate) fn numbers(self, numbers: impl Into<Vec<(Vec<usize>, Range)>>) -> Self {
        let numbers = numbers.into();
        Self { differentiated: numbers.len(), numbers, ..self }
    }

    /// With integers below a limit.
    pub(crate) fn integers(mut self, shape: &[usize], below: usize) -> Self {
        self.integers.push((shape.to_vec(), below));
        self
    }

    /// With gradients of the first numbers alone.
    pub(crate) fn differentiated(self, differentiated: usize) -> Self {
        Self { differentiated, ..self }
    }

    /// Exponentials and divisions for each element.
    pub(crate) fn formula(self, value: (u8, u8), gradient: (u8, u8)) -> Self {
        Self { work: [Work::Formula(value.0, value.1), Work::Formula(gradient.0, gradient.1)], ..self }
    }

    /// Work without a bound.
    pub(crate) fn other(self) -> Self {
        Self { work: [Work::Other; 2], ..self }
    }

    /// So many elements are read and written.
    pub(crate) fn moves(self, value: usize, gradient: usize) -> Self {
        Self { moved: Some([value, gradient]), ..self }
    }
}

/// The gradient of `x` where that of `y` is `dy`: the place of what only rules record.
pub(crate) fn slope<'t, T: Float>(y: Var<'t, T>, x: Var<'t, T>, dy: Var<'t, T>) -> Var<'t, T> {
    let [dx] = vjp(y, &[x], dy);
    dx
}
