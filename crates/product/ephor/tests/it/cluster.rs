//! A cluster of three processes, one of them killed, and the file that it analyses.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};

use serde_json::json;

use crate::support::{Server, adult, api::Person, data_folder, ephor};

/// A process of a cluster; killed when dropped.
struct Part {
    child: Child,
    /// Where it listens.
    address: String,
}

impl Part {
    fn start(arguments: &[&str]) -> Self {
        let mut child = ephor()
            .arg("cluster")
            .args(arguments)
            .env("EPHOR_LOG_FILTER", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        let part = Self { child, address };
        assert!(line.contains(" listens on 127.0.0.1:"), "{line}");
        part
    }

    fn scheduler() -> Self {
        Self::start(&["scheduler", "--listen", "127.0.0.1:0", "--executor-timeout", "2"])
    }

    fn executor(scheduler: &Self, folder: &Path) -> Self {
        Self::start(&[
            "executor",
            "--scheduler",
            &scheduler.address,
            "--listen",
            "127.0.0.1:0",
            "--slots",
            "1",
            "--heartbeat",
            "1",
            "--memory",
            "256",
            "--work-dir",
            folder.to_str().unwrap(),
        ])
    }

    /// SIGTERM, and the exit code.
    fn terminate(mut self) -> Option<i32> {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Part {
    /// SIGKILL.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// People in row groups of 100.
fn people(path: &Path, rows: usize) {
    let mixed = |row: usize, salt: usize| (row + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    let words = |salt: usize, words: &'static [&'static str]| -> ArrayRef {
        let word = |row| words[mixed(row, salt) % words.len()];
        Arc::new(StringArray::from_iter_values((0..rows).map(word)))
    };
    let bits = |salt: usize, share: usize| -> ArrayRef {
        let bit = |row| i64::from(mixed(row, salt) % 100 < share);
        Arc::new(Int64Array::from_iter_values((0..rows).map(bit)))
    };
    let score = (0..rows).map(|row| (mixed(row, 5) % 1000) as f64 / 1000.0);
    let table = RecordBatch::try_from_iter([
        ("sex", words(1, &["f", "m"])),
        ("race", words(2, &["a", "b", "c"])),
        ("y", bits(3, 40)),
        ("p", bits(4, 45)),
        ("s", Arc::new(Float64Array::from_iter_values(score)) as ArrayRef),
    ])
    .unwrap();
    // The writer goes one call deeper for each of them.
    let group = 100.max(rows / 200);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, table.schema(), Some(properties)).unwrap();
    writer.write(&table).unwrap();
    writer.close().unwrap();
}

fn analyze(file: &Path, more: &[&str]) -> Command {
    let mut command = ephor();
    command.arg("analyze").arg(file).args(["--format", "json", "--fail-on", "never"]).args(more);
    command
}

const PEOPLE: [&str; 8] =
    ["--target", "y", "--prediction", "p", "--score", "s", "--protected", "sex,race"];

/// What it prints.
fn printed(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What it says on its way out, and its exit code.
fn refused(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |path: PathBuf| if path.is_dir() { files(&path) } else { 1 };
    entries.flatten().map(|entry| count(entry.path())).sum()
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_executor_that_is_killed_in_the_middle_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, first, second) =
        (folder.path().join("people.parquet"), folder.path().join("1"), folder.path().join("2"));
    people(&path, 20_000);
    let scheduler = Part::scheduler();
    let victim = Part::executor(&scheduler, &first);
    let other = Part::executor(&scheduler, &second);
    let here = printed(analyze(&path, &PEOPLE));

    let elsewhere = ["--cluster", &scheduler.address, "--cluster-parts", "200"];
    let mut asked = analyze(&path, &[&PEOPLE[..], &elsewhere].concat());
    let mut asked = asked.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the executor has done something", || files(&first) > 2);
    drop(victim);
    assert!(asked.try_wait().unwrap().is_none(), "it was over before the executor died");
    let output = asked.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), here);

    // Other tasks are read there too.
    let numbers = ["--task", "regression", "--target", "s", "--prediction", "p"];
    let numbers = [&numbers[..], &["--protected", "sex"]].concat();
    let there = printed(analyze(&path, &[&numbers[..], &elsewhere].concat()));
    let rows =
        |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["rows"].clone();
    assert_eq!(rows(&there), rows(&printed(analyze(&path, &numbers))));
    assert_eq!(rows(&there)["used"], 20_000);

    // What is no Parquet lies in the shared folder only while it is read.
    let adult_asked =
        ["--target", "y_true", "--prediction", "y_pred", "--protected", "sex", "--weight", "score"];
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    let with_shared = ["--cluster", &scheduler.address, "--shared", shared.to_str().unwrap()];
    let there = printed(analyze(&adult(), &[&adult_asked[..], &with_shared].concat()));
    assert_eq!(there, printed(analyze(&adult(), &adult_asked)));
    assert_eq!(files(&shared), 0);
    let (code, why) = refused(analyze(&adult(), &[&adult_asked[..], &with_shared[..2]].concat()));
    assert_eq!(code, Some(2), "{why}");
    assert!(why.contains("--shared"), "{why}");

    // Told to stop, an executor leaves nothing behind; the scheduler goes last.
    assert_eq!(other.terminate(), Some(0));
    assert_eq!(std::fs::read_dir(&second).unwrap().count(), 0);
    assert_eq!(scheduler.terminate(), Some(0));
}

#[test]
fn what_a_cluster_cannot_do_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    people(&path, 500);
    let scheduler = Part::scheduler();
    let elsewhere = ["--cluster", scheduler.address.as_str(), "--cluster-patience", "1"];
    let (code, why) = refused(analyze(&path, &[&PEOPLE[..], &elsewhere].concat()));
    assert_eq!(code, Some(3), "{why}");
    assert!(why.contains("has had no executor for 1 s"), "{why}");
    assert!(why.contains("ephor cluster executor --scheduler"), "{why}");

