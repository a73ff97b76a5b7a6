//! The CS231n toy network on the tape, its closed form, and the derivation checked line by line.
