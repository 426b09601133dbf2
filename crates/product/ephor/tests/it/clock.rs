//! The time of day jumps, for Ephor and its database alike, as when a machine wakes or its clock is set.
#![cfg(target_os = "linux")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use chrono::{DateTime, TimeDelta, Utc};
use ephor_store::embedded::SearchPlaces;
use serde_json::Value;

use crate::{
    support::{Server, api::Person, data_folder, ephor},
    trouble::{many_rows, parameters, verifies},
};

/// What moves the clock of the programs that are started with it.
struct Clock {
    folder: tempfile::TempDir,
}

impl Clock {
    /// Builds the library that moves it, and PostgreSQL's programs that are started with it.
    fn build() -> Self {
        let clock = Self { folder: data_folder() };
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/stepped_clock.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([clock.library(), source.into()])
            .status()
            .expect("a C compiler, as `make setup` installs it");
        assert!(built.success(), "{source} does not compile");
        clock.step(TimeDelta::zero());
        let real = SearchPlaces::of_this_machine().find().unwrap().remove(0);
        for program in fs::read_dir(real.folder()).unwrap() {
            let program = program.unwrap().path();
            let script = format!(
                "#!/bin/sh\nLD_PRELOAD='{}' STEPPED_CLOCK='{}' exec '{}' \"$@\"\n",
                clock.library().display(),
                clock.offset().display(),
                program.display()
            );
            let wrapper = clock.folder.path().join(program.file_name().unwrap());
            fs::write(&wrapper, script).unwrap();
            fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
        }
        clock
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("stepped_clock.so")
    }

    fn offset(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    /// From now on the time of day is so far from the true one.
    fn step(&self, offset: TimeDelta) {
        // Over what is there: the file is mapped by those who read it.
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.offset())
            .unwrap();
        std::io::Write::write_all(&mut file, &offset.num_seconds().to_ne_bytes()).unwrap();
    }

    /// `ephor serve`, by this clock.
    fn serve(&self, data: &Path) -> Server {
        Server::start(
            ephor()
                .args(["serve", "--bind", "127.0.0.1:0", "--data"])
                .arg(data)
                .env("LD_PRELOAD", self.library())
                .env("STEPPED_CLOCK", self.offset())
                .env("EPHOR_POSTGRES_BIN", self.folder.path()),
        )
    }
}

fn created(thing: &Value) -> DateTime<Utc> {
    thing["created_at"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn analyses_sessions_and_the_trail_outlive_jumps_of_the_clock() {
    let data = data_folder();
    let clock = Clock::build();
    let server = clock.serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("many", many_rows()).await;

    let analysis = ada.analyse(&dataset, parameters()).await;
    clock.step(TimeDelta::hours(-2));
    let before = ada.upload("before", b"y,p,sex\n1,1,f\n0,1,m\n".to_vec()).await;
    assert!(created(&before) < created(&dataset) - TimeDelta::hours(1), "the clock did not jump");
    let ended = ada.ended(&analysis).await;
    assert_eq!(ended["status"], "completed", "{ended}");

    // Far enough that every worker seems to have been silent for too long.
    let analysis = ada.analyse(&dataset, parameters()).await;
    clock.step(TimeDelta::minutes(10));
    let after = ada.upload("after", b"y,p,sex\n1,1,f\n0,1,m\n".to_vec()).await;
    assert!(created(&after) > created(&before) + TimeDelta::hours(2));
    let ended = ada.ended(&analysis).await;
    assert_eq!(ended["status"], "completed", "{ended}");

    verifies(data.path());
}
