//! The page while training goes on.

use crate::curves::pictures;
use crate::page::Page;
use nn::train::History;
use picture::{Table, escaped, number};

/// A page to be written anew while a net is trained, which loads itself again until the [report](crate::Report) stands in its place.
///
/// ```
/// use nn::train::History;
/// use report::Live;
/// let mut history = History::default();
/// history.push(&[("epoch", 1.0), ("loss", 0.5)]);
/// let live = Live { title: "Predicting species".into(), said: "32 hidden nodes".into(), share: 0.25, history: &history, ..Live::new(&history) };
/// assert!(live.html().contains("25 %"));
/// ```
#[derive(Clone, Debug)]
pub struct Live<'a> {
    /// What stands above all.
    pub title: String,
    /// What is being done.
    pub said: String,
    /// How much of it is done, from 0 to 1.
    pub share: f64,
    /// How long it will still take, in words; empty where that is not known.
    pub remains: String,
    /// The numbers so far.
    pub history: &'a History,
    /// What was tried, with its loss on rows that it was not trained with.
    pub tried: Vec<(String, f64)>,
    /// After how many seconds it is loaded again.
    pub every: u32,
}

impl<'a> Live<'a> {
    /// Nothing is told yet; it is loaded again each second.
    pub fn new(history: &'a History) -> Self {
        Self {
            title: "Training".into(),
            said: String::new(),
            share: 0.0,
            remains: String::new(),
            history,
            tried: Vec::new(),
            every: 1,
        }
    }

    /// The file. Where scripts are allowed there is a button that stops the loading; without them it goes on by itself.
    pub fn html(&self) -> String {
        let every = self.every.max(1);
        let mut page = Page::new(&self.title);
        page.head(&format!("<noscript><meta http-equiv=\"refresh\" content=\"{every}\"/></noscript>\n"));
        let share = if self.share.is_finite() { self.share.clamp(0.0, 1.0) } else { 0.0 };
        let percent = number((share * 100.0).floor());
        let remains =
            if self.remains.is_empty() { String::new() } else { format!(", {} left", escaped(&self.remains)) };
        page.top(&format!(
            "<p class=\"verdict\">Training: {percent} % of what there may be{remains}. {}</p>\n\
             <p><progress max=\"100\" value=\"{percent}\" aria-label=\"Training\">{percent} %</progress></p>\n\
             <p><button type=\"button\" id=\"hold\" hidden=\"hidden\">Pause this page</button></p>\n\
             <script>(function(){{var b=document.getElementById('hold'),t,k='paused:'+location.pathname,s;try{{s=sessionStorage}}catch(e){{}}\
             function go(){{t=setTimeout(function(){{location.reload()}},{every}000)}}\
             function set(p){{b.textContent=p?'Go on':'Pause this page';if(s){{s.setItem(k,p?'1':'')}}clearTimeout(t);if(!p){{go()}}}}\
             b.hidden=false;var p=!!(s?s.getItem(k):'');set(p);b.onclick=function(){{p=!p;set(p)}}}})();</script>\n",
            escaped(&self.said)
        ));
        page.section("Curves");
        if self.history.is_empty() {
            page.says("No step is done yet.");
        } else {
            page.says("The numbers so far.");
        }
        for picture in pictures(self.history) {
            page.picture(&picture);
        }
        page.section("What was tried");
        if self.tried.is_empty() {
            page.says("Nothing is judged yet.");
        } else {
            let best = self.tried.iter().min_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((name, loss)) = best {
                page.says(&format!(
                    "The best so far is {name}, with a loss of {} on rows that it was not trained with.",
                    number(*loss)
                ));
            }
            let mut table = Table::new("What was tried, with its loss", &["net", "loss"]);
            for (name, loss) in &self.tried {
                table.rows.push(vec![name.as_str().into(), (*loss).into()]);
            }
            page.table(&table);
        }
        page.html("This page is written anew while training goes on.")
    }
}
