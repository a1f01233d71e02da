//! `cargo bench -p gatewright-transpile`: from text to YAML.

mod generated;

use divan::Bencher;
use divan::counter::BytesCount;
use gatewright_transpile::{Input, Options, convert};

fn main() {
    divan::main();
}

#[divan::bench(args = [100, 5000], sample_count = 20, sample_size = 1)]
fn ingresses(bencher: Bencher<'_, '_>, count: u32) {
    let text = generated::ingresses(count);
    let options = Options::default();
    bencher
        .counter(BytesCount::new(text.len()))
        .with_inputs(|| {
            vec![Input {
                name: "cluster.yaml".to_owned(),
                text: text.clone(),
            }]
        })
        .bench_values(|inputs| convert(inputs, &options));
}
