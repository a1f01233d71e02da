//! `cargo bench -p gatewright-transpile`: from text to YAML.

mod generated;

use divan::Bencher;
use divan::counter::BytesCount;
use gatewright_transpile::{Emit, Input, NginxVersion, NoClass, Options, convert};

fn main() {
    divan::main();
}

#[divan::bench(args = [100, 5000], sample_count = 20, sample_size = 1)]
fn ingresses(bencher: Bencher<'_, '_>, count: u32) {
    let text = generated::ingresses(count);
    let options = Options {
        ingress_classes: vec!["nginx".to_owned()],
        no_class: NoClass::Skip,
        namespace: None,
        ingresses: Vec::new(),
        controller_config: None,
        default_ssl_certificate: None,
        annotations_prefix: None,
        ssl_passthrough: false,
        gateway: None,
        gateway_class: None,
        emit: Emit::All,
        nginx_version: NginxVersion::V1_15,
        comments: true,
        threads: None,
        accept: Vec::new(),
        aliases: std::collections::BTreeMap::new(),
    };
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
