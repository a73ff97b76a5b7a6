//! What was trained.

use crate::page::Page;
use crate::seen::Seen;
use crate::{Report, count, short};
use nn::data::Role;
use nn::train::summary;
use picture::{Cell, Table};

pub(crate) fn write(page: &mut Page, seen: &Seen, report: &Report) {
    page.section("What was trained");
    let model = seen.model;
    let sizes: Vec<String> = model.net.layers.iter().map(|layer| layer.weight.shape()[0].to_string()).collect();
    let parts = summary(&model.net);
    let features = model.preprocess.names().len();
    let net = if sizes.len() == 1 {
        format!(
            "A linear model from {} to {}",
            count(features, "feature", "features"),
            count(seen.width(), "output", "outputs")
        )
    } else {
        format!(
            "A net from {} over layers of {} nodes ({:?})",
            count(features, "feature", "features"),
            sizes.join(", "),
            model.net.activation
        )
    };
    page.says(&format!("{net}, with {}.", count(parts.parameters, "parameter", "parameters")));

    let mut settings = Table::new("Settings", &["setting", "value"]);
    settings.most_rows = Some(120);
    for (name, value) in &report.settings {
        settings.push([name.as_str(), value.as_str()]);
    }
    let said = |name: &str| report.settings.iter().any(|(known, _)| known == name);
    for (name, value) in model.about.iter().filter(|(name, _)| !said(name)) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        settings.push([name.as_str(), value.as_str()]);
    }
    if !said("version") && !model.about.contains_key("version") {
        settings.push(["version", env!("CARGO_PKG_VERSION")]);
    }
    page.table(&settings);

    let mut columns =
        Table::new("Columns, and what they were taken for", &["column", "taken as", "why", "some of its cells"]);
    for field in &model.schema.columns {
        let samples: Vec<String> = field.samples.iter().map(|cell| short(cell)).collect();
        columns.push([field.name.clone(), field.kind.to_string(), field.why.clone(), samples.join(", ")]);
    }
    page.table(&columns);
    let ignored = model.schema.columns.iter().filter(|field| field.kind == Role::Ignore).count();
    if ignored > 0 {
        page.note(&format!(
            "{} learnt from.",
            if ignored == 1 { "1 column is not".to_owned() } else { format!("{ignored} columns are not") }
        ));
    }
    let mut tensors = Table::new("Tensors of the net", &["tensor", "shape", "parameters"]);
    for part in &parts.parts {
        tensors.rows.push(vec![
            part.path.as_str().into(),
            Cell::text(part.shape.to_string()),
            (part.parameters as f64).into(),
        ]);
    }
    page.table(&tensors);
}
