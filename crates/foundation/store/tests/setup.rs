//! `make setup` on a stranger's machine: what it would run, in which order, and what it says when it
//! can do nothing. The machine is a folder of small programs that stand in for the real ones and
//! write down how they were called.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ephor_store::embedded::SearchPlaces;
use tempfile::TempDir;

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../scripts").join(name)
}

/// A machine with nothing on it but a shell and its usual company.
struct Machine {
    folder: TempDir,
}

struct Said {
    success: bool,
    out: String,
    err: String,
}

impl Said {
    /// The commands that were announced, without their arguments' details.
    fn commands(&self) -> Vec<&str> {
        self.out.lines().filter_map(|line| line.strip_prefix("+ ")).collect()
    }
}

impl Machine {
    fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "postgres", "home", "createcluster"] {
            fs::create_dir(machine.path(folder)).unwrap();
        }
        for tool in [
            "sh", "sed", "grep", "dirname", "mktemp", "rm", "mkdir", "sort", "env", "cat", "chmod",
            "cp", "cmp", "uname",
        ] {
            let real = ["/usr/bin", "/bin"].iter().map(|it| Path::new(it).join(tool));
            let real = real.into_iter().find(|it| it.exists()).unwrap();
            symlink(real, machine.path("bin").join(tool)).unwrap();
        }
        machine.user(0);
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, place: &str, name: &str, body: &str) {
        let file = self.path(place).join(name);
        fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    }

    fn user(&self, uid: u32) {
        self.program("bin", "id", &format!("echo {uid}"));
    }

    fn with_rust(&self) {
        self.program("bin", "cargo", "exit 0");
        self.program("bin", "rustc", "echo 'rustc 1.95.0 (abc 2026-04-14)'");
    }

    fn with_postgres(&self, major: u32) {
        for name in ["postgres", "initdb", "pg_dump"] {
            self.program("postgres", name, &format!("echo '{name} (PostgreSQL) {major}.1'"));
        }
    }

    fn with_tools(&self) {
        for name in ["cc", "chromium", "chromedriver", "cargo-nextest"] {
            self.program("bin", name, "exit 0");
        }
        // What the contract test runs, as it was installed before.
        let folder = "home/.cache/ephor/target/contract";
        fs::create_dir_all(self.path(folder).join("bin")).unwrap();
        self.program(&format!("{folder}/bin"), "schemathesis", "exit 0");
        let wanted = script("../crates/product/ephor/tests/contract/requirements.txt");
        fs::copy(wanted, self.path(folder).join("requirements.txt")).unwrap();
    }

    /// A Python whose environments get schemathesis from their pip.
    fn python(&self) -> String {
        let body = r#"#!/bin/sh
[ "$1" = -c ] && exit 0
mkdir -p "$3/bin"
cat > "$3/bin/python" <<END
#!/bin/sh
cp /bin/sh "$3/bin/schemathesis"
END
chmod 755 "$3/bin/python"
"#;
        let file = self.path("python3");
        fs::write(&file, body).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
        file.display().to_string()
    }

    /// An apt-get that "installs" what the script looks for, and keeps what it saw.
    fn with_apt(&self, offers: u32) {
        self.program("bin", "apt-cache", &format!("echo '  Depends: postgresql-{offers}'"));
        let (bin, postgres) = (self.path("bin"), self.path("postgres"));
        let body = format!(
            r#"echo "apt-get $*" >> "{log}"
case "$1" in install)
    cat "{cluster}"/* >> "{log}"
    for name in cc chromium chromedriver; do printf '#!/bin/sh\n' > "{bin}/$name"; chmod 755 "{bin}/$name"; done
    cp "{python}" "{bin}/python3"
    for name in postgres initdb pg_dump; do
        printf '#!/bin/sh\necho "%s (PostgreSQL) {offers}.1"\n' "$name" > "{postgres}/$name"; chmod 755 "{postgres}/$name"
    done ;;
esac"#,
            python = self.python(),
            log = self.path("log").display(),
            cluster = self.path("createcluster").display(),
            bin = bin.display(),
            postgres = postgres.display(),
        );
        self.program("bin", "apt-get", &body);
    }

    /// A curl that fetches a rustup which installs a Rust.
    fn with_curl(&self) {
        let bin = self.path("home/.cargo/bin");
        let installer = format!(
            "mkdir -p '{bin}'\nprintf '#!/bin/sh\\necho \"rustc 1.95.0 (abc)\"\\n' > '{bin}/rustc'\n\
             printf '#!/bin/sh\\nexit 0\\n' > '{bin}/cargo'\nchmod 755 '{bin}/rustc' '{bin}/cargo'\n",
            bin = bin.display()
        );
        fs::write(self.path("installer"), installer).unwrap();
        let body = format!(
            r#"while [ "$1" != -o ]; do shift; done; cp "{}" "$2""#,
            self.path("installer").display()
        );
        self.program("bin", "curl", &body);
    }

    fn setup(&self, purpose: &str) -> Said {
        let output = Command::new("/bin/sh")
            .arg(script("setup.sh"))
            .arg(purpose)
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.folder.path())
            .env("EPHOR_POSTGRES_BIN", self.path("postgres"))
            .env("EPHOR_SETUP_CREATECLUSTER", self.path("createcluster"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Said {
            success: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

#[test]
fn nothing_is_said_or_done_when_all_is_there() {
    let machine = Machine::new();
    machine.with_rust();
    machine.with_postgres(15);
    machine.with_tools();
    machine.with_apt(15);
    let said = machine.setup("test");
    assert!(said.success, "{}", said.err);
    assert_eq!((said.out.as_str(), said.err.as_str(), machine.log().as_str()), ("", "", ""));
}

#[test]
fn root_gets_everything_and_sees_each_command_first() {
    let machine = Machine::new();
    machine.with_apt(15);
    machine.with_curl();
    let said = machine.setup("test");
    assert!(said.success, "{}{}", said.out, said.err);
    let commands = said.commands();
    let beginnings = [
        "apt-get update",
        "mkdir -p",
        "sh -c echo 'create_main_cluster = false' >",
        "env DEBIAN_FRONTEND=noninteractive apt-get install -y",
        "rm -f",
        "curl ",
        "sh ",
        "cargo install --locked cargo-nextest",
        "python3 -m venv ",
        "/",
    ];
    assert_eq!(commands.len(), beginnings.len(), "{commands:#?}");
    for (command, beginning) in commands.iter().zip(beginnings) {
        assert!(command.starts_with(beginning), "{command} is not {beginning}…");
    }
    for package in ["gcc", "postgresql", "chromium", "python3-venv"] {
        assert!(commands[3].contains(package), "{}", commands[3]);
    }
    assert!(machine.log().contains("create_main_cluster = false"), "no cluster on port 5432");
    let left = fs::read_dir(machine.path("createcluster")).unwrap().count();
    assert_eq!(left, 0, "the machine's own choice about clusters is as it was");
    assert!(said.out.ends_with("setup: all is there\n"), "{}", said.out);
}

#[test]
fn a_demo_needs_neither_browser_nor_test_runner() {
    let machine = Machine::new();
    machine.with_rust();
    machine.with_apt(17);
    let said = machine.setup("run");
    assert!(said.success, "{}{}", said.out, said.err);
    assert!(!said.out.contains("chromium") && !said.out.contains("nextest"), "{}", said.out);
}

#[test]
fn an_ordinary_user_goes_through_sudo() {
    let machine = Machine::new();
    machine.with_rust();
    machine.with_tools();
    machine.with_apt(15);
    machine.user(1000);
    machine.program("bin", "sudo", r#"[ "$1" = -n ] && shift; [ "$1" = true ] || exec "$@""#);
    let said = machine.setup("test");
    assert!(said.success, "{}{}", said.out, said.err);
    let commands = said.commands();
    assert!(
        !commands.is_empty() && commands.iter().all(|it| it.starts_with("sudo ")),
        "{commands:#?}"
    );
    let install = "apt-get install -y -q --no-install-recommends postgresql";
    assert!(commands.iter().any(|it| it.ends_with(install)), "only what is missing: {commands:#?}");
}

#[test]
fn with_neither_root_nor_sudo_the_one_line_is_printed_and_nothing_done() {
    let machine = Machine::new();
    machine.with_rust();
    machine.with_tools();
    machine.with_apt(15);
    machine.user(1000);
    let said = machine.setup("test");
    assert!(!said.success);
    assert!(
        said.commands().is_empty() && machine.log().is_empty(),
        "{}{}",
        said.out,
        machine.log()
    );
    let line = said.out.lines().last().unwrap();
    assert!(line.contains("apt-get update && ") && line.ends_with(" postgresql"), "{line}");
}

#[test]
fn rust_that_cannot_be_fetched_is_said() {
    let machine = Machine::new();
    machine.with_postgres(15);
    machine.with_tools();
    machine.program("bin", "curl", "exit 6");
    let said = machine.setup("test");
    assert!(!said.success);
    assert!(
        said.err.contains("could not be fetched") && said.err.contains("rustup.rs"),
        "{}",
        said.err
    );
}

#[test]
fn a_rust_that_is_too_old_is_renewed_by_rustup() {
    let machine = Machine::new();
    machine.with_postgres(15);
    machine.with_tools();
    machine.program("bin", "cargo", "exit 0");
    machine.program("bin", "rustc", "echo 'rustc 1.93.2 (abc)'");
    let newer = machine.path("newer");
    fs::write(&newer, "#!/bin/sh\necho 'rustc 1.94.0 (abc)'\n").unwrap();
    let rustc = machine.path("bin/rustc");
    let body = format!("cp '{}' '{}'", newer.display(), rustc.display());
    machine.program("bin", "rustup", &body);
    let said = machine.setup("test");
    assert!(said.success, "{}{}", said.out, said.err);
    assert_eq!(
        said.commands()[0],
        "rustup toolchain install stable --profile minimal --component clippy --component rustfmt"
    );
}

#[test]
fn a_system_that_offers_only_an_old_postgresql_is_told_where_to_get_a_newer() {
    let machine = Machine::new();
    machine.with_rust();
    machine.with_tools();
    machine.with_apt(14);
    let said = machine.setup("test");
    assert!(!said.success);
    assert!(
        said.err.contains("PostgreSQL 14") && said.err.contains("apt.postgresql.org.sh"),
        "{}",
        said.err
    );
    assert!(!machine.log().contains("install"), "{}", machine.log());
}

#[test]
fn without_a_package_manager_it_says_what_is_missing() {
    let machine = Machine::new();
    machine.with_rust();
    let said = machine.setup("test");
    assert!(!said.success);
    for what in
        ["a C compiler", "PostgreSQL 15 or newer", "Chromium", "chromedriver", "Python 3.10"]
    {
        assert!(said.err.contains(what), "{what}: {}", said.err);
    }
}

#[test]
fn an_installation_that_did_not_help_is_noticed() {
    let machine = Machine::new();
    machine.with_rust();
    machine.with_tools();
    machine.with_apt(15);
    machine.program("bin", "apt-get", "exit 0");
    let said = machine.setup("test");
    assert!(!said.success);
    assert!(said.err.contains("still no PostgreSQL"), "{}", said.err);
}

#[test]
fn an_unknown_purpose_is_refused() {
    let said = Machine::new().setup("everything");
    assert!(!said.success && said.err.contains("say `run` or `test`"), "{}", said.err);
}

#[test]
fn the_scripts_and_ephor_find_the_same_postgresql() {
    let output = Command::new("/bin/sh").arg(script("postgres-bin.sh")).output().unwrap();
    let theirs = String::from_utf8(output.stdout).unwrap();
    let ours = SearchPlaces::of_this_machine().find().unwrap();
    assert_eq!(Path::new(theirs.trim()).canonicalize().unwrap(), ours[0].folder());
}
