//! Sums of products by index letters, made of views and one batched product for each operand after the first.

use crate::float::Float;
use crate::ops::matmul::MatMul;
use crate::tape::var::Var;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::shape::Shape;

/// What a dimension goes by: its letter, or its place in an ellipsis, counted from the end, so that ellipses of different
/// lengths align as shapes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Dots(usize),
    Letter(char),
}

impl Label {
    /// Whether an operand of this size does not depend on the label: a size of 1 in an ellipsis stretches.
    fn stretches(self, size: usize) -> bool {
        matches!(self, Self::Dots(_)) && size == 1
    }
}

/// The labels of an operand or of the result as they are written, `None` for an ellipsis.
type Written = Vec<Option<char>>;

/// A parsed equation: the labels of each operand and of the result.
struct Equation {
    inputs: Vec<Vec<Label>>,
    output: Vec<Label>,
    /// The size of each label: of a letter the one that it has everywhere, of a place in an ellipsis the one that all
    /// broadcast to.
    sizes: Vec<(Label, usize)>,
}

/// Parses the labels of an operand or of the result.
fn written(labels: &str, equation: &str) -> Result<Written, Reason> {
    let fail = |text: String| Err(Reason::new(Kind::Option, text));
    let spelt = labels.replace("...", "…");
    if let Some(c) = spelt.chars().find(|c| !c.is_alphabetic() && *c != '…') {
        return fail(format!("«{c}» in «{equation}» is no index letter"));
    }
    if spelt.chars().filter(|c| *c == '…').count() > 1 {
        return fail(format!("«{labels}» in «{equation}» has more than one ellipsis"));
    }
    Ok(spelt.chars().map(|c| Some(c).filter(|c| *c != '…')).collect())
}

/// Labels with the ellipsis written out in `dots` places.
fn spread(written: &Written, dots: usize) -> Vec<Label> {
    let places = |label: &Option<char>| match *label {
        Some(c) => vec![Label::Letter(c)],
        None => (0..dots).rev().map(Label::Dots).collect(),
    };
    written.iter().flat_map(places).collect()
}

impl Equation {
    /// Parses `ij,jk->ik` for operands of these shapes. Without an arrow the result has the ellipsis and then the letters
    /// that occur once, in alphabetical order.
    fn parse(equation: &str, shapes: &[Shape]) -> Result<Self, Reason> {
        let clean: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = clean.split_once("->").map_or((&clean[..], None), |(left, right)| (left, Some(right)));
        let operands = left.split(',').map(|labels| written(labels, equation)).collect::<Result<Vec<_>, _>>()?;
        let result = right.map(|labels| written(labels, equation)).transpose()?;
        let (inputs, dots) = fit(&operands, equation, shapes)?;
        let output = match result {
            Some(result) => {
                if dots > 0 && !result.contains(&None) {
                    let text =
                        format!("the result of «{equation}» lacks the ellipsis, which stands for {dots} dimensions");
                    return Err(Reason::new(Kind::Option, text));
                }
                spread(&result, dots)
            }
            None => implied(&inputs, dots),
        };
        for (i, label) in output.iter().enumerate() {
            let Label::Letter(c) = label else { continue };
            if output[..i].contains(label) {
                return Err(Reason::new(Kind::Option, format!("the result of «{equation}» names «{c}» twice")));
            }
            if !inputs.iter().flatten().any(|other| other == label) {
                let text = format!("the result of «{equation}» names «{c}», which no operand has");
                return Err(Reason::new(Kind::Option, text));
            }
        }
        let sizes = sizes(&inputs, equation, shapes)?;
        Ok(Self { inputs, output, sizes })
    }

    fn size(&self, label: Label) -> usize {
        self.sizes.iter().find(|(known, _)| *known == label).map_or(1, |&(_, size)| size)
    }
}

/// The labels of the result where the equation has no arrow.
fn implied(inputs: &[Vec<Label>], dots: usize) -> Vec<Label> {
    let all: Vec<Label> = inputs.iter().flatten().copied().filter(|l| matches!(l, Label::Letter(_))).collect();
    let once = |l: &Label| all.iter().filter(|other| *other == l).count() == 1;
    let mut letters: Vec<Label> = all.iter().copied().filter(once).collect();
    letters.sort_unstable();
    (0..dots).rev().map(Label::Dots).chain(letters).collect()
}

