//! Sizes of bodies and buffers.
//!
//! `internal/ingress/annotations/{proxy,clientbodybuffersize}` of ingress-nginx. The
//! check does not look at blanks, nginx does: `8 k` passes and breaks the configuration.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::proxy::not_negative;
use super::{Keys, Settings};
use crate::config_map::Config;
use crate::registry::{Blanks, Carried, Entry, Grammar, GrammarFault, Invalid, Risk};

/// A number of bytes as nginx writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// As written, trimmed.
    pub text: String,
    /// In bytes; `None` when it is out of range.
    pub bytes: Option<u64>,
}

impl Size {
    /// Reads a size that passed the check.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor = match &text.as_bytes()[number.len()..] {
            [b'k' | b'K'] => 1 << 10,
            [b'm' | b'M'] => 1 << 20,
            [b'g' | b'G'] => 1 << 30,
            _ => 1,
        };
        Self {
            text: text.to_owned(),
            bytes: number
                .parse::<u64>()
                .ok()
                .and_then(|n| n.checked_mul(factor)),
        }
    }
}

/// What the annotations about bodies and buffers say.
#[derive(Clone, Debug, Default)]
pub struct Buffering {
    /// Largest request body; 0 is no limit.
    pub body_size: Option<Spanned<Size>>,
    /// How much of a request body is kept in memory.
    pub client_body_buffer_size: Option<Spanned<Size>>,
    /// Collect the request before it is sent.
    pub request_buffering: Option<Spanned<bool>>,
    /// Collect the response before it is sent.
    pub buffering: Option<Spanned<bool>>,
    /// Number of buffers.
    pub buffers_number: Option<Spanned<i64>>,
    /// Buffer for response headers.
    pub buffer_size: Option<Spanned<Size>>,
    /// How much of a response may be on its way.
    pub busy_buffers_size: Option<Spanned<Size>>,
    /// How much of a response may go to disk.
    pub max_temp_file_size: Option<Spanned<Size>>,
}

impl Buffering {
    /// Largest request body in bytes; `None` is no limit.
    pub fn body_limit(&self, config: &Config) -> Option<u64> {
        let default = || Size::parse(&config.proxy_body_size).bytes;
        let bytes = self
            .body_size
            .as_ref()
            .map_or_else(default, |size| size.value.bytes);
        bytes.filter(|&bytes| bytes != 0)
    }

    /// Whether the request is collected before it is sent.
    pub fn request_buffering(&self, config: &Config) -> bool {
        self.request_buffering
            .map_or(config.proxy_request_buffering == "on", |flag| flag.value)
    }

    /// Whether the response is collected before it is sent.
    pub fn buffering(&self, config: &Config) -> bool {
        self.buffering
            .map_or(config.proxy_buffering == "on", |flag| flag.value)
    }
}

const ON_OFF: Grammar = Grammar::OneOf {
    words: &["on", "off"],
    exact_case: true,
    blanks: Blanks::Trimmed,
};

