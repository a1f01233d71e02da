//! Puts addresses on the loopback interface of a network namespace of our own.
//!
//! By netlink rather than by `ip`, which a minimal machine does not have.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context as _, Result, bail};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkFlags, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

/// The loopback interface is the first one of every network namespace.
const LOOPBACK: u32 = 1;

/// Pods of the backends.
pub(crate) const PODS: [u8; 2] = [10, 64];
/// What the load balancer of the Gateway hands out.
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 65, 0, 1);
/// Where a request comes from that names no source.
pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 200);

/// Every range the suite uses. On loopback an address makes its whole range local.
const RANGES: [(Ipv4Addr, u8); 7] = [
    (Ipv4Addr::LOCALHOST, 8),
    (Ipv4Addr::new(10, 64, 0, 1), 16),
    (Ipv4Addr::new(10, 65, 0, 1), 16),
    (Ipv4Addr::new(10, 96, 0, 1), 16),
    (Ipv4Addr::new(192, 0, 2, 1), 24),
    (Ipv4Addr::new(198, 51, 100, 1), 24),
    (Ipv4Addr::new(203, 0, 113, 1), 24),
];

/// Whether requests can come from an address.
pub(crate) fn is_local(address: Ipv4Addr) -> bool {
    RANGES.iter().any(|(start, prefix)| {
        let mask = u32::MAX << (32 - prefix);
        start.to_bits() & mask == address.to_bits() & mask
    })
}

/// Brings `lo` up and makes all ranges of the suite local.
pub(crate) fn prepare_loopback() -> Result<()> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;

    let mut link = LinkMessage::default();
    link.header.index = LOOPBACK;
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    request(&socket, RouteNetlinkMessage::SetLink(link), 0).context("cannot bring lo up")?;

    for (address, prefix) in RANGES {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.index = LOOPBACK;
        message.header.prefix_len = prefix;
        message
            .attributes
            .push(AddressAttribute::Local(IpAddr::V4(address)));
        message
            .attributes
            .push(AddressAttribute::Address(IpAddr::V4(address)));
        match request(
            &socket,
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE,
        ) {
            // The kernel gives 127.0.0.1/8 to an interface that comes up.
            Err(error) if is_existing(&error) => {}
            other => other.with_context(|| format!("cannot add {address}/{prefix} to lo"))?,
        }
    }
    Ok(())
}

fn is_existing(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::AlreadyExists)
}

fn request(socket: &Socket, message: RouteNetlinkMessage, flags: u16) -> Result<()> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(message));
    packet.finalize();
    let mut buffer = vec![0; packet.buffer_len()];
    packet.serialize(&mut buffer);
    socket.send(&buffer, 0)?;

    let mut answer = vec![0; 8192];
    let length = socket.recv(&mut &mut answer[..], 0)?;
    let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer[..length])?;
    match answer.payload {
        NetlinkPayload::Error(message) => match message.code {
            None => Ok(()),
            Some(_) => Err(message.to_io().into()),
        },
        other => bail!("netlink answered {other:?}"),
    }
}
