//! The page as it stands before any script has run: the whole argument at the published numbers.

mod parts;
mod table;

use std::io;
use std::num::NonZeroU64;
use zopfli::{Format, Options};

const PAGE: &str = include_str!("../web/page.html");
const STYLE: &str = include_str!("../web/page.css");
const SCRIPTS: [&str; 4] = [
    include_str!("../web/core.js"),
    include_str!("../web/draw.js"),
    include_str!("../web/sections.js"),
    include_str!("../web/page.js"),
];

/// More rounds take longer, and gain less than a thousandth.
const ROUNDS: NonZeroU64 = NonZeroU64::new(3).expect("three is not 0");

/// The page, with the library for browsers in it.
pub(crate) fn page(wasm: &[u8]) -> io::Result<String> {
    let mut packed = Vec::new();
    let packing = Options { iteration_count: ROUNDS, ..Options::default() };
    zopfli::compress(packing, Format::Gzip, wasm, &mut packed)?;
    let wasm = base64(&packed);
    let style = picture::style() + STYLE;
    let mut page = PAGE.to_owned();
    for (slot, content) in parts::all().map_err(io::Error::other)? {
        page = page.replace(&format!("{{{{{slot}}}}}"), &content);
    }
    // Last, since nothing in them is a slot.
    for (slot, content) in [("style", &style), ("script", &SCRIPTS.concat()), ("wasm", &wasm)] {
        page = page.replace(&format!("{{{{{slot}}}}}"), content);
    }
    Ok(page)
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let at = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if digit <= chunk.len() { DIGITS[at].into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_that_of_the_standard() {
        let want = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, want) in want.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), want);
        }
    }

    #[test]
    fn the_page_says_all_without_a_script_and_asks_for_nothing() {
        let page = page(b"no module").unwrap();
        assert!(!page.contains("{{"), "a slot is empty");
        for line in &softmax_net::derivation::LINES {
            assert!(page.contains(line.mathml), "{}", line.name);
        }
        assert!(page.contains("20 of 20 lines hold"));
        // The name of a language looks like an address, and nothing is asked of it; the hatching of a region is in the page itself.
        let page = page.replace("\"http://www.w3.org/2000/svg\"", "").replace("url(#", "");
        for address in ["src=\"", "href=\"http", "@import", "url(", "fetch(\"", "http:", "https:"] {
            assert!(!page.contains(address), "{address}");
        }
    }
}
