//! HTTP/2 as the backend speaks it, for gRPC routes and backends told to use it.

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::{Controls, answer};
use super::{Connection, Incoming};

pub(super) async fn serve<S>(stream: S, connection: Connection) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut accepted = h2::server::handshake(stream).await?;
    while let Some(exchange) = accepted.accept().await {
        let (request, respond) = exchange?;
        let connection = connection.clone();
        // One broken stream must not end the others.
        tokio::spawn(async move { reply(request, respond, &connection).await.ok() });
    }
    Ok(())
}

async fn reply(
    request: Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    connection: &Connection,
) -> Result<()> {
    let (parts, mut stream) = request.into_parts();
    let mut body = 0;
    while let Some(chunk) = stream.data().await {
        let chunk = chunk?;
        body += chunk.len();
        stream.flow_control().release_capacity(chunk.len())?;
    }
    let mut headers = Vec::new();
    if let Some(authority) = parts.uri.authority() {
        headers.push(("host".to_owned(), authority.to_string()));
    }
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.push((name.as_str().to_owned(), value));
    }
    let is_grpc = parts
        .headers
        .get("content-type")
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    let hit = connection.record(Incoming {
        method: parts.method.to_string(),
        path: path.to_owned(),
        headers,
        body,
    });
    let controls = Controls::of(&hit.path);
    tokio::time::sleep(controls.sleep).await;
    if controls.close {
        respond.send_reset(h2::Reason::INTERNAL_ERROR);
        return Ok(());
    }
    let answer = answer(&hit, &controls);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name.to_ascii_lowercase(), value);
    }
    let mut send = respond.send_response(response.body(())?, false)?;
    send.send_data(Bytes::from(answer.body), !is_grpc)?;
    if is_grpc {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        send.send_trailers(trailers)?;
    }
    Ok(())
}
