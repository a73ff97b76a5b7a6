//! Colours of pictures, for light and dark, and on paper.

use std::fmt::Write as _;

/// How many colours, dashes, markers and hatchings there are before they come again.
pub(crate) const KINDS: usize = 8;

/// Lines and marks on a light ground: each 3 : 1 and more against it, as the tests hold.
const LIGHT: [&str; KINDS] = ["#0b5cad", "#b45309", "#0f766e", "#7c3aed", "#be123c", "#57606a", "#6b6b00", "#a21caf"];
/// The same on a dark ground.
const DARK: [&str; KINDS] = ["#6cb2ff", "#f5a54a", "#4fd1b5", "#b79cff", "#ff7b93", "#a8b3bf", "#c9c94a", "#f08cf5"];
/// Ink, ground, and lines that only guide the eye.
const LIGHT_REST: [&str; 3] = ["#1a1d21", "#ffffff", "#d5d9de"];
const DARK_REST: [&str; 3] = ["#e8eaed", "#14171b", "#3a4048"];

const DASHES: [&str; KINDS] = ["none", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "2 5", "7 3 2 3 2 3"];

/// Which colours a picture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// Light or dark, as the reader's system asks, and light on paper.
    #[default]
    AsAsked,
    /// Light, whatever is asked.
    Light,
    /// Dark, whatever is asked.
    Dark,
}

/// The style sheet of all pictures, to stand once in a page: colours as variables (`--pic-ink`, `--pic-ground`, `--pic-0` to `--pic-7`)
/// in light, in dark where the reader's system asks for it, and light on paper.
pub fn style() -> String {
    of(Colours::AsAsked, ":root")
}

/// The same with these colours, as variables of a `root`.
pub(crate) fn of(colours: Colours, root: &str) -> String {
    let variables = |colours: [&str; KINDS], [ink, ground, grid]: [&str; 3]| {
        let mut text = format!("{root}{{--pic-ink:{ink};--pic-ground:{ground};--pic-grid:{grid};");
        for (k, colour) in colours.iter().enumerate() {
            // Writing to a string does not fail.
            let _ = write!(text, "--pic-{k}:{colour};");
        }
        text + "}"
    };
    let (light, dark) = (variables(LIGHT, LIGHT_REST), variables(DARK, DARK_REST));
    let mut css = match colours {
        Colours::AsAsked => {
            format!("{light}\n@media (prefers-color-scheme:dark){{{dark}}}\n@media print{{{light}}}\n")
        }
        Colours::Light => light + "\n",
        Colours::Dark => dark + "\n",
    };
    css.push_str(
        ".pic{max-width:100%;height:auto;color:var(--pic-ink);font:13px system-ui,sans-serif;overflow:visible}\n\
         .pic text{fill:currentColor;stroke:none;white-space:pre}\n.pic .small{font-size:11px}\n.pic .tiny{font-size:9px}\n\
         .pic .strong{font-weight:700}\n.pic .axis{stroke:currentColor;stroke-width:1;fill:none}\n\
         .pic .grid{stroke:var(--pic-grid);stroke-width:1;fill:none}\n.pic .edge{stroke:currentColor;stroke-width:1.2;fill:none}\n\
         .pic .box{stroke:currentColor;stroke-width:1.2;fill:var(--pic-ground)}\n.pic .ground{fill:var(--pic-ground)}\n\
         .pic .ink{fill:currentColor;stroke:none}\n.pic .open{fill:none;stroke:currentColor;stroke-width:1.3}\n\
         .pic .dashed{stroke-dasharray:5 4}\n.pic .soft{fill-opacity:.22;stroke:none}\n",
    );
    // Steps of values, from the least on.
    for level in 0..KINDS {
        let _ = writeln!(css, ".pic .level{level}{{fill-opacity:{:.2};stroke:none}}", 0.06 * level as f64);
    }
    for (k, dashes) in DASHES.iter().enumerate() {
        let _ = writeln!(
            css,
            ".pic .line{k}{{stroke:var(--pic-{k});stroke-width:2;stroke-dasharray:{dashes};fill:none;stroke-linejoin:round}}\
             .pic .mark{k}{{fill:var(--pic-ground);stroke:var(--pic-{k});stroke-width:1.8}}\
             .pic .fill{k}{{fill:var(--pic-{k})}}.pic .hatch{k}{{stroke:var(--pic-{k});stroke-width:1;fill:none}}"
        );
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let share = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// A colour over a ground, so much of it.
    fn over(colour: &str, ground: &str, share: f64) -> String {
        let part = |text: &str, at: usize| f64::from(u8::from_str_radix(&text[at..at + 2], 16).unwrap());
        let mixed = |at| (share * part(colour, at) + (1.0 - share) * part(ground, at)).round() as u8;
        format!("#{:02x}{:02x}{:02x}", mixed(1), mixed(3), mixed(5))
    }

    #[test]
    fn text_and_graphics_stand_out_in_light_and_dark() {
        for (colours, [ink, ground, _]) in [(LIGHT, LIGHT_REST), (DARK, DARK_REST)] {
            assert!(contrast(ink, ground) >= 7.0);
            for colour in colours {
                assert!(contrast(colour, ground) >= 4.5, "{colour} on {ground}");
                // Text over the strongest tint of a cell.
                let tint = over(colour, ground, crate::canvas::STRONGEST_TINT);
                assert!(contrast(ink, &tint) >= 4.5, "{ink} on {tint}");
            }
        }
    }
}
