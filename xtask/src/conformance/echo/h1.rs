//! HTTP/1.1 as the backend speaks it. The request target stays as it came.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest as _, Sha1};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};

use super::answer::{Controls, ID_HEADER, answer};
use super::{Connection, Incoming};

const MAX_LINE: u64 = 1 << 20;

pub(super) async fn serve<S>(stream: S, connection: Connection) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    loop {
        let Some(request) = read_head(&mut stream).await? else {
            return Ok(());
        };
        let mut request = request;
        let header = |name: &str| super::super::header_value(&request.headers, name);
        if header("expect").is_some() {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let websocket_key = header("upgrade")
            .filter(|value| value.eq_ignore_ascii_case("websocket"))
            .and_then(|_| header("sec-websocket-key"));
        if header("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            request.body = skip_chunks(&mut stream).await?;
        } else if let Some(length) = header("content-length") {
            request.body = length.parse()?;
            let mut body = (&mut stream).take(u64::try_from(request.body)?);
            tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
        }
        let is_head = request.method == "HEAD";
        let hit = connection.record(request);
        let controls = Controls::of(&hit.path);
        tokio::time::sleep(controls.sleep).await;
        if controls.close {
            return Ok(());
        }
        if let Some(key) = websocket_key {
            return websocket(stream, &key, hit.id).await;
        }
        let answer = answer(&hit, &controls);
        let mut head = format!("HTTP/1.1 {} Echo\r\n", answer.status);
        for (name, value) in &answer.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let is_bodiless = matches!(answer.status, 204 | 304);
        if !is_bodiless {
            let _ = write!(head, "Content-Length: {}\r\n", answer.body.len());
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await?;
        if !is_bodiless && !is_head {
            stream.write_all(&answer.body).await?;
        }
        stream.flush().await?;
    }
}

/// Request line and headers; `None` at the end of the connection.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Result<Option<Incoming>> {
    let first = read_line(stream).await?;
    if first.is_empty() {
        return Ok(None);
    }
    let mut words = first.splitn(3, ' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        bail!("not a request line: {first:?}");
    };
    let mut request = Incoming {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: 0,
    };
    loop {
        let line = read_line(stream).await?;
        if line.is_empty() {
            return Ok(Some(request));
        }
        if let Some((name, value)) = line.split_once(':') {
            request
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
}

/// A line without its end; header bytes that are not UTF-8 are kept as Latin-1.
async fn read_line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Result<String> {
    let mut line = Vec::new();
    stream.take(MAX_LINE).read_until(b'\n', &mut line).await?;
    while line
        .last()
        .is_some_and(|byte| matches!(byte, b'\r' | b'\n'))
    {
        line.pop();
    }
    Ok(String::from_utf8(line)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect()))
}

async fn skip_chunks<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Result<usize> {
    let mut total = 0;
    loop {
        let line = read_line(stream).await?;
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)?;
        if size == 0 {
            while !read_line(stream).await?.is_empty() {}
            return Ok(total);
        }
        total += size;
        let mut chunk = (&mut *stream).take(u64::try_from(size)?);
        tokio::io::copy(&mut chunk, &mut tokio::io::sink()).await?;
        read_line(stream).await?;
    }
}

/// Accepts, then sends every byte back: enough to see that the tunnel is open both ways.
async fn websocket<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    key: &str,
    id: u64,
) -> Result<()> {
    const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let accept = BASE64.encode(Sha1::digest(format!("{key}{MAGIC}")));
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{ID_HEADER}: {id}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.flush().await?;
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
        stream.flush().await?;
    }
}