const PROXY: Entry = Entry {
    group: "Proxy",
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "proxy-body-size",
        grammar: Grammar::Size,
        default: "1m",
        risk: Risk::Medium,
        configmap_key: Some("proxy-body-size"),
        summary: "is the largest request body; a larger one is answered with 413, `0` is no limit",
        target: "a rule that answers 413 to a `Content-Length` above it; nothing for `0`",
        difference: "a body without `Content-Length` is not limited; the default of 1 MiB is not carried over where nobody wrote it",
        carried: Carried::Differently,
        codes: &[Code::BodySizeLength],
        example: "50m",
        ..PROXY
    },
    Entry {
        key: "client-body-buffer-size",
        group: "ClientBodyBufferSize",
        grammar: Grammar::Size,
        default: "8k",
        invalid: Invalid::Reject,
        configmap_key: Some("client-body-buffer-size"),
        summary: "is how much of a request body nginx keeps in memory before it uses a file",
        target: "nothing: request bodies are streamed",
        carried: Carried::Needless,
        example: "1m",
        ..PROXY
    },
    Entry {
        key: "proxy-request-buffering",
        grammar: ON_OFF,
        default: "on",
        configmap_key: Some("proxy-request-buffering"),
        summary: "says whether nginx collects the request body before it connects to the backend",
        target: "nothing: request bodies are streamed",
        difference: "backends see slow uploads, which `on` kept from them",
        carried: Carried::Needless,
        example: "off",
        ..PROXY
    },
    Entry {
        key: "proxy-buffering",
        grammar: ON_OFF,
        default: "off",
        configmap_key: Some("proxy-buffering"),
        summary: "says whether nginx collects the response before it sends it",
        target: "nothing: responses are streamed with flow control",
        difference: "backends wait for slow clients, which `on` kept from them",
        carried: Carried::Needless,
        example: "on",
        ..PROXY
    },
    Entry {
        key: "proxy-buffers-number",
        grammar: Grammar::Int,
        default: "4",
        configmap_key: Some("proxy-buffers-number"),
        summary: "is the number of buffers for a response; nginx refuses less than 2",
        target: "nothing: responses are streamed with flow control",
        carried: Carried::Needless,
        example: "8",
        ..PROXY
    },
    Entry {
        key: "proxy-buffer-size",
        grammar: Grammar::Size,
        default: "4k",
        configmap_key: Some("proxy-buffer-size"),
        summary: "is the buffer for response headers; larger ones are answered with 502",
        target: "nothing: response headers may be 60 KiB",
        carried: Carried::Needless,
        example: "16k",
        ..PROXY
    },
    Entry {
        key: "proxy-busy-buffers-size",
        grammar: Grammar::Size,
        configmap_key: Some("proxy-busy-buffers-size"),
        summary: "is how much of a response may be on its way to the client while the rest is read",
        target: "nothing: responses are streamed with flow control",
        carried: Carried::Needless,
        example: "16k",
        ..PROXY
    },
    Entry {
        key: "proxy-max-temp-file-size",
        grammar: Grammar::Size,
        default: "1024m",
        configmap_key: Some("proxy-max-temp-file-size"),
        summary: "is how much of a response may wait in a file",
        target: "nothing: responses are streamed with flow control",
        carried: Carried::Needless,
        example: "0",
        ..PROXY
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let switch = |word: &str| match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    };
    let mut buffering = Buffering {
        body_size: size(keys, "proxy-body-size"),
        client_body_buffer_size: size(keys, "client-body-buffer-size"),
        request_buffering: keys.word("proxy-request-buffering", switch),
        buffering: keys.word("proxy-buffering", switch),
        buffers_number: not_negative(keys, "proxy-buffers-number"),
        buffer_size: size(keys, "proxy-buffer-size"),
        busy_buffers_size: size(keys, "proxy-busy-buffers-size"),
        max_temp_file_size: size(keys, "proxy-max-temp-file-size"),
    };
    unit_b(keys, "proxy-body-size", &mut buffering.body_size);
    break_what_nginx_refuses(keys, &mut buffering);
    *settings.buffering = buffering;
}

fn size(keys: &mut Keys<'_>, key: &'static str) -> Option<Spanned<Size>> {
    let (at, value) = keys.value(key)?;
    let text = value.trim();
    if Grammar::Size.check(text).is_err() {
        // Only a controller without validation gets here; nginx is the one to refuse it.
        keys.fail(
            at,
            Invalid::Break,
            GrammarFault::whole("is no size to nginx")
                .help("write a number with an optional unit `k` or `m`"),
        );
        return None;
    }
    if text.contains(' ') {
        keys.fail(
            at,
            Invalid::Break,
            GrammarFault::whole("holds a blank, which the controller overlooks and nginx does not")
                .help("write it without blanks, such as `8m`"),
        );
        return None;
    }
    Some(Spanned::new(Size::parse(text), keys.value_span(at)))
}

