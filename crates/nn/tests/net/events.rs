//! What TensorBoard itself reads of events, where Python has it. (The unit tests read them by a reader of their own.)

use autograd::Tensor;
use nn::train::{Events, History};
use nn::{Activation, Mlp};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

#[test]
fn tensorboard_reads_what_was_told() {
    let folder = std::env::temp_dir().join(format!("nn-tensorboard-{}", std::process::id()));
    let net: Mlp<Tensor> = Mlp::new(&[4, 8, 3], Activation::Tanh, 0);
    let mut events = Events::create(&folder).unwrap();
    let mut history = History::default();
    for epoch in 1..=2000 {
        history.push(&[("epoch", f64::from(epoch)), ("loss", 1.0 / f64::from(epoch)), ("held_out_loss", 0.25)]);
        events.history(&history).unwrap();
    }
    events.numbers(1 << 40, &[("rate", 0.125), ("Größe", -3.0)]).unwrap();
    events.histograms(7, "weights", &net).unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/events.py");
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let has_it =
        Command::new(&python).args(["-c", "import tensorboard"]).output().is_ok_and(|out| out.status.success());
    if has_it {
        let out = Command::new(&python).arg(script).arg(&folder).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let read: Value = serde_json::from_slice(&out.stdout).unwrap();
        let losses: Vec<Value> =
            (1..=2000).map(|epoch| json!([epoch, f64::from((1.0 / f64::from(epoch)) as f32)])).collect();
        let numbers = &read["numbers"];
        assert_eq!(numbers["loss/train"], Value::from(losses));
        assert_eq!(numbers["loss/held_out"].as_array().unwrap().len(), 2000);
        assert_eq!(
            (&numbers["rate"], &numbers["Größe"]),
            (&json!([[1_i64 << 40, 0.125]]), &json!([[1_i64 << 40, -3.0]]))
        );
        let sizes = [("0.weight", 32.0), ("0.bias", 8.0), ("1.weight", 24.0), ("1.bias", 3.0)];
        let expected = sizes.map(|(name, size)| (format!("weights/layers.{name}"), json!([[7, size, size]])));
        assert_eq!(read["histograms"], Value::from_iter(expected));
    } else {
        eprintln!("{python} has no tensorboard: that it reads the file was not tested");
    }
    // A file for each call of `create`, and nothing else.
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(folder).unwrap();
}
