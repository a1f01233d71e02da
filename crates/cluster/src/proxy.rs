//! `NO_PROXY`, which the client library does not look at.

use std::net::IpAddr;

use ipnet::IpNet;

/// Whether a host is reached without the proxy of the environment, as Go's
/// `http.ProxyFromEnvironment` decides, which kubectl goes by.
pub(crate) fn is_direct(host: &str, port: u16, no_proxy: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let mut rules = no_proxy.split(',').map(str::trim);
    rules.any(|rule| takes(&rule.to_ascii_lowercase(), &host, address, port))
}

fn takes(rule: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if rule.is_empty() {
        return false;
    }
    if rule == "*" {
        return true;
    }
    if let Some(address) = address {
        if let Ok(network) = rule.parse::<IpNet>() {
            return network.contains(&address);
        }
        if let Ok(own) = rule.parse::<IpAddr>() {
            return own == address;
        }
    }
    let (name, of_port) = match rule.rsplit_once(':') {
        Some((name, text)) => (name, text.parse::<u16>().ok()),
        None => (rule, None),
    };
    if of_port.is_some_and(|of_port| of_port != port) {
        return false;
    }
    let name = name.trim_start_matches('*');
    if let Some(suffix) = name.strip_prefix('.') {
        let below = host.strip_suffix(suffix);
        return below.is_some_and(|rest| rest.ends_with('.'));
    }
    let below = host.strip_suffix(name);
    below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_as_go_does() {
        let direct = |host, rules| is_direct(host, 6443, rules);
        assert!(direct("127.0.0.1", "") && direct("localhost", ""));
        assert!(direct("10.1.2.3", "example.com, 10.0.0.0/8"));
        assert!(direct("api.example.com", "example.com"));
        assert!(direct("api.example.com", ".example.com"));
        assert!(direct("api.example.com", "*.example.com"));
        assert!(direct("api.example.com", "api.example.com:6443"));
        assert!(direct("fd00::1", "fd00::/8") && direct("[fd00::1]", "fd00::1"));
        assert!(direct("x", "*"));
        assert!(!direct("example.com", ".example.com"));
        assert!(!direct("api.example.com", "api.example.com:443"));
        assert!(!direct("badexample.com", "example.com"));
        assert!(!direct("10.1.2.3", "") && !direct("192.168.0.1", "10.0.0.0/8"));
    }
}
