//! Floats as JSON, which has no NaN and no infinities: those are the texts `NaN`, `inf` and `-inf`, so that what a checkpoint holds comes back
//! as it was.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A float of any value, as it is written.
#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(&'static str),
}

fn written(x: f64) -> Written {
    match x {
        x if x.is_finite() => Written::Number(x),
        x if x.is_nan() => Written::Text("NaN"),
        x => Written::Text(if x > 0.0 { "inf" } else { "-inf" }),
    }
}

fn read<E: Error>(written: &Given) -> Result<f64, E> {
    match written {
        Given::Number(x) => Ok(*x),
        Given::Text(text) => match &text[..] {
            "NaN" => Ok(f64::NAN),
            "inf" => Ok(f64::INFINITY),
            "-inf" => Ok(f64::NEG_INFINITY),
            _ => Err(E::custom("a number, `NaN`, `inf` or `-inf` is needed")),
        },
    }
}

/// The same as it is read.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Number(f64),
    Text(String),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(crate) fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    written(*x).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    read(&Given::deserialize(deserializer)?)
}

/// A float that may be absent.
pub(crate) mod option {
    use super::{Deserialize, Deserializer, Given, Serialize, Serializer, read, written};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(x: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        x.map(written).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Option::<Given>::deserialize(deserializer)?.as_ref().map(read).transpose()
    }
}

/// Rows of floats.
pub(crate) mod rows {
    use super::{Deserialize, Deserializer, Given, Serialize, Serializer, Written, read, written};

    pub(crate) fn serialize<S: Serializer>(rows: &[Vec<f64>], serializer: S) -> Result<S::Ok, S::Error> {
        let rows: Vec<Vec<Written>> = rows.iter().map(|row| row.iter().map(|&x| written(x)).collect()).collect();
        rows.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<f64>>, D::Error> {
        let rows = Vec::<Vec<Given>>::deserialize(deserializer)?;
        rows.iter().map(|row| row.iter().map(read).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::train::{Best, Better, EarlyStop, History};

    #[test]
    fn what_is_not_finite_comes_back_as_it_was() {
        let mut history = History::default();
        history.push(&[("loss", f64::INFINITY), ("rate", 0.1)]);
        history.push(&[("loss", f64::NEG_INFINITY)]);
        let text = serde_json::to_string(&history).unwrap();
        assert_eq!(text, r#"{"names":["loss","rate"],"rows":[["inf",0.1],["-inf","NaN"]]}"#);
        let read: History = serde_json::from_str(&text).unwrap();
        assert_eq!(read.rows[0], history.rows[0]);
        assert!(read.rows[1][1].is_nan());
        let mut stop = EarlyStop::new(2);
        stop.stop(f64::INFINITY);
        assert_eq!(serde_json::from_value::<EarlyStop>(serde_json::to_value(&stop).unwrap()).unwrap(), stop);
        let mut best = Best::new(Better::Higher);
        best.offer(f64::NEG_INFINITY, &autograd::Tensor::scalar(1.0));
        let read: Best<autograd::Tensor> = serde_json::from_value(serde_json::to_value(&best).unwrap()).unwrap();
        assert_eq!((read.value, read.params), (Some(f64::NEG_INFINITY), None));
        assert!(serde_json::from_str::<History>(r#"{"names":["a"],"rows":[["one"]]}"#).is_err());
    }
}
