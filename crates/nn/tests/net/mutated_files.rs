//! Files that were damaged, or made to do harm: each is read, or an error tells of it.

use autograd::Tensor;
use nn::data::{Output, Preparing, Preprocess, Schema, Table};
use nn::file::{Checkpoint, Loading, Model, Predictor, Stored};
use nn::layers::{Between, Sequential};
use nn::{Activation, Error, Mlp, generator};
use rand::RngExt;
use std::sync::atomic::{AtomicU32, Ordering};

/// What stands where a number of a header or a text stood.
const WORDS: [&str; 20] = [
    "-1",
    "0",
    "1",
    "2",
    "3",
    "1e999",
    "null",
    "[]",
    "{}",
    "\"\"",
    "18446744073709551615",
    "9223372036854775808",
    "4294967296",
    "true",
    "NaN",
    "[[[[",
    "1e-320",
    "-0.0",
    "100000000",
    "\"\\u0007\"",
];

/// A file with some of its bytes, or of the words of its header, replaced.
fn mutated(rng: &mut impl RngExt, file: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..rng.random_range(1..4) {
        if bytes.len() < 16 {
            break;
        }
        let at = rng.random_range(0..bytes.len());
        let end = (at + rng.random_range(0..32)).min(bytes.len());
        match rng.random_range(0..10) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = rng.random(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let from = rng.random_range(0..other.len());
                bytes.splice(at..end, other[from..].iter().copied().take(40));
            }
            5 => {
                let length = rng.random::<u64>() >> rng.random_range(0..64);
                bytes[..8].copy_from_slice(&length.to_le_bytes());
            }
            _ => replace_word(rng, &mut bytes),
        }
    }
    bytes
}

/// Puts another word in place of a number of the header, whose length stays right.
fn replace_word(rng: &mut impl RngExt, bytes: &mut Vec<u8>) {
    let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length) as usize);
    let Some(header) = bytes.get(8..).and_then(|rest| rest.get(..length)) else { return };
    let of_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let starts: Vec<usize> = (1..length).filter(|&i| of_number(header[i]) && !of_number(header[i - 1])).collect();
    if starts.is_empty() {
        return;
    }
    let start = starts[rng.random_range(0..starts.len())];
    let end = (start..length).find(|&i| !of_number(header[i])).unwrap_or(length);
    let word = WORDS[rng.random_range(0..WORDS.len())];
    bytes.splice(8 + start..8 + end, word.bytes());
    bytes[..8].copy_from_slice(&((length + word.len() - (end - start)) as u64).to_le_bytes());
}

fn told(error: &Error) {
    let text = error.to_string();
    assert!(text.starts_with("hostile"), "{text}");
    assert!(text.len() < 4000 && !text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}

fn net() -> Mlp<Tensor> {
    Mlp::new(&[3, 2, 2], Activation::Tanh, 0)
}

/// Layers that a user makes for columns, whatever a file says of them.
fn layers(columns: &Preprocess) -> Sequential<Tensor> {
    let outputs = columns.output.as_ref().map_or(1, Output::width);
    Sequential::mlp(&[columns.names().len(), 3, outputs], Activation::Tanh, Between::default(), 1)
}

fn own_model(Model { schema, preprocess, .. }: Model) -> Model<Sequential<Tensor>> {
    let net = layers(&preprocess);
    Model::new(schema, preprocess, net)
}

/// What is known of the columns may be other than it was: an answer or an error, but no panic.
fn predict<N: Predictor>(model: &Model<N>, rows: &Table) {
    _ = model.predict(rows);
    _ = model.predict_row(&[("colour", "black"), ("weight", "5"), ("day", "2024-05-06")]);
}

/// Files of each kind, by the name that tells the kind.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    const TEXT: &str = "weight,colour,day,kind,price\n4.1,black,2024-01-02,cat,10.5\n30,brown,2024-02-03,dog,80.25\n\
                ,grey,2024-03-04,cat,12.125\n25,black,2024-04-05,dog,60.5\n";
    // One for each call: tests run at once.
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let table = Table::parse("pets.csv", TEXT).unwrap();
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("nn-mutated-{}-{call}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let written = |name: &str, write: &dyn Fn(&std::path::Path)| {
        let path = folder.join(name);
        write(&path);
        std::fs::read(path).unwrap()
    };
    let model = |target: &str, ignore: &str| {
        let schema = Schema::infer(&table, &[target], &[ignore]).unwrap();
        let preprocess = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
        let outputs = preprocess.output.as_ref().unwrap().width();
        let net = Mlp::new(&[preprocess.names().len(), 3, outputs], Activation::Tanh, 1);
        Model::new(schema, preprocess, net)
    };
    let mut checkpoint = Checkpoint::new();
    checkpoint.put("net", &net()).set("step", &7_u64).set("history", &vec![0.5, 0.25]);
    let files = vec![
        ("net", Stored::of(&net()).bytes()),
        ("npz", written("net.npz", &|path| Stored::of(&net()).write(path).unwrap())),
        ("model", written("classes", &|path| model("kind", "price").save(path).unwrap())),
        ("model", written("values", &|path| model("price", "kind").save(path).unwrap())),
        ("own model", written("own", &|path| own_model(model("kind", "price")).save(path).unwrap())),
        ("checkpoint", written("checkpoint", &|path| checkpoint.save(path).unwrap())),
    ];
    std::fs::remove_dir_all(folder).unwrap();
    files
}

