//! Where the client's address and scheme come from (`use-forwarded-headers` and its kin).
//!
//! `nginx.tmpl` of ingress-nginx: the realip module reads the PROXY protocol, else
//! `forwarded-for-header` with `use-forwarded-headers` or `enable-real-ip`, from the peers of
//! `proxy-real-ip-cidr`. `X-Forwarded-Proto`, `-Host` and `-Port` are believed with
//! `use-forwarded-headers` whoever sent them.

use gatewright_model::{ClientAddress, ForwardedHeaders};

use super::ip_lists::network;
use crate::config_map::Config;

/// Everybody, as the controller writes it.
const EVERYBODY: &str = "0.0.0.0/0";

/// What the `ConfigMap` says.
pub(crate) fn lower(config: &Config) -> ForwardedHeaders {
    let trust = config.use_forwarded_headers;
    let read = (trust || config.enable_real_ip) && !config.use_proxy_protocol;
    let address = if !read || !expressible(config) {
        ClientAddress::Peer
    } else if is_forwarded_for(config) {
        ClientAddress::ForwardedFor(trusted(config))
    } else {
        ClientAddress::Header(config.forwarded_for_header.clone())
    };
    ForwardedHeaders {
        trust,
        address,
        whole_chain: trust && config.compute_full_forwarded_for,
        proxy_protocol: config.use_proxy_protocol,
    }
}

/// Whether the target can find the address where nginx does.
pub(crate) fn expressible(config: &Config) -> bool {
    let read = config.use_forwarded_headers || config.enable_real_ip;
    !read || config.use_proxy_protocol || is_forwarded_for(config) || trusted(config).is_empty()
}

/// Whether the client's address is told by a load balancer.
pub(crate) fn told(config: &Config) -> bool {
    config.use_proxy_protocol || config.use_forwarded_headers || config.enable_real_ip
}

fn is_forwarded_for(config: &Config) -> bool {
    config
        .forwarded_for_header
        .eq_ignore_ascii_case("X-Forwarded-For")
}

/// The networks that are believed; none is everybody.
fn trusted(config: &Config) -> Vec<String> {
    if config
        .proxy_real_ip_cidr
        .iter()
        .any(|cidr| cidr.trim() == EVERYBODY)
    {
        return Vec::new();
    }
    let networks: Vec<String> = config
        .proxy_real_ip_cidr
        .iter()
        .filter_map(|text| network(text))
        .map(|network| network.to_string())
        .collect();
    if networks.is_empty() && !config.proxy_real_ip_cidr.is_empty() {
        // Names that cannot be resolved here: nobody is believed.
        return vec!["127.0.0.1/32".to_owned()];
    }
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entries: &[(&str, &str)]) -> ForwardedHeaders {
        let span = gatewright_source::Span::new(gatewright_source::FileId(0), 0, 1);
        let entries = entries.iter().map(|&(key, value)| (key, value, span));
        lower(&Config::read(entries).0)
    }

    #[test]
    fn the_address_comes_from_where_nginx_takes_it() {
        assert_eq!(read(&[]).address, ClientAddress::Peer);
        let on = read(&[("use-forwarded-headers", "true")]);
        assert!(on.trust);
        assert_eq!(on.address, ClientAddress::ForwardedFor(Vec::new()));
        let real = read(&[
            ("enable-real-ip", "true"),
            ("proxy-real-ip-cidr", "10.0.0.1, 192.168.0.0/16"),
        ]);
        assert!(!real.trust);
        assert_eq!(
            real.address,
            ClientAddress::ForwardedFor(vec![
                "10.0.0.1/32".to_owned(),
                "192.168.0.0/16".to_owned()
            ])
        );
        let proxy = read(&[
            ("use-forwarded-headers", "true"),
            ("use-proxy-protocol", "true"),
        ]);
        assert_eq!((proxy.trust, proxy.address), (true, ClientAddress::Peer));
        let other = read(&[
            ("enable-real-ip", "true"),
            ("forwarded-for-header", "CF-Connecting-IP"),
        ]);
        assert_eq!(
            other.address,
            ClientAddress::Header("CF-Connecting-IP".to_owned())
        );
    }
}
