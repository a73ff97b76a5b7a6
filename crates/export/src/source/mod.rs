//! Source in C and Rust: loops over arrays of known sizes, with the weights inside and without allocation.

mod buffers;
mod language;
mod model;
mod nest;
mod steps;

use crate::forward::{Port, Recording, Source};
use crate::{Error, Forward, Number};
use buffers::plan;
pub(crate) use language::Language;
use language::{Syntax, hides};
pub(crate) use model::model;
use nest::Lines;
use steps::Steps;

impl Forward {
    /// A header in C99 with one function of this name, from one example to its outputs. It needs `math.h` alone, and no memory but a stack.
    ///
    /// # Errors
    /// Where an operation has no counterpart, or the name is none in C.
    pub fn c(&self, name: &str, number: Number) -> Result<String, Error> {
        let mut lines = Lines::new(Syntax { language: Language::C, number });
        let name = checked(name)?;
        guarded(&mut lines, name, &["math.h"], |lines| self.write(lines, name))?;
        Ok(lines.into_text())
    }

    /// A module in Rust with one function of this name, from one example to its outputs. It needs `core` and the crate `libm` alone, so it
    /// serves where there is no standard library.
    ///
    /// # Errors
    /// As [`Forward::c`].
    pub fn rust(&self, name: &str, number: Number) -> Result<String, Error> {
        let mut lines = Lines::new(Syntax { language: Language::Rust, number });
        self.write(&mut lines, checked(name)?)?;
        Ok(lines.into_text())
    }

    /// Constants and the function.
    pub(crate) fn write(&self, lines: &mut Lines, name: &str) -> Result<(), Error> {
        let recording = self.one();
        ports(recording, lines.syntax.language)?;
        let (places, sizes) = plan(recording);
        let steps = Steps { recording, places, prefix: name };
        for (at, node) in recording.nodes.iter().enumerate() {
            let array = steps.array(at, lines.syntax.language);
            match &node.source {
                Source::Numbers(numbers) => {
                    lines.comment(&format!("{:?}", node.shape));
                    lines.constants(&array, numbers);
                    lines.line("");
                }
                Source::Integers(integers) => {
                    lines.integers(&array, integers);
                    lines.line("");
                }
                Source::Input | Source::Computed => {}
            }
        }
        lines.comment(&format!("Arrays are in row-major order: {}.", sizes_told(recording)));
        let mut body = Lines::new(lines.syntax);
        for (k, &size) in sizes.iter().enumerate() {
            body.buffer(&format!("t{k}"), size);
        }
        for at in (0..recording.nodes.len()).filter(|&at| recording.nodes[at].source == Source::Computed) {
            self.step(&mut body, &steps, at)?;
        }
        for port in &recording.outputs {
            copy(&mut body, &steps, port);
        }
        lines.block(signature(recording, lines.syntax, name), |lines| {
            let names = recording.inputs.iter().map(|port| language::identifier(&port.name));
            for name in names.filter(|name| !body.names(name)).collect::<Vec<_>>() {
                let is_c = lines.syntax.language == Language::C;
                lines.line(if is_c { format!("(void){name};") } else { format!("let _ = {name};") });
            }
            lines.inner(body);
        });
        Ok(())
    }

    fn step(&self, lines: &mut Lines, steps: &Steps<'_>, at: usize) -> Result<(), Error> {
        let node = &self.one().nodes[at];
        let shown: Vec<String> = node.operands.iter().map(|&i| steps.array(i, lines.syntax.language)).collect();
        lines.comment(&format!(
            "{} = {}({}), {:?}",
            steps.array(at, lines.syntax.language),
            node.op,
            shown.join(", "),
            node.shape
        ));
        steps.write(lines, at).map_err(|why| Error::Operation {
            op: node.op.to_owned(),
            location: node.location,
            target: lines.syntax.language.name(),
            why: why.to_owned(),
        })
    }
}

