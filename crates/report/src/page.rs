//! One HTML file, section after section, that stays small.

use picture::{Picture, Table, escaped};
use std::fmt::Write as _;

/// How many bytes a page has before pictures are left out of it.
const MOST: usize = 470_000;

const STYLE: &str = "\
:root{color-scheme:light dark;--muted:#4a525b;--link:#0b5cad;--line:#8a939d}
@media (prefers-color-scheme:dark){:root{--muted:#b3bac2;--link:#6cb2ff;--line:#78818b}}
@media print{:root{--muted:#4a525b;--link:#0b5cad;--line:#8a939d;color-scheme:light}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;background:var(--pic-ground);color:var(--pic-ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,nav,main,footer{max-width:46rem;margin:0 auto}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.25rem;line-height:1.3;margin:2.2rem 0 .4rem;border-top:1px solid var(--line);padding-top:.8rem}
h3{font-size:1.05rem;margin:1.2rem 0 .3rem}
p,ul{margin:.5rem 0}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible,button:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.verdict{font-size:1.2rem;line-height:1.45;border-left:5px solid var(--link);padding:.2rem 0 .2rem .8rem}
nav ul{padding:0;list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1rem}
nav a,summary{display:inline-block;padding:.3rem 0;min-height:1.6rem}
summary{cursor:pointer;color:var(--link);text-decoration:underline}
figure{margin:1rem 0 1.4rem}
figcaption{margin-bottom:.5rem}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;margin:.5rem 0}
caption{text-align:left;color:var(--muted);padding:.2rem 0}
th,td{border:1px solid var(--line);padding:.2rem .5rem;text-align:right;vertical-align:top;overflow-wrap:normal;word-break:normal}
th{text-align:left;font-weight:600}
.words{text-align:left}
.long{min-width:11rem;overflow-wrap:anywhere}
pre{overflow-x:auto;padding:.6rem;border:1px solid var(--line);white-space:pre-wrap;overflow-wrap:anywhere}
.note{color:var(--muted)}
button{font:inherit;min-height:2rem;padding:.2rem .8rem}
progress{width:100%;height:1.2rem}
@media print{body{padding:0;font-size:10pt}nav,button{display:none}details{display:block}figure,table,tr{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}}
";

/// A page that is being written.
pub(crate) struct Page {
    title: String,
    head: String,
    sections: Vec<(String, String)>,
    top: String,
    body: String,
    pictures: usize,
}

impl Page {
    pub(crate) fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            head: String::new(),
            sections: Vec::new(),
            top: String::new(),
            body: String::new(),
            pictures: 0,
        }
    }

    /// Something for the head, as it is.
    pub(crate) fn head(&mut self, html: &str) {
        self.head.push_str(html);
    }

    /// What stands above all sections, as it is.
    pub(crate) fn top(&mut self, html: &str) {
        self.top.push_str(html);
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, title: &str) {
        let id = format!("s{}", self.sections.len() + 1);
        if !self.sections.is_empty() {
            self.body.push_str("</section>\n");
        }
        let _ = write!(self.body, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n", escaped(title));
        self.sections.push((id, title.to_owned()));
    }

    pub(crate) fn heading(&mut self, title: &str) {
        let _ = writeln!(self.body, "<h3>{}</h3>", escaped(title));
    }

    /// A paragraph of plain text.
    pub(crate) fn says(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p>{}</p>", escaped(text));
    }

    /// A paragraph that matters less.
    pub(crate) fn note(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p class=\"note\">{}</p>", escaped(text));
    }

    /// Lines as they are to be typed.
    pub(crate) fn code(&mut self, lines: &[String]) {
        let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
        let _ = writeln!(self.body, "<pre tabindex=\"0\"><code>{}</code></pre>", lines.join("\n"));
    }

    pub(crate) fn table(&mut self, table: &Table) {
        self.add(table.html(), &table.caption);
    }

    /// A picture with its description and its numbers.
    pub(crate) fn picture(&mut self, picture: &Picture) {
        self.pictures += 1;
        self.add(picture.figure(&format!("picture-{}", self.pictures)), &picture.title);
    }

    fn add(&mut self, html: String, title: &str) {
        if self.body.len() + html.len() > MOST {
            self.note(&format!("{title}: left out, since this file would become too large."));
        } else {
            self.body.push_str(&html);
            self.body.push('\n');
        }
    }

    pub(crate) fn html(mut self, foot: &str) -> String {
        if !self.sections.is_empty() {
            self.body.push_str("</section>\n");
        }
        let mut links = String::new();
        for (id, title) in &self.sections {
            let _ = write!(links, "<li><a href=\"#{id}\">{}</a></li>", escaped(title));
        }
        let nav = if links.is_empty() {
            String::new()
        } else {
            format!("<nav aria-label=\"Sections\"><ul>{links}</ul></nav>\n")
        };
        let (title, head, top, body, style) = (escaped(&self.title), self.head, self.top, self.body, picture::style());
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>{title}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<link rel=\"icon\" href=\"data:,\"/>\n{head}<style>\n{style}{STYLE}</style>\n</head>\n\
             <body>\n<header>\n<h1>{title}</h1>\n{top}</header>\n{nav}<main>\n{body}</main>\n<footer>\n<p class=\"note\">{}</p>\n</footer>\n</body>\n</html>\n",
            escaped(foot)
        )
    }
}
