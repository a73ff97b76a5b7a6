//! A guide, page by page: each says one thing in plain words and has a program that is run as a test. It is there in the documentation
//! alone, and costs a program nothing.
//!
//! To begin with: [`first_gradient`], [`own_net`], [`own_data`], [`saving`]. To go further: [`own_operation`], [`higher_order`],
//! [`programs`], [`random_numbers`], [`loops`]. To know what one can rely on: [`conventions`], [`performance`], [`deploying`],
//! [`how_it_works`].

#[doc = include_str!("first_gradient.md")]
pub mod first_gradient {}
#[doc = include_str!("own_net.md")]
pub mod own_net {}
#[doc = include_str!("own_data.md")]
pub mod own_data {}
#[doc = include_str!("saving.md")]
pub mod saving {}
#[doc = include_str!("own_operation.md")]
pub mod own_operation {}
#[doc = include_str!("higher_order.md")]
pub mod higher_order {}
#[doc = include_str!("programs.md")]
pub mod programs {}
#[doc = include_str!("random_numbers.md")]
pub mod random_numbers {}
#[doc = include_str!("loops.md")]
pub mod loops {}
#[doc = include_str!("conventions.md")]
pub mod conventions {}
#[doc = include_str!("performance.md")]
pub mod performance {}
#[doc = include_str!("deploying.md")]
pub mod deploying {}
#[doc = include_str!("how_it_works.md")]
pub mod how_it_works {}
