//! Files are read back by a reader of the tests' own, which shares nothing with the writer.

use super::*;
use crate::{Activation, Mlp};
use std::collections::BTreeMap;

/// A value of a field: a whole number, or the bytes that stand there.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    Whole(u64),
    Bytes(Vec<u8>),
}

impl Field {
    fn bytes(&self) -> &[u8] {
        let Self::Bytes(bytes) = self else { panic!("bytes are expected, found {self:?}") };
        bytes
    }

    fn double(&self) -> f64 {
        f64::from_le_bytes(self.bytes().try_into().unwrap())
    }
}

/// The remainder of a division of polynomials over two elements, bit by bit, as RFC 3720 defines the sum.
fn sum_of(bytes: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for bit in bytes.iter().flat_map(|byte| (0..8).map(move |place| byte >> place & 1)) {
        let out = rest >> 31 == 1;
        rest <<= 1;
        if out != (bit == 1) {
            rest ^= 0x1edc_6f41;
        }
    }
    !rest.reverse_bits()
}

fn masked(sum: u32) -> u32 {
    sum.rotate_left(17).wrapping_add(0xa282_ead8)
}

/// The messages of a file; what is cut off at its end is no message.
fn records(mut file: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while file.len() >= 12 {
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        assert_eq!(u32::from_le_bytes(file[8..12].try_into().unwrap()), masked(sum_of(&file[..8])));
        let Some(rest) = file.get(12..12 + length + 4) else { break };
        let (message, sum) = rest.split_at(length);
        assert_eq!(u32::from_le_bytes(sum.try_into().unwrap()), masked(sum_of(message)));
        records.push(message.to_vec());
        file = &file[12 + length + 4..];
    }
    records
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut number = 0;
    for place in 0.. {
        let (byte, rest) = message.split_first().expect("a number ends");
        *message = rest;
        number |= u64::from(byte & 127) << (7 * place);
        if byte & 128 == 0 {
            break;
        }
    }
    number
}

fn fields(mut message: &[u8]) -> BTreeMap<u64, Vec<Field>> {
    let mut fields: BTreeMap<u64, Vec<Field>> = BTreeMap::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let length = match key & 7 {
            0 => None,
            1 => Some(8),
            5 => Some(4),
            2 => Some(varint(&mut message) as usize),
            kind => panic!("there is no kind {kind}"),
        };
        let field = match length {
            None => Field::Whole(varint(&mut message)),
            Some(length) => {
                let (bytes, rest) = message.split_at(length);
                message = rest;
                Field::Bytes(bytes.to_vec())
            }
        };
        fields.entry(key >> 3).or_default().push(field);
    }
    fields
}

