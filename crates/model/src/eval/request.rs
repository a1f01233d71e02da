/// A request as a client sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Whether it came over TLS.
    pub secure: bool,
    /// The method, in upper case.
    pub method: String,
    /// The host, in lower case and without port.
    pub host: String,
    /// The path as it was sent, without query.
    pub path: String,
    /// The query without its question mark.
    pub query: Option<String>,
    /// Headers with their names in lower case, `host` not among them.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// A GET.
    pub fn get(secure: bool, host: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            secure,
            method: "GET".to_owned(),
            host: host.into(),
            path: path.into(),
            ..Self::default()
        }
    }

    /// The value of a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Path and query.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// `http` or `https`.
    pub const fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

/// A path that nginx answers with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The path that nginx compares: decoded once, with slashes merged and dots resolved
/// (`ngx_http_parse_complex_uri`).
pub fn decode(path: &str) -> Result<String, Malformed> {
    if !path.starts_with('/') {
        return Err(Malformed);
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(Malformed);
        };
        let byte = u8::try_from(high * 16 + low).map_err(|_| Malformed)?;
        if byte == 0 {
            return Err(Malformed);
        }
        bytes.push(byte);
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut segments: Vec<&str> = Vec::new();
    let mut all = text.split('/').skip(1).peekable();
    while let Some(segment) = all.next() {
        let last = all.peek().is_none();
        match segment {
            "" | "." if last => segments.push(""),
            "" | "." => {}
            ".." => {
                segments.pop().ok_or(Malformed)?;
                if last {
                    segments.push("");
                }
            }
            segment => segments.push(segment),
        }
    }
    Ok(format!("/{}", segments.join("/")))
}
