//! Is a scheduler there, and does it have executors? It answers that by HTTP on the port of its protocol.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{Address, ClusterError};

/// The answer has a few lines; what is longer comes from somebody else.
const MOST_BYTES: u64 = 4096;

/// Whether the scheduler has executors.
///
/// # Errors
/// [`ClusterError::Unreachable`] if nobody answers within `patience`, [`ClusterError::NoScheduler`] if somebody else does.
pub(crate) async fn has_executors(
    address: &Address,
    patience: Duration,
) -> Result<bool, ClusterError> {
    let Ok(answer) = timeout(patience, ask(address)).await else {
        let reason = format!("it said nothing for {} s", patience.as_secs_f64());
        return Err(unreachable(address, reason));
    };
    let answer = answer.map_err(|error| unreachable(address, error.to_string()))?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    match (status, body.contains("executors registered")) {
        ("200", true) => Ok(true),
        ("503", true) => Ok(false),
        _ => Err(ClusterError::NoScheduler {
            address: address.to_string(),
            reason: match answer.lines().next() {
                Some(line) if line.starts_with("HTTP/") => line.to_owned(),
                _ => "it does not speak HTTP".to_owned(),
            },
        }),
    }
}

fn unreachable(address: &Address, reason: String) -> ClusterError {
    ClusterError::Unreachable { address: address.to_string(), reason }
}

async fn ask(address: &Address) -> io::Result<String> {
    let mut stream = TcpStream::connect(address.to_string()).await?;
    let question = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// The address of a server that answers once, with this.
    async fn answering(answer: &'static str) -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 256];
            let _ = stream.read(&mut asked).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        address.to_string().parse().unwrap()
    }

    async fn told(answer: &'static str) -> Result<bool, ClusterError> {
        has_executors(&answering(answer).await, Duration::from_secs(10)).await
    }

    #[tokio::test]
    async fn a_scheduler_says_whether_it_has_executors() {
        let ready = told("HTTP/1.1 200 OK\r\n\r\nready: 2 executors registered\n").await;
        assert!(ready.unwrap());
        let alone =
            told("HTTP/1.1 503 Unavailable\r\n\r\nnot ready: 0/1 executors registered\n").await;
        assert!(!alone.unwrap());
    }

    #[tokio::test]
    async fn others_are_told_apart() {
        let other = told("HTTP/1.1 404 Not Found\r\n\r\nready?").await.unwrap_err().to_string();
        assert!(other.contains("(HTTP/1.1 404 Not Found)"), "{other}");
        let other = told("220 mail.example.org ESMTP").await.unwrap_err().to_string();
        assert!(other.contains("it does not speak HTTP"), "{other}");
    }

    #[tokio::test]
    async fn silence_is_bounded() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: Address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let silent = has_executors(&address, Duration::from_millis(50)).await;
        assert!(matches!(silent, Err(ClusterError::Unreachable { .. })), "{silent:?}");
        drop(listener);
        let gone = has_executors(&address, Duration::from_secs(10)).await.unwrap_err().to_string();
        assert!(gone.contains("no scheduler answers") && gone.contains("refused"), "{gone}");
    }
}