/// The labels of each operand's dimensions, and in how many places the longest ellipsis stands.
fn fit(operands: &[Written], equation: &str, shapes: &[Shape]) -> Result<(Vec<Vec<Label>>, usize), Reason> {
    if operands.len() != shapes.len() {
        let text = format!("«{equation}» names {} operands, {} are given", operands.len(), shapes.len());
        return Err(Reason::new(Kind::Option, text));
    }
    let (mut inputs, mut longest) = (Vec::with_capacity(shapes.len()), 0);
    for (k, (written, shape)) in operands.iter().zip(shapes).enumerate() {
        let letters = written.iter().flatten().count();
        let dots = shape.rank().checked_sub(letters).filter(|&dots| dots == 0 || written.contains(&None));
        let Some(dots) = dots else {
            let least = if written.contains(&None) { "at least " } else { "" };
            return Err(Reason::shape(format!("«{equation}» gives operand {k} {least}{letters} dimensions")));
        };
        longest = longest.max(dots);
        inputs.push(spread(written, dots));
    }
    Ok((inputs, longest))
}

/// The size of each label: equal letters have equal sizes, and ellipses broadcast.
fn sizes(inputs: &[Vec<Label>], equation: &str, shapes: &[Shape]) -> Result<Vec<(Label, usize)>, Reason> {
    let mut sizes: Vec<(Label, usize)> = Vec::new();
    for (&label, &size) in inputs.iter().zip(shapes).flat_map(|(labels, shape)| labels.iter().zip(&**shape)) {
        match (sizes.iter_mut().find(|(known, _)| *known == label), label) {
            (None, _) => sizes.push((label, size)),
            (Some((_, known)), _) if *known == size => {}
            (Some((_, known)), Label::Dots(_)) if *known == 1 => *known = size,
            (Some(_), Label::Dots(_)) if size == 1 => {}
            (Some((_, known)), Label::Dots(_)) => {
                let text = format!("the ellipses in «{equation}» do not broadcast: sizes {known} and {size}");
                return Err(Reason::shape(text));
            }
            (Some((_, known)), Label::Letter(c)) => {
                return Err(Reason::shape(format!("«{c}» in «{equation}» is {known} and {size}")));
            }
        }
    }
    Ok(sizes)
}

/// A variable whose dimensions have letters, each once.
struct Lettered<'t, T: Float> {
    var: Var<'t, T>,
    letters: Vec<Label>,
}

impl<'t, T: Float> Lettered<'t, T> {
    /// An operand: a place of an ellipsis where it is stretched falls away, and a repeated letter takes the diagonal.
    #[track_caller]
    fn new(operand: Var<'t, T>, labels: &[Label]) -> Self {
        let own = operand.sizes();
        let kept = || labels.iter().zip(&**own).filter(|&(&label, &size)| !label.stretches(size));
        let mut letters: Vec<Label> = kept().map(|(&label, _)| label).collect();
        let mut var = operand.reshape(kept().map(|(_, &size)| size).collect::<Shape>());
        while let Some((i, j)) = repeated(&letters) {
            let letter = letters.remove(j);
            letters.remove(i);
            letters.push(letter);
            var = var.diagonal(i as isize, j as isize);
        }
        Self { var, letters }
    }

    /// Sums over the letters that are not wanted any more.
    #[track_caller]
    fn keep(self, wanted: impl Fn(Label) -> bool) -> Self {
        let drop: Vec<isize> =
            self.letters.iter().enumerate().filter(|(_, c)| !wanted(**c)).map(|(i, _)| i as isize).collect();
        if drop.is_empty() {
            return self;
        }
        let letters = self.letters.iter().copied().filter(|c| wanted(*c)).collect();
        Self { var: self.var.sum_axes(&drop[..]), letters }
    }

