//! How C and Rust write what both are asked for.

use crate::Number;
use crate::formula::{Formula, Function as F};

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Rust,
}

/// A language, and the numbers that it computes with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    pub(crate) language: Language,
    pub(crate) number: Number,
}

impl Language {
    /// What the user is shown.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::Rust => "Rust",
        }
    }

    /// Text as a literal.
    pub(crate) fn literal(self, text: &str) -> String {
        let mut literal = String::from("\"");
        for c in text.chars() {
            match (c, self) {
                ('"' | '\\', _) => literal.extend(['\\', c]),
                (' '..='~', Self::C) if c != '?' => literal.push(c), // no trigraphs
                (' '..='~', Self::Rust) => literal.push(c),
                (_, Self::Rust) => literal.extend(c.escape_unicode()),
                // Three digits each, so that nothing behind is taken for one more.
                (_, Self::C) => {
                    let mut bytes = [0; 4];
                    literal.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\{byte:03o}")));
                }
            }
        }
        literal.push('"');
        literal
    }

    /// Text that ends no comment.
    pub(crate) fn comment(self, text: &str) -> String {
        let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match self {
            Self::C => format!("/* {} */", one_line.replace("*/", "* /").replace("/*", "/ *")),
            Self::Rust => format!("// {one_line}"),
        }
    }
}

/// A name in both languages, from any text.
pub(crate) fn identifier(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let mut name: String = text.chars().map(plain).collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || name.chars().all(|c| c == '_') {
        name.insert_str(0, "column_");
    }
    if RESERVED.contains(&format!(" {name} ")) {
        name.push('_');
    }
    name
}

/// Words of either language that are no names.
const RESERVED: &str = " abstract as async auto await become bool box break case char class const continue crate default delete do double dyn \
    else enum explicit export extern false final float fn for friend gen goto if impl in inline int let long loop macro match mod move mut \
    namespace new operator override priv private protected pub public ref register restrict return self short signed sizeof static struct \
    super switch template this trait true try type typedef typeof union unsafe unsigned unsized use using virtual void volatile where while \
    yield main libm ";

/// Functions that the source calls, or that the headers of C have without being asked.
const FUNCTIONS: &str = " fabs floor ceil rint sqrt exp expm1 log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc \
    pow atan2 hypot fmod gamma y0 y1 yn j0 j1 jn ";

/// Whether a name would hide a function that is called.
pub(crate) fn hides(name: &str) -> bool {
    let plain = |name: &str| FUNCTIONS.contains(&format!(" {name} "));
    plain(name) || name.strip_suffix('f').is_some_and(plain)
}

