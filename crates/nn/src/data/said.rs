//! What columns mean, where somebody says so.

use crate::data::{DateOrder, Goal, Role, Schema};
use crate::error::{Error, Kind, shown};

impl Schema {
    /// Takes a column for what is said in place of what was guessed: `number`, `category`, `ignored` or `weight`, a date by the order of its parts
    /// (`year-month-day`, `day.month.year`, `month/day/year`), and a target for `classes`, `labels` or `values`.
    ///
    /// ```
    /// use nn::data::{Goal, Role, Schema, Table};
    /// # fn main() -> Result<(), nn::Error> {
    /// let table = Table::parse("a.csv", "zone,x,stars\n1,2.5,3\n2,3.5,4\n1,0.5,3\n2,1.5,5\n")?;
    /// let mut schema = Schema::infer(&table, &["stars"], &[])?;
    /// schema.take("zone", "category")?;
    /// schema.take("stars", "classes")?;
    /// assert_eq!(schema.column("zone").map(|field| field.kind), Some(Role::Category));
    /// assert_eq!(schema.target, Some(Goal::Classes("stars".into())));
    /// assert!(schema.take("stars", "number").is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where there is no such column, or it cannot be taken for that.
    pub fn take(&mut self, name: &str, kind: &str) -> Result<(), Error> {
        let why = "as asked for".to_owned();
        if let Some(columns) = self.target.as_ref().map(Goal::columns).filter(|all| all.iter().any(|of| of == name)) {
            let columns = columns.to_vec();
            self.target = Some(match (kind, &columns[..]) {
                ("classes", [only]) => Goal::Classes(only.clone()),
                ("labels", _) => Goal::Labels(columns),
                ("values", _) => Goal::Values(columns),
                _ => return Err(unknown(name, "the target", kind, "`classes` (of one column), `labels`, `values`")),
            });
            self.why = why;
            return Ok(());
        }
        let header = || self.columns.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
        let Some(place) = self.columns.iter().position(|field| field.name == name) else {
            let closest = crate::data::names::closest(name, self.columns.iter().map(|field| &field.name[..]));
            let closest = closest.map(str::to_owned);
            return Err(Error::of(Kind::NoColumn { name: name.to_owned(), header: header(), closest }));
        };
        let order = DateOrder::ALL.into_iter().find(|order| order.shown() == kind);
        let role = match kind {
            "number" => Role::Number,
            "category" => Role::Category,
            "ignored" | "weight" => Role::Ignore,
            _ => order.map(Role::Date).ok_or_else(|| {
                let orders = DateOrder::ALL.map(|order| format!("`{}`", order.shown())).join(", ");
                let known = format!("`number`, `category`, `ignored`, `weight`, {orders}");
                unknown(name, "the column", kind, &known)
            })?,
        };
        if kind == "weight" {
            self.weight = Some(name.to_owned());
        } else if self.weight.as_deref() == Some(name) {
            self.weight = None;
        }
        let field = &mut self.columns[place];
        (field.kind, field.why) =
            (role, if kind == "weight" { "the weight of rows, as asked for".to_owned() } else { why });
        Ok(())
    }
}

fn unknown(name: &str, what: &str, kind: &str, known: &str) -> Error {
    let text = format!("{what} `{}` cannot be taken for `{}`: expected one of {known}", shown(name), shown(kind));
    Error::of(Kind::Data(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dataset;
    use crate::data::{Preparing, Preprocess, Table};

    #[test]
    fn what_is_said_stands_before_what_was_guessed() {
        let table =
            Table::parse("a.csv", "n,day,w,y\n1,03/04/2020,1,2.5\n2,05/06/2020,2,3.5\n1,07/08/2020,3,1.25\n").unwrap();
        let mut schema = Schema::infer(&table, &["y"], &[]).unwrap();
        schema.take("n", "category").unwrap();
        schema.take("day", "month/day/year").unwrap();
        schema.take("w", "weight").unwrap();
        let prepare = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
        assert_eq!(prepare.names()[..3], ["n=1", "n=2", "day"]);
        let data: Dataset = prepare.examples(&table).unwrap();
        assert_eq!((data.width(), data.weights()), (5, Some(&[1.0, 2.0, 3.0][..])));
        assert_eq!(schema.column("day").map(|field| field.kind), Some(Role::Date(DateOrder::MonthDayYear)));
        schema.take("w", "number").unwrap();
        assert_eq!(schema.weight, None);
    }

    #[test]
    fn what_cannot_be_said_is_told_with_what_can() {
        let table = Table::parse("a.csv", "area,y\n1.5,2.5\n2.5,3.5\n1.25,1.25\n").unwrap();
        let mut schema = Schema::infer(&table, &["y"], &[]).unwrap();
        let mut said = |name: &str, kind: &str| schema.take(name, kind).unwrap_err().to_string();
        assert!(said("aera", "number").contains("is it `area`?"));
        assert!(
            said("area", "text").starts_with("the column `area` cannot be taken for `text`: expected one of `number`")
        );
        assert!(
            said("y", "category")
                .starts_with("the target `y` cannot be taken for `category`: expected one of `classes`")
        );
    }
}