    let gone = scheduler.address.clone();
    assert_eq!(scheduler.terminate(), Some(0));
    let elsewhere = ["--cluster", gone.as_str()];
    let (code, why) = refused(analyze(&path, &[&PEOPLE[..], &elsewhere].concat()));
    assert_eq!(code, Some(3), "{why}");
    assert!(why.contains(&format!("no scheduler answers at {gone}")), "{why}");

    let (code, why) = refused(analyze(&path, &[&PEOPLE[..], &["--cluster", "here"]].concat()));
    assert_eq!(code, Some(2), "{why}");
    assert!(why.contains("HOST:PORT"), "{why}");
}

#[tokio::test]
async fn a_server_has_data_sets_read_by_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("1");
    let scheduler = Part::scheduler();
    let _executor = Part::executor(&scheduler, &results);
    let data = data_folder();
    let mut serve = ephor();
    serve.args(["serve", "--bind", "127.0.0.1:0", "--data"]).arg(data.path());
    let server = Server::start(serve.env("EPHOR_CLUSTER_SCHEDULER", &scheduler.address));
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("adult", std::fs::read(adult()).unwrap()).await;
    let asked = json!({ "target": "y_true", "prediction": "y_pred", "protected": ["sex"] });
    let ended = ada.ended(&ada.analyse(&dataset, asked).await).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let id = ended["id"].as_str().unwrap();
    let there = ada.json(&format!("/v1/bias_analyses/{id}/result")).await;
    assert_eq!(there["rows"]["read"], 16_281);
    assert!(files(&results) > 0, "the executor had nothing to do");

    // Other tasks are read there too, and not by the server.
    let before = files(&results);
    let asked = json!({ "task": "regression", "target": "score", "prediction": "y_pred", "protected": ["sex"] });
    let ended = ada.ended(&ada.analyse(&dataset, asked).await).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert!(files(&results) > before, "the executor had nothing to do");

    // That there are more labels than two is found here, from the cube that the cluster delivered.
    let three = ada.upload("three", b"y,p,sex\n1,0,a\n0,1,b\n2,1,b\n".to_vec()).await;
    let asked = json!({ "target": "y", "prediction": "p", "protected": ["sex"] });
    let ended = ada.ended(&ada.analyse(&three, asked).await).await;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert!(ended["failure"].as_str().unwrap().contains("has 3 values"), "{ended}");
}

#[test]
fn a_taken_port_is_said_to_be_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = ephor();
    command.args(["cluster", "scheduler", "--listen", &address]);
    let (code, why) = refused(command);
    assert_eq!(code, Some(3), "{why}");
    assert!(why.contains("--listen"), "{why}");
    let mut command = ephor();
    command.args(["cluster", "scheduler", "--listen", "0.0.0.0:0"]);
    let (code, why) = refused(command);
    assert_eq!(code, Some(2), "{why}");
    assert!(why.contains("--advertise"), "{why}");
}

#[test]
#[ignore = "at size: minutes"]
fn the_same_is_found_at_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    people(&path, 2_000_000);
    let scheduler = Part::scheduler();
    let victim = Part::executor(&scheduler, &folder.path().join("1"));
    let _other = Part::executor(&scheduler, &folder.path().join("2"));
    let here = printed(analyze(&path, &PEOPLE));
    let elsewhere = ["--cluster", &scheduler.address, "--cluster-parts", "64"];
    let mut asked = analyze(&path, &[&PEOPLE[..], &elsewhere].concat());
    let mut asked = asked.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the executor has done something", || files(&folder.path().join("1")) > 2);
    drop(victim);
    assert!(asked.try_wait().unwrap().is_none(), "it was over before the executor died");
    let output = asked.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), here);
}
