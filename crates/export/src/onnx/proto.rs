//! The messages of ONNX that are needed, in the encoding of protocol buffers (onnx.proto, version 8 of the format).

/// A message that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
    }

    pub(super) fn integer(mut self, field: u64, x: i64) -> Self {
        self.varint(field << 3);
        self.varint(x as u64);
        self
    }

    pub(super) fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(super) fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    pub(super) fn messages<'a>(self, field: u64, messages: impl IntoIterator<Item = &'a Self>) -> Self {
        messages.into_iter().fold(self, |this, message| this.message(field, message))
    }
}

/// Types of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Float = 1,
    Int64 = 7,
    Text = 8,
    Double = 11,
}

/// A setting of a node.
pub(super) enum Setting<'a> {
    Integer(i64),
    Integers(&'a [i64]),
    Texts(&'a [&'a str]),
}

impl Setting<'_> {
    pub(super) fn message(&self, name: &str) -> Message {
        let named = Message::default().text(1, name);
        match self {
            Self::Integer(i) => named.integer(3, *i).integer(20, 2),
            Self::Integers(all) => all.iter().fold(named, |this, i| this.integer(8, *i)).integer(20, 7),
            Self::Texts(all) => all.iter().fold(named, |this, text| this.text(9, text)).integer(20, 8),
        }
    }
}

/// A constant of numbers or integers, by the bytes of its elements.
pub(super) fn tensor(name: &str, element: Element, shape: &[usize], bytes: &[u8]) -> Message {
    dims(shape).integer(2, element as i64).text(8, name).bytes(9, bytes)
}

/// A constant of words.
pub(super) fn words(name: &str, words: &[&str]) -> Message {
    let all = words.iter().fold(dims(&[words.len()]).integer(2, Element::Text as i64), |this, word| this.text(6, word));
    all.text(8, name)
}

fn dims(shape: &[usize]) -> Message {
    shape.iter().fold(Message::default(), |this, &size| this.integer(1, size as i64))
}

/// An input or output of these sizes, of which some are not told by a number but by a name.
pub(super) fn port(name: &str, element: Element, sizes: &[Result<usize, String>]) -> Message {
    let shape = sizes.iter().fold(Message::default(), |shape, size| {
        shape.message(
            1,
            &match size {
                Ok(size) => Message::default().integer(1, *size as i64),
                Err(name) => Message::default().text(2, name),
            },
        )
    });
    let tensor = Message::default().integer(1, element as i64).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_protocol_buffers() {
        // The examples of its documentation: field 1 is 150; field 2 is "testing"; field 3 holds the first.
        assert_eq!(Message::default().integer(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").into_bytes(), *b"\x12\x07testing");
        let inner = Message::default().integer(1, 150);
        assert_eq!(Message::default().message(3, &inner).into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::default().integer(1, -1).into_bytes().len(), 11);
    }
}