/// Reads so many damaged files of each kind; how many were read all the same.
pub(crate) fn attack(seed: u64, count: u64) -> u64 {
    let (rng, files, mut whole) = (&mut generator(seed), files(), 0);
    let rows = Table::parse("new.csv", "colour,weight,day\nblack,5,2024-05-06\nnew,,\n").unwrap();
    for i in 0..count {
        let (kind, file) = &files[(i % files.len() as u64) as usize];
        let (_, other) = &files[rng.random_range(0..files.len())];
        let bytes = mutated(rng, file, other);
        match *kind {
            "model" => match Model::parse("hostile", &bytes) {
                Ok(model) => {
                    whole += 1;
                    predict(&model, &rows);
                }
                Err(error) => told(&error),
            },
            "own model" => match Model::parse_with("hostile", &bytes, |columns, _| layers(columns)) {
                Ok(model) => {
                    whole += 1;
                    predict(&model, &rows);
                }
                Err(error) => told(&error),
            },
            "checkpoint" => match Checkpoint::parse("hostile", &bytes) {
                Ok(checkpoint) => {
                    whole += 1;
                    let mut old = net();
                    match checkpoint.restore("net", &mut old) {
                        Ok(()) => assert!(old.predict(&Tensor::zeros([1, 3])).shape()[..] == [1, 2]),
                        Err(error) => {
                            told(&error);
                            assert_eq!(old, net());
                        }
                    }
                    checkpoint.get::<u64>("step").map_or_else(|error| told(&error), |_| ());
                }
                Err(error) => told(&error),
            },
            _ => match Stored::parse("hostile", &bytes) {
                Ok(stored) => {
                    whole += 1;
                    let mut old = net();
                    if let Err(error) = Loading::default().apply(&mut old, "hostile", &stored) {
                        told(&error);
                        assert_eq!(old, net());
                    }
                    // What was read can be written, and is the same then.
                    let again = stored.bytes();
                    assert_eq!(Stored::parse("again", &again).unwrap().bytes(), again);
                }
                Err(error) => told(&error),
            },
        }
    }
    whole
}

#[test]
fn a_damaged_file_is_read_or_told_and_nothing_panics() {
    let count = std::env::var("MUTATED_FILES").map_or(2000, |n| n.parse().unwrap());
    let whole = attack(0, count);
    let some = count / 40..count - count / 40;
    assert!(some.contains(&whole), "{whole} of {count} were read: too many or too few to tell anything");
}

#[test]
fn saves_at_once_from_threads_leave_one_of_them_whole() {
    let folder = std::env::temp_dir().join(format!("nn-at-once-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = &folder.join("net.safetensors");
    let save = |of: u32| nn::save(&[Tensor::full([500], f64::from(of))], path);
    save(0).unwrap();
    std::thread::scope(|scope| {
        let savers: Vec<_> = (1..4).map(|of| scope.spawn(move || (0..15).try_for_each(|_| save(of)))).collect();
        while !savers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let mut net = [Tensor::<f64>::zeros([500])];
            nn::load(&mut net, path).unwrap();
            assert!(net[0].as_slice().iter().all(|&x| x == net[0].as_slice()[0]), "two saves are mixed");
        }
        for saver in savers {
            saver.join().unwrap().unwrap();
        }
    });
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1); // nothing temporary
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn all_that_differs_between_a_file_and_a_net_is_told_at_once_and_the_net_stays() {
    let mut stored = Stored::of(&net());
    let bias = stored.tensors.remove("layers.1.bias").unwrap();
    stored.tensors.insert("head.bias".into(), bias);
    stored.tensors.get_mut("layers.0.weight").unwrap().shape = vec![3, 2];
    let mut old = net();
    let text = Loading::default().apply(&mut old, "hostile", &stored).unwrap_err().to_string();
    for part in ["layers.1.bias", "head.bias", "layers.0.weight", "[2, 3]", "[3, 2]"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(old, net());
}

#[test]
fn a_loaded_model_takes_columns_in_any_order_with_more_and_names_one_that_is_missing() {
    let model = Model::parse("model", &files()[2].1).unwrap();
    let told = |text: &str| {
        let predicted = model.predict(&Table::parse("rows.csv", text)?)?;
        Ok::<_, Error>(format!("{:?}", predicted.columns))
    };
    let plain = told("weight,colour,day\n5,black,2024-05-06\n").unwrap();
    assert_eq!(told("day,weight,colour\n2024-05-06,5,black\n").unwrap(), plain);
    assert_eq!(told("more,day,kind,weight,colour\n1,2024-05-06,dog,5,black\n").unwrap(), plain);
    let error = told("day,weight\n2024-05-06,5\n").unwrap_err().to_string();
    assert!(error.contains("rows.csv") && error.contains("colour"), "{error}");
    let error = model.predict_row(&[("weight", "5"), ("day", "2024-05-06")]).unwrap_err().to_string();
    assert!(error.contains("colour"), "{error}");
    assert!(model.predict_row(&[]).is_err());
}
