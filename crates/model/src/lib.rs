//! The routing model: hosts, ordered routes, matchers, actions, policies.
//!
//! The front end lowers what a proxy does into this model; the back end writes it
//! for another proxy. It knows neither YAML nor Kubernetes, neither nginx nor Envoy.
//! Every value that a person wrote carries its [`Origin`].

mod backend;
pub mod eval;
mod host;
pub mod pattern;
mod policy;
mod route;

pub use backend::{Backend, Canary, CanaryHeader, HeaderRule, Protocol, Split, Target};
pub use host::{
    Certificate, Ciphers, Host, HostName, Model, Origin, Owner, OwnerId, Passthrough, SecretRef,
    is_dns_label, is_dns_subdomain,
};
pub use policy::{
    AddressRule, Addresses, Authorizer, BackendTls, Balance, BodyLimit, ClientAddress,
    ClientCertificates, Compression, Condition, Cors, CorsOrigins, ForwardedHeaders, GlobalHeaders,
    Globals, HashBy, Header, HeaderChange, HeaderEdit, Mirror, Part, Passwords, PathEdit, Period,
    Phase, Piece, Policies, Reply, ReplyRewrites, RequestLimit, RequestLimits, RequestValue, Retry,
    Session, SessionCookie, Step, Subject, Template, Test, TlsVersion, Transport, User, ValuePart,
    VerifyClient,
};
pub use route::{
    Action, Authority, Forward, PathMatcher, PlainHttp, Redirect, RedirectTarget, Refusal, Rewrite,
    Route,
};
