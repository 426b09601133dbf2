//! One connection, several requests: what an early refusal leaves of it.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Server, data_folder};

/// A connection, byte by byte.
struct Wire(TcpStream);

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn closes(&self) -> bool {
        self.head.lines().any(|line| line == "connection: close")
    }
}

impl Wire {
    async fn open(server: &Server) -> Self {
        let address = server.url.trim_start_matches("http://");
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next answer, whose length its head tells.
    async fn answer(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(Duration::from_secs(30), self.0.read_u8()).await;
            head.push(byte.expect("an answer in time").expect("an answer"));
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).await.unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: String::from_utf8(body).unwrap() }
    }

    /// Nothing more comes.
    async fn ended(&mut self) -> bool {
        let mut rest = Vec::new();
        let read = timeout(Duration::from_secs(30), self.0.read_to_end(&mut rest)).await;
        // What was never read makes the system reset the connection.
        read.is_ok_and(|read| read.is_err() || rest.is_empty())
    }

    async fn alive(&mut self) -> bool {
        self.send("GET /healthz HTTP/1.1\r\nhost: ephor.test\r\n\r\n").await;
        self.answer().await.status == 200
    }
}

/// A request without a log-in, of which a body of so many bytes is announced.
fn refused(length: usize, more: &str) -> String {
    format!(
        "POST /v1/models HTTP/1.1\r\nhost: ephor.test\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn after_a_refusal_the_connection_goes_on_or_is_said_to_end() {
    let data = data_folder();
    let server = Server::serve(data.path());

    // A small body is read, also when it comes after its head; the connection serves on.
    let mut wire = Wire::open(&server).await;
    for length in [2, 1_000, 60_000] {
        wire.send(&refused(length, "")).await;
        wire.send(&"x".repeat(length)).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 401, "{}{}", answer.head, answer.body);
        assert!(!answer.closes(), "{length}: {}", answer.head);
        assert!(wire.alive().await, "{length}");
    }
    let bad_key = refused(1_000, "authorization: Bearer eph_rubbish\r\n");
    wire.send(&format!("{bad_key}{}", "x".repeat(1_000))).await;
    assert_eq!(wire.answer().await.status, 401, "refused before any handler");
    assert!(wire.alive().await);

    // A large one is not: the answer says that the connection ends, and it does.
    let mut wire = Wire::open(&server).await;
    wire.send(&refused(10_000_000, "")).await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 401);
    assert!(answer.closes(), "{}", answer.head);
    assert!(wire.ended().await);

    // Nor is one waited for that does not come.
    let mut wire = Wire::open(&server).await;
    wire.send(&refused(10, "")).await;
    let answer = wire.answer().await;
    assert!(answer.status == 401 && answer.closes(), "{}", answer.head);
    assert!(wire.ended().await);

    // Who asks whether to send is not told to go on.
    let mut wire = Wire::open(&server).await;
    wire.send(&refused(10, "expect: 100-continue\r\n")).await;
    let answer = wire.answer().await;
    assert!(answer.status == 401 && answer.closes(), "{}", answer.head);
    assert!(wire.ended().await);

    // A body beyond the limit is refused in the same way.
    let mut wire = Wire::open(&server).await;
    let log_in = "POST /v1/auth/log-in HTTP/1.1\r\nhost: ephor.test\r\n\
                  content-type: application/json\r\ncontent-length: 3000000\r\n\r\n";
    wire.send(log_in).await;
    // One byte more than is read.
    wire.send(&"x".repeat((1 << 20) + 1)).await;
    let answer = wire.answer().await;
    assert!(answer.status == 413 && answer.closes(), "{}", answer.head);
}
