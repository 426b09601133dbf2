//! A mail server: it speaks SMTP, is strict about it, and keeps what it is given.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::within_async;

const USER: &str = "ephor@example.org";
const PASSWORD: &str = "of the mail:server";

/// How a server protects its conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    None,
    /// From STARTTLS on, before which it takes nothing.
    StartTls,
    /// From the first byte.
    Tls,
}

/// The authority that signed the certificate of protected servers, as a file.
pub fn authority() -> PathBuf {
    fixture("ca.pem")
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub struct Mail {
    /// `MAIL FROM`.
    pub from: String,
    /// `RCPT TO`.
    pub to: String,
    head: String,
    body: String,
}

#[derive(Default)]
struct Kept {
    mails: VecDeque<Mail>,
    /// What clients did wrong.
    faults: Vec<String>,
    refused: usize,
}

/// A running mail server. Dropped, it is gone; [`Smtp::at`] brings one back to the same place.
pub struct Smtp {
    pub address: SocketAddr,
    protection: Protection,
    kept: Arc<Mutex<Kept>>,
    task: JoinHandle<()>,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Smtp {
    /// A server on a free port.
    pub async fn start() -> Self {
        Self::protected(Protection::None).await
    }

    /// A server on a free port that protects its conversations.
    pub async fn protected(protection: Protection) -> Self {
        Self::open("127.0.0.1:0".parse().unwrap(), protection).await
    }

    /// A server at a place.
    pub async fn at(address: SocketAddr) -> Self {
        Self::open(address, Protection::None).await
    }

    async fn open(address: SocketAddr, protection: Protection) -> Self {
        let listener =
            within_async("the port is free", async || TcpListener::bind(address).await.ok()).await;
        let address = listener.local_addr().unwrap();
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let given = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            // With the server go its conversations.
            let mut conversations = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                conversations.spawn(converse(stream, protection, Arc::clone(&given)));
            }
        });
        Self { address, protection, kept, task }
    }

    /// Its URL, with user and password.
    pub fn url(&self) -> String {
        let user = USER.replace('@', "%40");
        let password = PASSWORD.replace(' ', "%20").replace(':', "%3A");
        let port = self.address.port();
        match self.protection {
            Protection::None => format!("smtp://{user}:{password}@{}", self.address),
            Protection::StartTls => {
                format!("smtp://{user}:{password}@localhost:{port}?tls=required")
            }
            Protection::Tls => format!("smtps://{user}:{password}@localhost:{port}"),
        }
    }

    /// Waits for a mail to somebody on something, and takes it out.
    pub async fn mail(&self, to: &str, subject: &str) -> Mail {
        within_async(&format!("a mail to {to} on «{subject}»"), async || {
            let mut kept = self.kept.lock().unwrap();
            let fits = |mail: &Mail| mail.to == to && mail.header("subject").contains(subject);
            let place = kept.mails.iter().position(fits)?;
            kept.mails.remove(place)
        })
        .await
    }

    /// How many mails to somebody wait to be looked at.
    pub fn waiting(&self, to: &str) -> usize {
        self.kept.lock().unwrap().mails.iter().filter(|mail| mail.to == to).count()
    }

    /// How many recipients were refused.
    pub fn refused(&self) -> usize {
        self.kept.lock().unwrap().refused
    }

    /// Every client kept to the protocol.
    pub fn was_spoken_to_properly(&self) {
        let faults = &self.kept.lock().unwrap().faults;
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

/// What a conversation goes over.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// One client, from the greeting to the farewell. It may hang up at any time.
async fn converse(stream: TcpStream, protection: Protection, kept: Arc<Mutex<Kept>>) -> Option<()> {
    let wire: Box<dyn Wire> = match protection {
        Protection::None => Box::new(stream),
        Protection::Tls => Box::new(acceptor().accept(stream).await.ok()?),
        Protection::StartTls => {
            let mut talk = Talk { stream: BufReader::new(stream), kept: Arc::clone(&kept) };
            talk.until_tls().await?;
            Box::new(acceptor().accept(talk.stream.into_inner()).await.ok()?)
        }
    };
    let mut talk = Talk { stream: BufReader::new(wire), kept };
    if protection != Protection::StartTls {
        talk.say("220 mail.test ESMTP").await?;
    }
    talk.all().await
}

fn acceptor() -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(fixture("server.pem"))
        .unwrap()
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

struct Talk<S> {
    stream: BufReader<S>,
    kept: Arc<Mutex<Kept>>,
}

impl<S: Wire> Talk<S> {
    /// What goes before TLS: a greeting, and the wish for it.
    async fn until_tls(&mut self) -> Option<()> {
        self.say("220 mail.test ESMTP").await?;
        loop {
            let line = self.line().await?;
            match line.split(' ').next()? {
                "EHLO" => self.say("250-mail.test\r\n250 STARTTLS").await?,
                "STARTTLS" => return self.say("220 go on").await,
                _ => {
                    self.fault(format!("in the clear: {line}"));
                    self.say("530 STARTTLS first").await?;
                }
            }
        }
    }

    async fn all(&mut self) -> Option<()> {
        let (mut greeted, mut known) = (false, false);
        let (mut from, mut to) = (None::<String>, None::<String>);
        loop {
            let line = self.line().await?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" if !rest.is_empty() => {
                    greeted = true;
                    self.say(
                        "250-mail.test\r\n250-8BITMIME\r\n250-SIZE 1000000\r\n250 AUTH PLAIN LOGIN",
                    )
                    .await?;
                }
                "AUTH" if greeted && !known => {
                    known = self.authenticate(rest).await?;
                    let answer = if known { "235 welcome" } else { "535 who are you?" };
                    self.say(answer).await?;
                }
                "MAIL" if known && from.is_none() => {
                    from = self.path(rest, "FROM:");
                    self.say("250 ok").await?;
                }
                "RCPT" if from.is_some() && to.is_none() => {
                    let path = self.path(rest, "TO:").unwrap_or_default();
                    if path.starts_with("nobody") {
                        self.kept.lock().unwrap().refused += 1;
                        self.say("550 5.1.1 there is no such mailbox").await?;
                    } else if path.starts_with("busy") && self.kept.lock().unwrap().refused == 0 {
                        self.kept.lock().unwrap().refused += 1;
                        self.say("451 4.7.1 come back later").await?;
                    } else {
                        to = Some(path);
                        self.say("250 ok").await?;
                    }
                }
                "DATA" if to.is_some() => {
                    self.say("354 go on").await?;
                    let (head, body) = self.data().await?;
                    let mail = Mail { from: from.take()?, to: to.take()?, head, body };
                    self.kept.lock().unwrap().mails.push_back(mail);
                    self.say("250 taken").await?;
                }
                "QUIT" => {
                    self.say("221 bye").await?;
                    return Some(());
                }
                _ => {
                    self.fault(format!("out of place: {line}"));
                    self.say("503 out of place").await?;
                }
            }
        }
    }

    /// `PLAIN` with its words at once, or `LOGIN` with a question for each.
    async fn authenticate(&mut self, how: &str) -> Option<bool> {
        let decode = |text: &str| String::from_utf8(STANDARD.decode(text).ok()?).ok();
        if let Some(words) = how.strip_prefix("PLAIN ") {
            return Some(decode(words)? == format!("\0{USER}\0{PASSWORD}"));
        }
        self.say("334 VXNlcm5hbWU6").await?;
        let user = decode(&self.line().await?)?;
        self.say("334 UGFzc3dvcmQ6").await?;
        let password = decode(&self.line().await?)?;
        Some(user == USER && password == PASSWORD)
    }

    /// The address in `FROM:<…>`; parameters behind it are allowed.
    fn path(&self, text: &str, word: &str) -> Option<String> {
        let path = text
            .get(..word.len())
            .filter(|start| start.eq_ignore_ascii_case(word))
            .and_then(|_| text[word.len()..].strip_prefix('<')?.split_once('>'))
            .map(|(path, _)| path.to_owned());
        if path.is_none() {
            self.fault(format!("not `{word}<…>`: {text}"));
        }
        path
    }

    /// Head and body, up to the lone dot; what was stuffed with a dot is freed of it.
    async fn data(&mut self) -> Option<(String, String)> {
        let mut text = String::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            if line.starts_with('.') && !line.starts_with("..") {
                self.fault(format!("a dot that is not stuffed: {line}"));
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push('\n');
        }
        let (head, body) = text.split_once("\n\n")?;
        for name in ["date", "from", "to", "subject", "message-id", "mime-version"] {
            if header(head, name).is_none() {
                self.fault(format!("the head lacks {name}"));
            }
        }
        Some((head.to_owned(), body.to_owned()))
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let Some(text) = line.strip_suffix("\r\n") else {
            self.fault(format!("a line does not end with CR LF: {line:?}"));
            return None;
        };
        if text.contains('\r') || text.len() > 998 {
            self.fault(format!("a line that no server has to take: {text:?}"));
        }
        Some(text.to_owned())
    }

    async fn say(&mut self, words: &str) -> Option<()> {
        self.stream.write_all(format!("{words}\r\n").as_bytes()).await.ok()
    }

    fn fault(&self, what: String) {
        self.kept.lock().unwrap().faults.push(what);
    }
}

