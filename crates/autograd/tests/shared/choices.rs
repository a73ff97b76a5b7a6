//! A step by programs of every choice of passes, against the tape.

use autograd::{Float, Optimisations, Program, Tape, Tensor, Var};

/// The next state, or as much of it as changes, and the outputs of a step.
pub(crate) type Step<'t, T> = (Vec<Var<'t, T>>, Vec<Var<'t, T>>);

/// Runs a step of a state three times, on these inputs, on the tape and by programs of every choice of passes, which all give the
/// same bits; returns the listing of the program of all passes.
///
/// # Panics
/// Where bits differ, with what was `told`.
pub(crate) fn agree<T: Float>(
    state: &[Tensor<T>],
    input: impl Fn(usize) -> Tensor<T>,
    step: impl for<'t> Fn(&[Var<'t, T>], Var<'t, T>) -> Step<'t, T>,
    told: &str,
) -> String {
    let bits = |x: &Tensor<T>| x.as_slice().iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
    let inputs = [0, 1, 2].map(input);
    // What the tape gives is the same for every choice.
    let mut now = state.to_vec();
    let wanted = inputs.each_ref().map(|input| {
        let tape = Tape::default();
        let (next, outputs) = tape.values(&step(&tape.vars(&now), tape.var(input)));
        now.splice(..next.len(), next.iter().cloned());
        [next, outputs].map(|values| values.iter().map(bits).collect::<Vec<_>>())
    });
    let mut listing = String::new();
    for passes in Optimisations::choices() {
        let state = state.to_vec();
        let recorded = Program::record_with(passes, &state, &inputs[0], |_, state, x| step(&state, x));
        let mut program = recorded.unwrap();
        if passes == Optimisations::default() {
            listing = program.to_string();
        }
        for (round, (input, [next, outputs])) in inputs.iter().zip(&wanted).enumerate() {
            let replayed = program.run(input).unwrap();
            for (k, output) in outputs.iter().enumerate() {
                assert!(
                    bits(&replayed.tensor(k)) == *output,
                    "output {k}, round {round}, {passes:?}, {told}\n{program}"
                );
            }
            for (k, next) in next.iter().enumerate() {
                let state = program.state(&k.to_string()).unwrap();
                assert!(bits(&state) == *next, "state {k}, round {round}, {passes:?}, {told}\n{program}");
            }
        }
    }
    listing
}