    /// The dimensions in the order of these letters.
    #[track_caller]
    fn ordered(self, letters: &[Label]) -> Var<'t, T> {
        if self.letters == letters {
            return self.var;
        }
        let place = |c: &Label| self.letters.iter().position(|d| d == c).expect("the letters are the same") as isize;
        self.var.transpose(&letters.iter().map(place).collect::<Vec<_>>())
    }

    fn size(&self, letter: Label) -> usize {
        let i = self.letters.iter().position(|&c| c == letter).expect("the operand has the letter");
        self.var.sizes()[i]
    }

    /// The product of two operands, summed over the letters that both have and nobody wants: one batched matrix product, or an
    /// element-wise one where all of these matrices would be rows times columns, or nothing is summed. `order` is that of the
    /// letters in the result of all.
    #[track_caller]
    fn product(self, other: Self, wanted: impl Fn(Label) -> bool, order: &[Label]) -> Self {
        let (of_a, of_b) = (self.letters.clone(), other.letters.clone());
        let a = self.keep(|c| wanted(c) || of_b.contains(&c));
        let b = other.keep(|c| wanted(c) || of_a.contains(&c));
        let pick = |letters: &[Label], f: &dyn Fn(Label) -> bool| -> Vec<Label> {
            letters.iter().copied().filter(|c| f(*c)).collect()
        };
        let batch = pick(&a.letters, &|c| b.letters.contains(&c) && wanted(c));
        let inner = pick(&a.letters, &|c| b.letters.contains(&c) && !wanted(c));
        let rows = pick(&a.letters, &|c| !b.letters.contains(&c));
        let cols = pick(&b.letters, &|c| !a.letters.contains(&c));
        let sizes = |of: &Self, letters: &[Label]| letters.iter().map(|&c| of.size(c)).collect::<Vec<_>>();
        let (batch_sizes, row_sizes, col_sizes) = (sizes(&a, &batch), sizes(&a, &rows), sizes(&b, &cols));
        let [m, k, n] = [&row_sizes, &sizes(&a, &inner), &col_sizes].map(|s| s.iter().product::<usize>());
        if inner.is_empty() || m == 1 && n == 1 {
            return a.times(b, &inner, order);
        }
        let matrix = |of: Self, rows: (&[Label], usize), cols: (&[Label], usize)| {
            // As it lies, where it lies transposed, and not only as a row or a column does.
            let lies_as = |first: &[Label], second: &[Label]| of.letters == [&batch[..], first, second].concat();
            let transposed = lies_as(cols.0, rows.0) && !lies_as(rows.0, cols.0);
            let [(first, m), (second, n)] = if transposed { [cols, rows] } else { [rows, cols] };
            let shape: Shape = batch_sizes.iter().copied().chain([m, n]).collect();
            (of.ordered(&[&batch[..], first, second].concat()).reshape(shape), transposed)
        };
        let (a, left) = matrix(a, (&rows, m), (&inner, k));
        let (b, right) = matrix(b, (&inner, k), (&cols, n));
        let shape: Shape = batch_sizes.iter().chain(&row_sizes).chain(&col_sizes).copied().collect();
        let product = Error::or_raise(a.product("matmul", b, MatMul { ta: left, tb: right }));
        Self { var: product.reshape(shape), letters: [batch, rows, cols].concat() }
    }

    /// The product element by element, summed over these letters.
    #[track_caller]
    fn times(self, other: Self, summed: &[Label], order: &[Label]) -> Self {
        let has = |of: &Self, c: Label| of.letters.contains(&c);
        let joined = |first: &[Label], then: &[Label]| -> Vec<Label> {
            first.iter().chain(then.iter().filter(|c| !first.contains(c))).copied().collect()
        };
        let in_order = order.iter().filter(|&&c| (has(&self, c) || has(&other, c)) && !summed.contains(&c));
        let in_order: Vec<Label> = in_order.copied().collect();
        // Dimensions as the operands or the result have them: what is in another order is copied.
        let is_part = |letters: &[Label], all: &[Label]| all.iter().filter(|c| letters.contains(c)).eq(letters);
        let size =
            |letters: &[Label]| letters.iter().fold(1_usize, |all, &c| all.saturating_mul(self.size_in(&other, c)));
        let copied = |all: &Vec<Label>| {
            let parts = [&self.letters[..], &other.letters, &in_order].into_iter();
            parts
                .filter(|letters| !is_part(letters, all))
                .fold(0_usize, |sum, letters| sum.saturating_add(size(letters)))
        };
        let all =
            [joined(&in_order, summed), joined(&self.letters, &other.letters), joined(&other.letters, &self.letters)];
        let all = all.into_iter().min_by_key(copied).expect("there are three");
        let sizes: Vec<usize> = all.iter().map(|&c| self.size_in(&other, c)).collect();
        let laid = |of: Self| {
            let own: Vec<Label> = all.iter().copied().filter(|&c| has(&of, c)).collect();
            let shape: Shape = all.iter().zip(&sizes).map(|(&c, &size)| if has(&of, c) { size } else { 1 }).collect();
            of.ordered(&own).reshape(shape)
        };
        let product = Self { var: laid(self) * laid(other), letters: all.clone() };
        product.keep(|c| !summed.contains(&c))
    }

    /// The size of a letter that this or the other operand has.
    fn size_in(&self, other: &Self, letter: Label) -> usize {
        if self.letters.contains(&letter) { self.size(letter) } else { other.size(letter) }
    }
}

