//! The name server of a worker: it knows the Services of the case at hand.
//!
//! A file of names would do, were it read anew: Envoy keeps what it has read, and asks again half
//! a minute later.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result};
use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use tokio::net::UdpSocket;
use tokio::runtime::Runtime;

/// The address in the worker's `resolv.conf`.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 53);
/// Seconds; Envoy asks again so often. With 0 it would use its own rate, half a minute.
const TTL: u32 = 1;
/// Of a question; longer ones do not come by UDP.
const LONGEST: usize = 4096;

/// Addresses by domain name, in lower case and without the final dot.
pub(crate) type Domains = BTreeMap<String, Vec<Ipv4Addr>>;

pub(crate) struct NameServer {
    domains: Arc<RwLock<Domains>>,
}

impl NameServer {
    /// Serves until the worker ends.
    pub(crate) fn start(runtime: &Runtime) -> Result<Self> {
        let domains = Arc::new(RwLock::new(Domains::new()));
        let known = Arc::clone(&domains);
        let socket = runtime
            .block_on(UdpSocket::bind(ADDRESS))
            .with_context(|| format!("cannot answer for names at {ADDRESS}"))?;
        runtime.spawn(async move {
            let mut buffer = [0; LONGEST];
            loop {
                // A client that has gone away is no reason to leave the others alone.
                let Ok((length, client)) = socket.recv_from(&mut buffer).await else {
                    continue;
                };
                let reply = reply(
                    &buffer[..length],
                    &known.read().unwrap_or_else(PoisonError::into_inner),
                );
                if let Some(reply) = reply {
                    socket.send_to(&reply, client).await.ok();
                }
            }
        });
        Ok(Self { domains })
    }

    /// Takes the names of a case in place of those before.
    pub(crate) fn set(&self, domains: Domains) {
        *self.domains.write().unwrap_or_else(PoisonError::into_inner) = domains;
    }

    /// Has a name lead to an address, whatever it led to before.
    pub(crate) fn point(&self, name: &str, to: Ipv4Addr) {
        let mut domains = self.domains.write().unwrap_or_else(PoisonError::into_inner);
        domains.insert(name.to_owned(), vec![to]);
    }
}

/// Nothing for what is no question.
fn reply(bytes: &[u8], domains: &Domains) -> Option<Vec<u8>> {
    let query = Packet::parse(bytes).ok()?;
    if query.has_flags(PacketFlag::RESPONSE) {
        return None;
    }
    let mut reply = Packet::new_reply(query.id());
    reply.set_flags(PacketFlag::AUTHORITATIVE_ANSWER | PacketFlag::RECURSION_AVAILABLE);
    for question in query.questions {
        let name = question.qname.to_string().to_ascii_lowercase();
        match domains.get(&name) {
            None => *reply.rcode_mut() = RCODE::NameError,
            Some(addresses) if question.qtype == QTYPE::TYPE(TYPE::A) => {
                reply.answers.extend(addresses.iter().map(|address| {
                    let data = RData::A(A::from(*address));
                    ResourceRecord::new(question.qname.clone(), CLASS::IN, TTL, data)
                }));
            }
            // It exists, but not with such a record.
            Some(_) => {}
        }
        reply.questions.push(question);
    }
    reply.build_bytes_vec().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::{Name, QCLASS, Question};

    fn ask(name: &str, of: TYPE) -> (RCODE, Vec<Ipv4Addr>) {
        let domains = Domains::from([(
            "web.shop.svc".to_owned(),
            vec![Ipv4Addr::new(10, 96, 0, 7), Ipv4Addr::new(10, 96, 0, 8)],
        )]);
        let mut query = Packet::new_query(7);
        query.questions.push(Question::new(
            Name::new_unchecked(name),
            of.into(),
            QCLASS::CLASS(CLASS::IN),
            false,
        ));
        let bytes = reply(&query.build_bytes_vec().unwrap(), &domains).unwrap();
        let reply = Packet::parse(&bytes).unwrap();
        assert_eq!(reply.id(), 7);
        let addresses = reply.answers.iter().map(|record| match &record.rdata {
            RData::A(a) => Ipv4Addr::from(a.address),
            other => panic!("{other:?}"),
        });
        (reply.rcode(), addresses.collect())
    }

    #[test]
    fn names_of_services_have_addresses() {
        let both = vec![Ipv4Addr::new(10, 96, 0, 7), Ipv4Addr::new(10, 96, 0, 8)];
        assert_eq!(ask("web.shop.svc", TYPE::A), (RCODE::NoError, both.clone()));
        assert_eq!(ask("Web.shop.svc", TYPE::A), (RCODE::NoError, both));
        assert_eq!(
            ask("web.shop.svc", TYPE::AAAA),
            (RCODE::NoError, Vec::new())
        );
        assert_eq!(
            ask("other.shop.svc", TYPE::A),
            (RCODE::NameError, Vec::new())
        );
    }
}
