//! The connection to the server: TCP, and TLS around it where it is asked for.
//!
//! lettre's own TLS would build rustls with other features than the rest of Ephor does; it takes
//! a stream that is open already, so this opens one.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::{ClientConfig, pki_types::ServerName};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::server::{Security, Server};

/// The most lines that a server's answer may have before STARTTLS.
const MOST_LINES: usize = 64;

/// A stream that lettre speaks on.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls {
        stream: Box<TlsStream<TcpStream>>,
        /// The greeting that lettre waits for, when it was spoken before STARTTLS.
        greeting: &'static [u8],
    },
}

/// Connects, up to the point where the SMTP session begins.
pub(crate) async fn open(server: &Server, hello: &str) -> io::Result<Box<dyn AsyncTokioStream>> {
    let tcp = TcpStream::connect((server.host.as_str(), server.port)).await?;
    let stream = match server.security {
        Security::None => Stream::Plain(tcp),
        Security::Tls => Stream::Tls { stream: Box::new(tls(server, tcp).await?), greeting: b"" },
        Security::StartTls => {
            let tcp = start_tls(tcp, hello).await?;
            let stream = Box::new(tls(server, tcp).await?);
            Stream::Tls { stream, greeting: b"220 protected by now\r\n" }
        }
    };
    Ok(Box::new(stream))
}

async fn tls(server: &Server, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_platform_verifier()
        .map_err(io::Error::other)?
        .with_no_client_auth();
    let name = ServerName::try_from(server.host.clone()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

/// Speaks SMTP until the server is ready for TLS. A server that is not gets nothing.
async fn start_tls(tcp: TcpStream, hello: &str) -> io::Result<TcpStream> {
    let mut lines = BufReader::new(tcp);
    answer(&mut lines, "220").await?;
    lines.write_all(format!("EHLO {hello}\r\n").as_bytes()).await?;
    let abilities = answer(&mut lines, "250").await?;
    if !abilities.iter().any(|line| line.eq_ignore_ascii_case("STARTTLS")) {
        return Err(io::Error::other("the server does not offer STARTTLS"));
    }
    lines.write_all(b"STARTTLS\r\n").await?;
    answer(&mut lines, "220").await?;
    if !lines.buffer().is_empty() {
        // Somebody in between put words into the server's mouth.
        return Err(io::Error::other("the server spoke on before TLS began"));
    }
    Ok(lines.into_inner())
}

/// Reads an answer of one or more lines, without their codes.
async fn answer(lines: &mut BufReader<TcpStream>, wanted: &str) -> io::Result<Vec<String>> {
    let mut said = Vec::new();
    while said.len() < MOST_LINES {
        let mut line = String::new();
        if lines.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        let Some((_, rest)) = line.split_at_checked(3).filter(|(code, _)| *code == wanted) else {
            return Err(io::Error::other(format!("the server answered: {line}")));
        };
        said.push(rest.get(1..).unwrap_or_default().to_owned());
        if !rest.starts_with('-') {
            return Ok(said);
        }
    }
    Err(io::Error::other("the server's answer does not end"))
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Stream::Plain",
            Self::Tls { .. } => "Stream::Tls",
        })
    }
}

impl AsyncTokioStream for Stream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Plain(tcp) => tcp.peer_addr(),
            Self::Tls { stream, .. } => stream.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Self::Tls { greeting, .. } if !greeting.is_empty() => {
                let (now, later) = greeting.split_at(greeting.len().min(buffer.remaining()));
                buffer.put_slice(now);
                *greeting = later;
                Poll::Ready(Ok(()))
            }
            Self::Tls { stream, .. } => Pin::new(stream.as_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Self::Tls { stream, .. } => Pin::new(stream.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Self::Tls { stream, .. } => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Self::Tls { stream, .. } => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }
}