/// A name that functions of the source can have, from any text.
///
/// ```
/// assert_eq!(export::identifier("New flats-2"), "new_flats_2");
/// assert_eq!(export::identifier("pow"), "pow_");
/// ```
pub fn identifier(text: &str) -> String {
    let mut name = language::identifier(text);
    if hides(&name) {
        name.push('_');
    }
    name
}

/// A name as it is, if it is one.
fn checked(name: &str) -> Result<&str, Error> {
    let near = identifier(name);
    if near == name {
        return Ok(name);
    }
    Err(Error::Port(format!("expected a name of lower-case letters, digits and `_`, found `{name}`; take `{near}`")))
}

/// A header in C, which may be included several times.
fn guarded(
    lines: &mut Lines,
    name: &str,
    needs: &[&str],
    inner: impl FnOnce(&mut Lines) -> Result<(), Error>,
) -> Result<(), Error> {
    let guard = format!("{}_H", name.to_uppercase());
    lines.line(format!("#ifndef {guard}"));
    lines.line(format!("#define {guard}"));
    lines.line("");
    for needed in needs {
        lines.line(format!("#include <{needed}>"));
    }
    lines.line("");
    inner(lines)?;
    lines.line("");
    lines.line("#endif");
    Ok(())
}

/// Holds the names of ports to be apart as names of the language, and away from those of buffers and indices.
fn ports(recording: &Recording, language: Language) -> Result<(), Error> {
    let mut names: Vec<String> =
        recording.inputs.iter().chain(&recording.outputs).map(|port| language::identifier(&port.name)).collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::Port(format!(
            "expected names that differ as names of {}, found `{}` twice",
            language.name(),
            twice
        )));
    }
    let inner = |name: &&String| {
        ["a", "b", "c", "i", "j", "k", "l", "m", "n", "p", "at", "best", "sum", "total"].contains(&&name[..])
            || hides(name)
            || name.strip_prefix(['t', 'i']).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
    };
    match names.iter().find(inner) {
        Some(name) => Err(Error::Port(format!("expected another name for `{name}`, which the source has for itself"))),
        None => Ok(()),
    }
}

fn numel(recording: &Recording, port: &Port) -> usize {
    recording.nodes[port.node].shape.iter().product()
}

fn sizes_told(recording: &Recording) -> String {
    let told = |port: &Port| format!("{} {:?}", port.name, recording.nodes[port.node].shape);
    recording.inputs.iter().chain(&recording.outputs).map(told).collect::<Vec<_>>().join(", ")
}

/// The first line of the function.
fn signature(recording: &Recording, syntax: Syntax, name: &str) -> String {
    let language = syntax.language;
    let parameter = |port: &Port, is_output: bool| {
        let (name, n) = (language::identifier(&port.name), numel(recording, port).max(1));
        match language {
            Language::C => {
                let element = if port.integers { "int" } else { syntax.element() };
                format!("{}{element} {name}[{n}]", if is_output { "" } else { "const " })
            }
            Language::Rust => {
                let element = if port.integers { "usize" } else { syntax.element() };
                format!("{name}: &{}[{element}; {n}]", if is_output { "mut " } else { "" })
            }
        }
    };
    let inputs = recording.inputs.iter().map(|port| parameter(port, false));
    let all: Vec<String> = inputs.chain(recording.outputs.iter().map(|port| parameter(port, true))).collect();
    match language {
        Language::C => format!("static inline void {name}({})", all.join(", ")),
        Language::Rust => format!("pub fn {name}({})", all.join(", ")),
    }
}

/// An output from where its value stands.
fn copy(lines: &mut Lines, steps: &Steps<'_>, port: &Port) {
    let language = lines.syntax.language;
    let (name, from) = (language::identifier(&port.name), steps.array(port.node, language));
    let n = numel(steps.recording, port);
    if n > 0 {
        lines.over("i", n, |lines| lines.line(format!("{name}[i] = {from}[i];")));
    }
}