/// A header, unfolded.
fn header(head: &str, name: &str) -> Option<String> {
    let head = head.replace("\n ", " ").replace("\n\t", " ");
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
}

impl Mail {
    /// A header, unfolded; empty if there is none.
    pub fn header(&self, name: &str) -> String {
        header(&self.head, name).unwrap_or_default()
    }

    /// What it says, as plain text.
    pub fn text(&self) -> String {
        self.part("text/plain")
    }

    /// What it says, as HTML.
    pub fn html(&self) -> String {
        self.part("text/html")
    }

    /// The token of its link, which text and HTML share.
    pub fn token(&self, page: &str) -> String {
        let text = self.text();
        let mark = format!("/{page}?token=");
        let link = text.lines().find(|line| line.contains(&mark)).unwrap_or_else(|| {
            panic!("no link to {page} in:\n{text}");
        });
        assert!(self.html().contains(link), "the HTML has another link than {link}");
        link.split(&mark).nth(1).unwrap().to_owned()
    }

    fn part(&self, kind: &str) -> String {
        let content_type = self.header("content-type");
        let edge = content_type.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let part = self
            .body
            .split(&format!("--{edge}"))
            .find(|part| header(part, "content-type").is_some_and(|found| found.starts_with(kind)))
            .unwrap_or_else(|| panic!("no {kind} in {}", self.body));
        let (head, body) = part.trim_start_matches('\n').split_once("\n\n").unwrap();
        match header(head, "content-transfer-encoding").as_deref() {
            Some("quoted-printable") => quoted_printable(body),
            Some("base64") => {
                let body: String = body.split_whitespace().collect();
                String::from_utf8(STANDARD.decode(body).unwrap()).unwrap()
            }
            _ => body.to_owned(),
        }
    }
}

fn quoted_printable(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}
