//! The one function that a browser calls.

use std::cell::RefCell;
use std::ptr::null;

thread_local! {
    /// A request, then its answer: four bytes that tell its length, and its text.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Without a place (`at` is 0), makes a buffer for a request of `len` bytes and returns where it is. With that place, reads the
/// request of `len` bytes there and returns where its answer is: the length as four bytes, the lowest first, and then the text.
/// A place of any other kind has no request, and no answer: it returns 0.
#[expect(unsafe_code, reason = "a function is exported by its plain name, which no other may have")]
#[unsafe(no_mangle)]
extern "C" fn call(at: *const u8, len: usize) -> *const u8 {
    BUFFER.with_borrow_mut(|buffer| {
        if at.is_null() {
            buffer.clear();
            buffer.resize(len, 0);
            return buffer.as_ptr();
        }
        // Only the buffer itself is read, so that a wrong place cannot do harm.
        let Some(request) = buffer.get(..len).filter(|_| at == buffer.as_ptr()) else { return null() };
        let answer = crate::answer(&String::from_utf8_lossy(request));
        buffer.clear();
        buffer.extend((answer.len() as u32).to_le_bytes());
        buffer.extend(answer.as_bytes());
        buffer.as_ptr()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_in_the_buffer_that_was_made_for_it() {
        let request = br#"{"ask": "published"}"#;
        let at = call(null(), request.len());
        BUFFER.with_borrow_mut(|buffer| buffer.copy_from_slice(request));
        assert_eq!(call(at, request.len()), buffer_at());
        let answer = crate::answer(r#"{"ask": "published"}"#);
        let (length, text) = (answer.len() as u32, answer.as_bytes());
        assert_eq!(BUFFER.with_borrow(Clone::clone), [&length.to_le_bytes(), text].concat());
    }

    fn buffer_at() -> *const u8 {
        BUFFER.with_borrow(Vec::as_ptr)
    }

    #[test]
    fn a_place_that_is_not_the_buffer_is_not_read() {
        let at = call(null(), 8);
        assert!(call(at.wrapping_add(1), 4).is_null());
        assert!(call(at, 9).is_null());
        assert!(!call(at, 8).is_null(), "eight zeros are a request that is wrong, and told so");
    }
}
