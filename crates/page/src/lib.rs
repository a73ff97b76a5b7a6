//! The page "One gradient, three ways": the toy network in a browser, computed by the engine itself.
//!
//! [`answer`] takes a request and gives numbers, both as JSON; what they look like is the page's affair. In a browser it is
//! reached through the one exported function, `call`; the program `page` asks it natively for the numbers that the page shows
//! before any script has run, and so do the tests. Each request is small enough for a browser to stay responsive: what
//! takes long is asked for in parts.
//!
//! ```
//! let answer = page::answer(r#"{"ask": "line", "name": "Eq. 1.3"}"#);
//! let answer: serde_json::Value = serde_json::from_str(&answer)?;
//! assert_eq!(answer["passed"], true);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod ask;
mod call;
mod state;

pub use ask::answer;
