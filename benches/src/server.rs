//! The release build of `ephor`, as an operator runs it.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

pub struct Server {
    child: Child,
    /// Such as `127.0.0.1:40123`.
    pub address: String,
    /// From the start of the process to its first answer.
    pub first_answer: Duration,
}

impl Server {
    /// Starts `ephor serve` on a data folder, and asks until it answers that it is ready.
    pub async fn start(program: &Path, data: &Path) -> Result<Self> {
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data)
            .env_remove("DATABASE_URL")
            .env("EPHOR_LOG_FILTER", "warn")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} (make bench builds it)", program.display()))?;
        let stdout = child.stdout.take().context("the server's output")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = loop {
            let line = lines.next_line().await?.context("the server ended before it listened")?;
            let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
            if let Some(address) = url {
                break address.trim_end_matches('/').to_owned();
            }
        };
        // Read on, so that the server never waits for us.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut connection = Connection::open(&address).await?;
        let (status, _) = connection.send(Method::GET, "/readyz", &[], Bytes::new()).await?;
        ensure!(status == StatusCode::OK, "/readyz answered {status}");
        Ok(Self { child, address, first_answer: begun.elapsed() })
    }

    /// Resident memory of the process alone, in megabytes of 10^6 bytes.
    pub async fn resident(&self) -> Result<f64> {
        let id = self.child.id().context("the server has ended")?.to_string();
        let output = Command::new("ps").args(["-o", "rss=", "-p", &id]).output().await?;
        let kibibytes: f64 = String::from_utf8(output.stdout)?.trim().parse().context("ps")?;
        Ok(kibibytes * 1024.0 / 1e6)
    }

    /// Ctrl-C, and the wait for its end.
    pub async fn stop(mut self) -> Result<()> {
        let id = self.child.id().context("the server has ended")?;
        kill(Pid::from_raw(id.cast_signed()), Signal::SIGINT)?;
        ensure!(self.child.wait().await?.success(), "the server did not stop cleanly");
        Ok(())
    }
}

/// One connection that stays open, with as little client around it as possible.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    pub async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_owned() })
    }

    /// Status and body of the answer.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<(StatusCode, Bytes)> {
        let (status, _, body) = self.exchange(method, path, headers, body).await?;
        Ok((status, body))
    }

    /// The cookie of a new person's session, and their organization's first look at the API.
    pub async fn sign_up(&mut self, email: &str) -> Result<String> {
        let body = serde_json::json!({
            "email": email, "password": "correct horse battery", "full_name": "Ada Lovelace",
            "organization_name": "Bench",
        });
        let headers = [("content-type", "application/json")];
        let body = Bytes::from(body.to_string());
        let (status, cookies, text) =
            self.exchange(Method::POST, "/v1/auth/sign-up", &headers, body).await?;
        if status != StatusCode::CREATED {
            bail!("sign-up answered {status}: {}", String::from_utf8_lossy(&text));
        }
        Ok(cookies.join("; "))
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<(StatusCode, Vec<String>, Bytes)> {
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sender.ready().await?;
        let answer = self.sender.send_request(request.body(Full::new(body))?).await?;
        let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
        let cookies = cookies
            .filter_map(|value| value.to_str().ok()?.split(';').next().map(str::to_owned))
            .collect();
        let status = answer.status();
        Ok((status, cookies, answer.into_body().collect().await?.to_bytes()))
    }
}