/// The numbers of a file: tag, step, number.
fn numbers(file: &[u8]) -> Vec<(String, u64, f32)> {
    let mut numbers = Vec::new();
    let all = records(file);
    let first = fields(&all[0]);
    assert_eq!(first[&3][0].bytes(), b"brain.Event:2");
    assert!(first[&1][0].double() > 1.7e9);
    for record in &all[1..] {
        let event = fields(record);
        let [Field::Whole(step)] = event[&2][..] else { panic!("a step is expected: {event:?}") };
        for value in fields(event[&5][0].bytes()).remove(&1).unwrap_or_default() {
            let value = fields(value.bytes());
            let tag = String::from_utf8(value[&1][0].bytes().to_vec()).unwrap();
            let number = value.get(&2).map(|number| f32::from_le_bytes(number[0].bytes().try_into().unwrap()));
            numbers.extend(number.map(|number| (tag, step, number)));
        }
    }
    numbers
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("nn-events-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn numbers_are_read_back_as_they_were_told_while_the_file_grows() {
    let folder = Folder::new("numbers");
    let mut events = Events::create(folder.0.join("a/b")).unwrap();
    let mut told = Vec::new();
    for (step, number) in [(0, 0.5), (1, f64::NAN), (300, f64::NEG_INFINITY), (u64::from(u32::MAX) * 8, 1e-50)] {
        events.numbers(step, &[("loss/train", number), ("Größe µ", -number)]).unwrap();
        told.extend([("loss/train".to_owned(), step, number as f32), ("Größe µ".to_owned(), step, -number as f32)]);
        let read = numbers(&fs::read(events.path()).unwrap());
        assert_eq!(format!("{read:?}"), format!("{told:?}"));
    }
}

#[test]
fn of_a_history_each_row_is_written_once_and_cells_without_a_number_are_not() {
    let folder = Folder::new("history");
    let mut events = Events::create(&folder.0).unwrap();
    let mut history = History::default();
    for epoch in 1..=3 {
        history.push(&[("epoch", f64::from(epoch)), ("loss", 1.0 / f64::from(epoch))]);
        events.history(&history).unwrap();
        events.history(&history).unwrap();
    }
    history.push(&[("loss", 0.25), ("held_out_loss", 0.5), ("weights of layers.0", 2.0), ("accuracy/valid", 0.75)]);
    events.history(&history).unwrap();
    let expected = [
        ("loss/train", 1, 1.0),
        ("loss/train", 2, 0.5),
        ("loss/train", 3, 1.0 / 3.0),
        ("loss/train", 4, 0.25),
        ("loss/held_out", 4, 0.5),
        ("weights/layers.0", 4, 2.0),
        ("accuracy/valid", 4, 0.75),
    ];
    assert_eq!(
        numbers(&fs::read(events.path()).unwrap()),
        expected.map(|(tag, step, number)| (tag.to_owned(), step, number))
    );
}

#[test]
fn a_file_that_is_cut_anywhere_has_all_that_was_whole() {
    let folder = Folder::new("cut");
    let mut events = Events::create(&folder.0).unwrap();
    let mut lengths = vec![fs::read(events.path()).unwrap().len()];
    for step in 0..3 {
        events.numbers(step, &[("loss", step as f64)]).unwrap();
        lengths.push(fs::read(events.path()).unwrap().len());
    }
    let file = fs::read(events.path()).unwrap();
    for cut in lengths[0]..=file.len() {
        let whole = lengths.iter().filter(|length| **length <= cut).count() - 1;
        assert_eq!(numbers(&file[..cut]).len(), whole, "cut at {cut}");
    }
}

#[test]
fn histograms_have_the_paths_of_their_tensors_and_all_their_numbers() {
    let folder = Folder::new("histograms");
    let net: Mlp<Tensor<f32>> = Mlp::new(&[4, 8, 3], Activation::Tanh, 0);
    let mut events = Events::create(&folder.0).unwrap();
    events.histograms(7, "weights", &net).unwrap();
    let all = records(&fs::read(events.path()).unwrap());
    let event = fields(&all[1]);
    assert_eq!(event[&2], [Field::Whole(7)]);
    let values = fields(event[&5][0].bytes()).remove(&1).unwrap();
    let tags = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"];
    assert_eq!(values.len(), tags.len());
    for ((value, tag), leaf) in values.iter().zip(tags).zip(net.leaves()) {
        let value = fields(value.bytes());
        assert_eq!(value[&1][0].bytes(), format!("weights/{tag}").as_bytes());
        let told = fields(value[&5][0].bytes());
        let numbers: Vec<f64> = leaf.as_slice().iter().map(|&number| f64::from(number)).collect();
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let squares: f64 = numbers.iter().map(|number| number * number).sum();
        let expected = [least, most, numbers.len() as f64, numbers.iter().sum(), squares];
        assert_eq!([1, 2, 3, 4, 5].map(|field| told[&field][0].double()), expected);
        let list = |field: u64| -> Vec<f64> {
            told[&field][0].bytes().chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
        };
        let (ends, counts) = (list(6), list(7));
        for (place, end) in ends.iter().enumerate() {
            let counted: f64 = counts[..=place].iter().sum();
            let below = numbers.iter().filter(|number| *number < end).count() as f64;
            let up_to = numbers.iter().filter(|number| *number <= end).count() as f64;
            // An end is rounded: one number may be on the other side.
            assert!(
                (below - 1.0..=up_to + 1.0).contains(&counted),
                "{tag}: {counted} up to {end}, not {below} to {up_to}"
            );
        }
        assert_eq!(counts.iter().sum::<f64>(), numbers.len() as f64);
    }
}

#[test]
fn each_file_has_a_name_of_its_own_and_what_cannot_be_written_is_told() {
    let folder = Folder::new("names");
    let (first, second) = (Events::create(&folder.0).unwrap(), Events::create(&folder.0).unwrap());
    assert_ne!(first.path(), second.path());
    for events in [&first, &second] {
        assert!(events.path().file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents."));
    }
    let text = Events::create(first.path()).unwrap_err().to_string();
    assert!(text.contains("events.out.tfevents.") && text.contains("cannot be written"), "{text}");
}