fn repeated(letters: &[Label]) -> Option<(usize, usize)> {
    (0..letters.len()).find_map(|i| (i + 1..letters.len()).find(|&j| letters[i] == letters[j]).map(|j| (i, j)))
}

/// The sum of products that an equation names, as `numpy.einsum`: `ij,jk->ik` is a matrix product, `ii->i` a diagonal,
/// `ij->` a sum. Operands are multiplied from left to right.
///
/// An ellipsis stands for the dimensions that have no letter, in any place and of any number, none too; those of several
/// operands broadcast against each other. In the result it stands where it is written, and in front where there is no
/// arrow. A letter has one size everywhere: unlike in NumPy, a 1 does not stretch there.
///
/// ```
/// use autograd::{einsum, Tape, Tensor};
/// let tape = Tape::new();
/// let a = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
/// let x = tape.var(&Tensor::from([1.0, 10.0]));
/// assert_eq!(einsum("ij,j->i", &[a, x]).value().as_slice(), [21.0, 43.0]);
/// assert_eq!(einsum("...j,j->...", &[a, x]).value().as_slice(), [21.0, 43.0]);
/// ```
///
/// # Panics
/// Where the equation does not parse, does not fit the operands, or there are none.
#[track_caller]
pub fn einsum<'t, T: Float>(equation: &str, operands: &[Var<'t, T>]) -> Var<'t, T> {
    Error::or_raise(try_einsum(equation, operands))
}

/// As [`einsum()`], for equations that come from outside.
///
/// # Errors
/// Where the equation does not parse, does not fit the operands, or there are none.
#[track_caller]
pub fn try_einsum<'t, T: Float>(equation: &str, operands: &[Var<'t, T>]) -> Result<Var<'t, T>, Error> {
    let [first, ..] = operands else { return Err(Error::of_call("einsum", Kind::Empty, "there are no operands")) };
    let _whole = first.tape().try_composite("einsum", operands.iter().copied())?;
    let shapes: Vec<Shape> = operands.iter().map(Var::shape).collect();
    let parsed = match Equation::parse(equation, &shapes) {
        Ok(parsed) => parsed,
        Err(reason) => return Err(first.tape().error("einsum", reason, operands)),
    };
    let mut order = parsed.output.clone();
    for &label in parsed.inputs.iter().flatten() {
        if !order.contains(&label) {
            order.push(label);
        }
    }
    let mut result: Option<Lettered<'t, T>> = None;
    for (k, &operand) in operands.iter().enumerate() {
        let operand = Lettered::new(operand, &parsed.inputs[k]);
        let rest = &parsed.inputs[k + 1..];
        let wanted = |c: Label| parsed.output.contains(&c) || rest.iter().flatten().any(|&d| d == c);
        result = Some(match result {
            None => operand.keep(wanted),
            Some(so_far) => so_far.product(operand, wanted, &order),
        });
    }
    let result = result.expect("there is at least one operand").keep(|c| parsed.output.contains(&c));
    // What no operand depends on has a size of 1.
    let order: Vec<Label> = parsed.output.iter().copied().filter(|c| result.letters.contains(c)).collect();
    let shape: Shape = parsed.output.iter().map(|&c| parsed.size(c)).collect();
    Ok(result.ordered(&order).reshape(shape))
}