impl Syntax {
    /// The type of numbers.
    pub(crate) fn element(self) -> &'static str {
        match (self.language, self.number) {
            (Language::C, Number::F32) => "float",
            (Language::C, Number::F64) => "double",
            (Language::Rust, Number::F32) => "f32",
            (Language::Rust, Number::F64) => "f64",
        }
    }

    /// A number, to its last bit.
    pub(crate) fn number(self, x: f64) -> String {
        let rounded = if self.number == Number::F32 { f64::from(x as f32) } else { x };
        if rounded.is_finite() {
            return match (self.number, self.language) {
                (Number::F64, _) => format!("{rounded:?}"),
                (Number::F32, Language::Rust) => format!("{:?}", x as f32),
                (Number::F32, Language::C) => format!("{:?}f", x as f32),
            };
        }
        let (c, rust) = if x.is_nan() { ("NAN", "NAN") } else { ("INFINITY", "INFINITY") };
        let sign = if x < 0.0 { "-" } else { "" };
        match self.language {
            Language::C => format!("{sign}{c}"),
            Language::Rust => format!("{sign}{}::{rust}", self.element()),
        }
    }

    fn function(self, name: &str, arguments: &[String]) -> String {
        let suffix = if self.number == Number::F32 { "f" } else { "" };
        let path = if self.language == Language::Rust { "libm::" } else { "" };
        let arguments: Vec<&str> = arguments.iter().map(|argument| bare(argument)).collect();
        format!("{path}{name}{suffix}({})", arguments.join(", "))
    }

    /// An integer as a number.
    pub(crate) fn cast(self, integer: &str) -> String {
        match self.language {
            Language::C => format!("({}){integer}", self.element()),
            Language::Rust => format!("{integer} as {}", self.element()),
        }
    }

    pub(crate) fn choice(self, condition: &str, then: &str, otherwise: &str) -> String {
        match self.language {
            Language::C => format!("({condition} ? {then} : {otherwise})"),
            Language::Rust => {
                let [condition, then, otherwise] = [condition, then, otherwise].map(bare);
                format!("(if {condition} {{ {then} }} else {{ {otherwise} }})")
            }
        }
    }

    /// A formula of operands.
    pub(crate) fn formula(self, formula: &Formula, operands: &[String]) -> String {
        match formula {
            Formula::Number(x) if *x < 0.0 => format!("({})", self.number(*x)),
            Formula::Number(x) => self.number(*x),
            Formula::Operand(i) => operands[*i].clone(),
            Formula::Select(parts) => {
                let [condition, a, b] = [0, 1, 2].map(|i| self.formula(&parts[i], operands));
                self.choice(&condition, &a, &b)
            }
            Formula::Call(function, arguments) => {
                let x: Vec<String> = arguments.iter().map(|argument| self.formula(argument, operands)).collect();
                let infix = |sign: &str| format!("({} {sign} {})", x[0], x[1]);
                let name = match function {
                    F::Neg => return format!("(-{})", x[0]),
                    F::Add => return infix("+"),
                    F::Sub => return infix("-"),
                    F::Mul => return infix("*"),
                    F::Div => return infix("/"),
                    F::Less => return infix("<"),
                    F::Equal => return infix("=="),
                    F::Or => return infix("||"),
                    F::Not => return format!("(!{})", x[0]),
                    F::Abs => "fabs",
                    F::Floor => "floor",
                    F::Ceil => "ceil",
                    F::RoundEven => "rint",
                    F::Sqrt => "sqrt",
                    F::Exp => "exp",
                    F::ExpM1 => "expm1",
                    F::Log => "log",
                    F::Log1p => "log1p",
                    F::Sin => "sin",
                    F::Cos => "cos",
                    F::Tan => "tan",
                    F::Asin => "asin",
                    F::Acos => "acos",
                    F::Atan => "atan",
                    F::Sinh => "sinh",
                    F::Cosh => "cosh",
                    F::Tanh => "tanh",
                    F::Asinh => "asinh",
                    F::Acosh => "acosh",
                    F::Atanh => "atanh",
                    F::Erf => "erf",
                    F::Erfc => "erfc",
                    F::Pow => "pow",
                    F::Atan2 => "atan2",
                    F::Hypot => "hypot",
                    F::Mod => "fmod",
                };
                self.function(name, &x)
            }
        }
    }
}

/// An expression without parentheses around the whole of it.
pub(crate) fn bare(expression: &str) -> &str {
    let Some(inner) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return expression };
    let mut depth = 0_i32;
    for c in inner.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth < 0 {
            return expression; // the first one closes before the end
        }
    }
    inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_name_a_literal_and_a_comment() {
        let c = Language::C;
        assert_eq!(
            ["Rent (€)", "1st", "", "type", "_"].map(identifier).join(" "),
            "rent____ column_1st column_ type_ column__"
        );
        assert_eq!(c.literal("a\"\\?é1"), "\"a\\\"\\\\\\077\\303\\2511\"");
        assert_eq!(Language::Rust.literal("a\"?é\n"), "\"a\\\"?\\u{e9}\\u{a}\"");
        assert_eq!(c.comment("a */ b\nc"), "/* a * / b c */");
        assert_eq!(
            (hides("pow"), hides("expf"), hides("power"), &identifier("Yield")[..]),
            (true, true, false, "yield_")
        );
    }

    #[test]
    fn parentheses_around_the_whole_go() {
        assert_eq!(
            ["(a + b)", "(a) + (b)", "((a) + (b))", "a", "()"].map(bare),
            ["a + b", "(a) + (b)", "(a) + (b)", "a", ""]
        );
    }

    #[test]
    fn numbers_are_written_to_the_last_bit() {
        let syntax = |language, number| Syntax { language, number };
        assert_eq!(syntax(Language::C, Number::F64).number(0.1), "0.1");
        assert_eq!(syntax(Language::C, Number::F32).number(0.1), "0.1f");
        assert_eq!(syntax(Language::Rust, Number::F64).number(-1e300), "-1e300");
        assert_eq!(syntax(Language::C, Number::F32).number(1e300), "INFINITY");
        assert_eq!(syntax(Language::Rust, Number::F64).number(f64::NEG_INFINITY), "-f64::INFINITY");
    }
}
