//! Sums of products by index letters, made of views and one batched product for each operand after the first.

use crate::error::{Error, Kind, Reason};
use crate::float::Float;
use crate::shape::Shape;
use crate::var::Var;

/// A parsed equation: the letters of each operand and of the result.
struct Equation {
    inputs: Vec<Vec<char>>,
    output: Vec<char>,
}

impl Equation {
    /// Parses `ij,jk->ik`; without an arrow the result has the letters that occur once, in alphabetical order.
    fn parse(equation: &str) -> Result<Self, Reason> {
        let fail = |text: String| Err(Reason::new(Kind::Option, text));
        let clean: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = match clean.split_once("->") {
            Some((left, right)) => (left.to_owned(), Some(right.to_owned())),
            None => (clean.clone(), None),
        };
        if let Some(c) =
            left.chars().chain(right.iter().flat_map(|r| r.chars())).find(|c| !c.is_alphabetic() && *c != ',')
        {
            return fail(format!("«{c}» in «{equation}» is no index letter"));
        }
        let inputs: Vec<Vec<char>> = left.split(',').map(|s| s.chars().collect()).collect();
        let output: Vec<char> = right.map_or_else(
            || {
                let all: Vec<char> = inputs.iter().flatten().copied().collect();
                let mut once: Vec<char> =
                    all.iter().copied().filter(|c| all.iter().filter(|d| *d == c).count() == 1).collect();
                once.sort_unstable();
                once
            },
            |right| right.chars().collect(),
        );
        for (i, c) in output.iter().enumerate() {
            if output[..i].contains(c) {
                return fail(format!("the result of «{equation}» names «{c}» twice"));
            }
            if !inputs.iter().flatten().any(|d| d == c) {
                return fail(format!("the result of «{equation}» names «{c}», which no operand has"));
            }
        }
        Ok(Self { inputs, output })
    }
}

/// A variable whose dimensions have letters, each once.
struct Lettered<'t, T: Float> {
    var: Var<'t, T>,
    letters: Vec<char>,
}

impl<'t, T: Float> Lettered<'t, T> {
    /// An operand: a repeated letter takes the diagonal.
    #[track_caller]
    fn new(mut var: Var<'t, T>, mut letters: Vec<char>) -> Self {
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
    fn keep(self, wanted: impl Fn(char) -> bool) -> Self {
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
    fn ordered(self, letters: &[char]) -> Var<'t, T> {
        if self.letters == letters {
            return self.var;
        }
        let place = |c: &char| self.letters.iter().position(|d| d == c).expect("the letters are the same") as isize;
        self.var.transpose(&letters.iter().map(place).collect::<Vec<_>>())
    }

    fn size(&self, letter: char) -> usize {
        let i = self.letters.iter().position(|&c| c == letter).expect("the operand has the letter");
        self.var.sizes()[i]
    }

    /// The product of two operands, summed over the letters that both have and nobody wants: one batched matrix
    /// product.
    #[track_caller]
    fn product(self, other: Self, wanted: impl Fn(char) -> bool) -> Self {
        let (of_a, of_b) = (self.letters.clone(), other.letters.clone());
        let a = self.keep(|c| wanted(c) || of_b.contains(&c));
        let b = other.keep(|c| wanted(c) || of_a.contains(&c));
        let pick = |letters: &[char], f: &dyn Fn(char) -> bool| -> Vec<char> {
            letters.iter().copied().filter(|c| f(*c)).collect()
        };
        let batch = pick(&a.letters, &|c| b.letters.contains(&c) && wanted(c));
        let inner = pick(&a.letters, &|c| b.letters.contains(&c) && !wanted(c));
        let rows = pick(&a.letters, &|c| !b.letters.contains(&c));
        let cols = pick(&b.letters, &|c| !a.letters.contains(&c));
        let sizes = |of: &Self, letters: &[char]| letters.iter().map(|&c| of.size(c)).collect::<Vec<_>>();
        let (batch_sizes, row_sizes, col_sizes) = (sizes(&a, &batch), sizes(&a, &rows), sizes(&b, &cols));
        let [m, k, n] = [&row_sizes, &sizes(&a, &inner), &col_sizes].map(|s| s.iter().product::<usize>());
        let matrix = |m: usize, n: usize| batch_sizes.iter().copied().chain([m, n]).collect::<Shape>();
        let a = a.ordered(&[&batch[..], &rows, &inner].concat()).reshape(matrix(m, k));
        let b = b.ordered(&[&batch[..], &inner, &cols].concat()).reshape(matrix(k, n));
        let shape: Shape = batch_sizes.iter().chain(&row_sizes).chain(&col_sizes).copied().collect();
        Self { var: a.matmul(b).reshape(shape), letters: [batch, rows, cols].concat() }
    }
}

fn repeated(letters: &[char]) -> Option<(usize, usize)> {
    (0..letters.len()).find_map(|i| (i + 1..letters.len()).find(|&j| letters[i] == letters[j]).map(|j| (i, j)))
}

/// The sum of products that an equation names, as `numpy.einsum`: `ij,jk->ik` is a matrix product, `ii->i` a diagonal,
/// `ij->` a sum. Operands are multiplied from left to right. Ellipses are not supported.
///
/// ```
/// use autograd::{einsum, Tape, Tensor};
/// let tape = Tape::new();
/// let a = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
/// let x = tape.var(&Tensor::from([1.0, 10.0]));
/// assert_eq!(einsum("ij,j->i", &[a, x]).value().as_slice(), [21.0, 43.0]);
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
    let tape = first.tape();
    let _whole = tape.try_composite("einsum", operands.iter().copied())?;
    let parsed = match Equation::parse(equation).and_then(|parsed| fits(&parsed, equation, operands).map(|()| parsed)) {
        Ok(parsed) => parsed,
        Err(reason) => return Err(tape.error("einsum", reason, operands)),
    };
    let mut rest = parsed.inputs.clone();
    let mut result: Option<Lettered<'t, T>> = None;
    for &operand in operands {
        let operand = Lettered::new(operand, rest.remove(0));
        let wanted = |c: char| parsed.output.contains(&c) || rest.iter().flatten().any(|&d| d == c);
        result = Some(match result {
            None => operand.keep(wanted),
            Some(so_far) => so_far.product(operand, wanted),
        });
    }
    let result = result.expect("there is at least one operand");
    Ok(result.keep(|c| parsed.output.contains(&c)).ordered(&parsed.output))
}

/// Whether the equation has as many operands and dimensions as there are, and equal letters equal sizes.
fn fits<T: Float>(parsed: &Equation, equation: &str, operands: &[Var<'_, T>]) -> Result<(), Reason> {
    if parsed.inputs.len() != operands.len() {
        let text = format!("«{equation}» names {} operands, {} are given", parsed.inputs.len(), operands.len());
        return Err(Reason::new(Kind::Option, text));
    }
    let mut sizes: Vec<(char, usize)> = Vec::new();
    for (k, (letters, operand)) in parsed.inputs.iter().zip(operands).enumerate() {
        let shape = operand.shape();
        if letters.len() != shape.rank() {
            return Err(Reason::shape(format!("«{equation}» gives operand {k} {} dimensions", letters.len())));
        }
        for (&letter, &size) in letters.iter().zip(&*shape) {
            match sizes.iter().find(|(c, _)| *c == letter) {
                Some(&(_, known)) if known != size => {
                    return Err(Reason::shape(format!("«{letter}» in «{equation}» is {known} and {size}")));
                }
                Some(_) => {}
                None => sizes.push((letter, size)),
            }
        }
    }
    Ok(())
}
