//! The few fields of TensorFlow's `event.proto` and `summary.proto` that are needed, in the encoding of protocol buffers: a key, which is the
//! number of the field and how it is written, and the value.

use super::histogram::Histogram;

/// The first event of a file.
pub(super) fn version(time: f64) -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, time);
    event.bytes(3, b"brain.Event:2");
    event.0
}

/// Numbers by tag.
pub(super) fn numbers(time: f64, step: u64, numbers: &[(&str, f64)]) -> Vec<u8> {
    let value = |(tag, number): &(&str, f64)| {
        let mut value = Message::default();
        value.bytes(1, tag.as_bytes());
        value.float(2, *number as f32);
        value
    };
    event(time, step, numbers.iter().map(value))
}

/// Histograms by tag.
pub(super) fn histograms(time: f64, step: u64, histograms: &[(String, Histogram)]) -> Vec<u8> {
    let value = |(tag, histogram): &(String, Histogram)| {
        let mut told = Message::default();
        let sums = [histogram.least, histogram.most, histogram.count, histogram.sum, histogram.squares];
        for (field, number) in (1..).zip(sums) {
            told.double(field, number);
        }
        told.doubles(6, histogram.buckets.iter().map(|(end, _)| *end));
        told.doubles(7, histogram.buckets.iter().map(|(_, count)| *count));
        let mut value = Message::default();
        value.bytes(1, tag.as_bytes());
        value.bytes(5, &told.0);
        value
    };
    event(time, step, histograms.iter().map(value))
}

/// An event with a summary of values.
fn event(time: f64, step: u64, values: impl Iterator<Item = Message>) -> Vec<u8> {
    let mut summary = Message::default();
    values.for_each(|value| summary.bytes(1, &value.0));
    let mut event = Message::default();
    event.double(1, time);
    event.whole(2, step);
    event.bytes(5, &summary.0);
    event.0
}

#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn whole(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn double(&mut self, field: u64, number: f64) {
        self.varint(field << 3 | 1);
        self.0.extend(number.to_le_bytes());
    }

    fn float(&mut self, field: u64, number: f32) {
        self.varint(field << 3 | 5);
        self.0.extend(number.to_le_bytes());
    }

    /// Bytes, a text, or another message.
    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn doubles(&mut self, field: u64, numbers: impl Iterator<Item = f64>) {
        self.bytes(field, &numbers.flat_map(f64::to_le_bytes).collect::<Vec<u8>>());
    }

    /// Seven bits to a byte, the least first; all but the last have the eighth bit.
    fn varint(&mut self, mut number: u64) {
        while number >= 128 {
            self.0.push(number as u8 | 128);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}