/// The template writes `client_max_body_size` only for `k`, `m`, `g` and plain numbers,
/// so `b` leaves nginx's own default of 1 MiB.
fn unit_b(keys: &mut Keys<'_>, key: &'static str, size: &mut Option<Spanned<Size>>) {
    if let Some(found) = size
        && found.value.text.ends_with(['b', 'B'])
    {
        keys.fail_key(
            key,
            Invalid::Default,
            GrammarFault::whole("has the unit `b`, which the template leaves out")
                .help("write the number without unit, or with `k`"),
        );
        found.value = Size::parse("1m");
    }
}

fn break_what_nginx_refuses(keys: &mut Keys<'_>, buffering: &mut Buffering) {
    if buffering
        .buffers_number
        .is_some_and(|number| number.value < 2)
    {
        keys.fail_key(
            "proxy-buffers-number",
            Invalid::Break,
            GrammarFault::whole("is less than 2").help("write a number from 2 on"),
        );
        buffering.buffers_number = None;
    }
    let bytes = |size: &Option<Spanned<Size>>| size.as_ref().and_then(|size| size.value.bytes);
    let gigabytes = |size: &Spanned<Size>| size.value.text.ends_with(['g', 'G']);
    if buffering.buffer_size.as_ref().is_some_and(gigabytes) {
        keys.fail_key(
            "proxy-buffer-size",
            Invalid::Break,
            GrammarFault::whole("has the unit `g`, which nginx does not take for buffers")
                .help("write it with `m` or `k`"),
        );
        buffering.buffer_size = None;
    }
    let configured = Size::parse(&keys.config.proxy_buffer_size).bytes;
    if let (Some(busy), Some(buffer)) = (
        bytes(&buffering.busy_buffers_size),
        bytes(&buffering.buffer_size).or(configured),
    ) && busy < buffer
    {
        keys.fail_key(
            "proxy-busy-buffers-size",
            Invalid::Break,
            GrammarFault::whole("is less than `proxy-buffer-size`")
                .help("write at least the size of one buffer"),
        );
        buffering.busy_buffers_size = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};
    use super::*;

    #[test]
    fn sizes() {
        let limit = |value| {
            read(&[("proxy-body-size", value)])
                .settings
                .buffering
                .body_limit(&Config::default())
        };
        assert_eq!(limit("8k"), Some(8192));
        assert_eq!(limit("50M"), Some(50 << 20));
        assert_eq!(limit("0"), None);
        assert_eq!(limit("8mb"), Some(1 << 20));
        assert_eq!(limit("5b"), Some(1 << 20));
        assert_eq!(limit("99999999999999999999g"), None);
    }

    #[test]
    fn consequences() {
        check(&[("proxy-body-size", "8mb")], "proxy-body-size: ignored");
        check(
            &[("client-body-buffer-size", "big")],
            "client-body-buffer-size: rejected",
        );
        check(&[("proxy-buffer-size", "8 k")], "proxy-buffer-size: breaks");
        check(&[("proxy-buffer-size", "1g")], "proxy-buffer-size: breaks");
        check(
            &[("proxy-buffers-number", "1")],
            "proxy-buffers-number: breaks",
        );
        check(
            &[("proxy-busy-buffers-size", "2k")],
            "proxy-busy-buffers-size: breaks",
        );
        check(
            &[
                ("proxy-busy-buffers-size", "8k"),
                ("proxy-buffer-size", "8k"),
            ],
            "proxy-busy-buffers-size: taken, proxy-buffer-size: taken",
        );
        check(
            &[
                ("proxy-buffering", "true"),
                ("proxy-request-buffering", "off"),
            ],
            "proxy-buffering: ignored, proxy-request-buffering: taken",
        );
        check(
            &[("proxy-max-temp-file-size", "0")],
            "proxy-max-temp-file-size: taken",
        );
    }
}
