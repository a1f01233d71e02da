//! What the echo answers: the hit as JSON, or what the query asks for.

use std::time::Duration;

use super::Hit;

/// The header by which the client finds the hit that its answer came from.
pub(super) const ID_HEADER: &str = super::super::ECHO_ID_HEADER;

/// The query controls: `status= sleep= hdr=Name:Value body= size= location= close=1`.
#[derive(Debug, Default)]
pub(super) struct Controls {
    status: Option<u16>,
    pub(super) sleep: Duration,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    pub(super) close: bool,
}

impl Controls {
    pub(super) fn of(path: &str) -> Self {
        let mut controls = Self::default();
        let Some((_, query)) = path.split_once('?') else {
            return controls;
        };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = decode(value);
            match name {
                "status" => controls.status = value.parse().ok().filter(|s| (200..600).contains(s)),
                "sleep" => {
                    let seconds = value.parse().unwrap_or(0.0_f64).clamp(0.0, 30.0);
                    controls.sleep = Duration::from_secs_f64(seconds);
                }
                "hdr" => {
                    if let Some((name, value)) = value.split_once(':') {
                        controls
                            .headers
                            .push((name.trim().to_owned(), value.trim().to_owned()));
                    }
                }
                "location" => controls.headers.push(("Location".to_owned(), value)),
                "body" => controls.body = Some(value.into_bytes()),
                "size" => {
                    let size = value.parse().unwrap_or(0_usize).min(64 << 20);
                    controls.body = Some(vec![b'x'; size]);
                }
                "close" => controls.close = value == "1",
                _ => {}
            }
        }
        controls
    }

    pub(super) fn status(&self) -> u16 {
        self.status.unwrap_or(200)
    }
}

/// Status, headers and body of an answer; framing is the protocol's.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

pub(super) fn answer(hit: &Hit, controls: &Controls) -> Answer {
    let mut headers = controls.headers.clone();
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    headers.push((ID_HEADER.to_owned(), hit.id.to_string()));
    let body = controls
        .body
        .clone()
        .unwrap_or_else(|| serde_json::to_vec(hit).unwrap_or_default());
    Answer {
        status: controls.status(),
        headers,
        body,
    }
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = escaped {
            out.push(byte);
            at += 3;
        } else {
            out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_read_from_the_raw_query() {
        let controls = Controls::of("/x?status=404&hdr=Set-Cookie:a=1;%20Path=/y&sleep=0.5&other");
        assert_eq!(controls.status, Some(404));
        assert_eq!(controls.sleep, Duration::from_millis(500));
        assert_eq!(
            controls.headers,
            [("Set-Cookie".to_owned(), "a=1; Path=/y".to_owned())]
        );
    }
}
