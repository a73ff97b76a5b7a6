//! A value whose destructor is compiled once, with this crate: the code that drops a tape or a program is long, and would
//! else be compiled again in every program that has one.
#![expect(unsafe_code, reason = "what drops a value elsewhere than the compiler would takes it by a pointer")]

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

/// Stands for the value in it.
#[derive(Clone)]
pub(crate) struct Apart<V>(ManuallyDrop<V>);

impl<V> Drop for Apart<V> {
    // What is never inlined is taken from the crate that has compiled it already.
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: it is dropped here alone, and nobody sees it after this.
        unsafe { ManuallyDrop::drop(&mut self.0) }
    }
}

impl<V> From<V> for Apart<V> {
    fn from(value: V) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<V: Default> Default for Apart<V> {
    #[inline(never)]
    fn default() -> Self {
        Self::from(V::default())
    }
}

impl<V> Deref for Apart<V> {
    type Target = V;
    #[inline]
    fn deref(&self) -> &V {
        &self.0
    }
}

impl<V> DerefMut for Apart<V> {
    #[inline]
    fn deref_mut(&mut self) -> &mut V {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Apart;
    use std::rc::Rc;

    #[test]
    fn what_is_in_it_is_dropped_once() {
        let value = Rc::new(());
        let apart = Apart::from(vec![Rc::clone(&value), Rc::clone(&value)]);
        let other = apart.clone();
        assert_eq!((apart.len(), Rc::strong_count(&value)), (2, 5));
        drop(apart);
        assert_eq!(Rc::strong_count(&value), 3);
        drop(other);
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
