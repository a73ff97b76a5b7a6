//! A physics-informed net: it is told an equation, and no solution (Raissi, Perdikaris and Karniadakis, "Physics-informed neural networks",
//! 2019). Here that is the equation of Burgers, `u_t + u u_x = ν u_xx`, from `u = −sin πx` at the time 0, which steepens to a front.
//!
//! `cargo run --release --example pinn`
//!
//! The loss is made of derivatives of the net by its inputs, up to the second one, and is then differentiated by the parameters. That
//! `u` is right at the time 0 and 0 at both ends is built in (Lagaris, Likas and Fotiadis, 1998), so that the equation is all there is to learn.

use autograd::{Tape, Tensor, Var, concat, jvp};
use nn::optim::Lbfgs;
use nn::{Activation, Mlp, generator};
use rand::RngExt;
use std::error::Error;
use std::f64::consts::PI;

const VISCOSITY: f64 = 0.1 / PI;

/// What the net says of places `x` and times `t`, both `[n, 1]`.
fn solution<'t>(net: &Mlp<Var<'t>>, x: Var<'t>, t: Var<'t>) -> Var<'t> {
    t * (1.0 - x.square()) * net.forward(concat(&[x, t], 1)) - (x * PI).sin()
}

/// By how much the equation does not hold at each place and time.
fn residual<'t>(net: &Mlp<Var<'t>>, x: Var<'t>, t: Var<'t>) -> Var<'t> {
    let ones = x.tape().full(x.shape(), 1.0);
    let u = solution(net, x, t);
    let (u_t, u_x) = (jvp(u, &t, &ones), jvp(u, &x, &ones));
    let u_xx = jvp(u_x, &x, &ones);
    u_t + u * u_x - u_xx * VISCOSITY
}

/// The exact solution (Cole, 1951; Hopf, 1950): a ratio of two integrals over `η = √(4νt) z`, which decay as `exp −z²`.
fn exact(x: f64, t: f64) -> f64 {
    let (mut above, mut below) = (0.0, 0.0);
    for i in -400..=400 {
        let z = f64::from(i) / 60.0;
        let y = PI * (x - (4.0 * VISCOSITY * t).sqrt() * z);
        let weight = (-(y.cos() + 1.0) / (2.0 * PI * VISCOSITY) - z * z).exp();
        above -= y.sin() * weight;
        below += weight;
    }
    above / below
}

fn main() -> Result<(), Box<dyn Error>> {
    // Where the equation is to hold: places from −1 to 1, and times from 0 to 1.
    let rng = &mut generator(0);
    let x = Tensor::from_fn([1000, 1], |_| rng.random_range(-1.0..1.0));
    let t = Tensor::from_fn([1000, 1], |_| rng.random_range(0.0..1.0));

    let mut net = Mlp::new(&[2, 20, 20, 20, 1], Activation::Tanh, 0);
    let mut lbfgs = Lbfgs { max_iterations: 100, history: 100, ..Lbfgs::default() };
    for _ in 0..10 {
        let report = lbfgs.minimise(&mut net, |tape, net| residual(&net, tape.var(&x), tape.var(&t)).square().mean());
        println!("{:4} evaluations: mean square of the residual {:.2e}", report.evaluations, report.last_loss);
        if report.stopped.is_converged() {
            break;
        }
    }

    // On a grid of 101 places and 21 times.
    let (x, t) = (
        Tensor::from_fn([2121, 1], |i| (i % 101) as f64 / 50.0 - 1.0),
        Tensor::from_fn([2121, 1], |i| (i / 101) as f64 / 20.0),
    );
    let tape = Tape::new();
    let found = solution(&tape.vars(&net), tape.var(&x), tape.var(&t)).value();
    let right: Vec<f64> = x.as_slice().iter().zip(t.as_slice()).map(|(&x, &t)| exact(x, t)).collect();
    let square = |numbers: &[f64]| numbers.iter().map(|x| x * x).sum::<f64>();
    let wrong: Vec<f64> = found.as_slice().iter().zip(&right).map(|(found, right)| found - right).collect();
    let (error, most) =
        ((square(&wrong) / square(&right)).sqrt(), wrong.iter().fold(0.0_f64, |most, x| most.max(x.abs())));
    println!("error beside the exact solution: {error:.2e} of its norm, at most {most:.2e}");
    if error > 5e-3 {
        return Err("the net should be within 5e-3 of the solution".into());
    }
    Ok(())
}
