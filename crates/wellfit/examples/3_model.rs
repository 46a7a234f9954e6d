//! Build a network and take three training steps by hand.

use wellfit::kernels::{loss::CrossEntropy, optim::Rule};
use wellfit::models::{DropoutKey, Optimizer, Shape, build};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut network = build("mlp-bn", Shape::image(28, 28, 1), 10)?;
    network.initialise(0);
    println!("{}", network.summary());

    let (images, labels) = (vec![0.5; 2 * 784], [3, 7]);
    let mut optimizer = Optimizer::new(Rule::ADAM, &network);
    for step in 0..3 {
        let tape = network.forward(&images, DropoutKey { seed: 0, step, row: 0 })?;
        let loss = CrossEntropy::default().loss(tape.outputs(), &labels, 10);
        println!("step {step}: loss {:.4}", loss.value);
        let gradients = network.backward(tape, loss.gradient);
        optimizer.update(&mut network, &gradients, 0.001);
    }
    Ok(())
}
