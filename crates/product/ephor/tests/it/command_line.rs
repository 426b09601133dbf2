//! What the command line promises of itself.

use crate::support::ephor;

fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = ephor().args(arguments).output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn every_command_explains_itself() {
    for command in [
        &["--help"][..],
        &["analyze", "--help"],
        &["explain", "--help"],
        &["drift", "--help"],
        &["metrics", "--help"],
        &["mitigate", "--help"],
        &["mitigate", "fit", "--help"],
        &["mitigate", "apply", "--help"],
        &["cluster", "--help"],
        &["cluster", "scheduler", "--help"],
        &["cluster", "executor", "--help"],
        &["serve", "--help"],
        &["demo", "--help"],
        &["worker", "--help"],
        &["db", "--help"],
        &["db", "status", "--help"],
        &["db", "seed", "--help"],
        &["admin", "--help"],
        &["admin", "organization", "--help"],
        &["admin", "user", "--help"],
        &["admin", "erasure", "--help"],
        &["admin", "password-link", "--help"],
        &["secrets", "--help"],
        &["audit", "--help"],
        &["login", "--help"],
        &["org", "--help"],
        &["resource", "--help"],
        &["resource", "act", "--help"],
        &["resource", "upload", "--help"],
        &["resource", "content", "--help"],
        &["admin", "organization", "list", "--help"],
        &["admin", "organization", "show", "--help"],
        &["admin", "organization", "suspend", "--help"],
        &["admin", "organization", "reactivate", "--help"],
        &["admin", "organization", "set", "--help"],
        &["admin", "user", "list", "--help"],
        &["admin", "user", "show", "--help"],
        &["admin", "user", "disable", "--help"],
        &["admin", "user", "enable", "--help"],
        &["admin", "user", "end-sessions", "--help"],
        &["admin", "user", "remove-second-factor", "--help"],
        &["admin", "user", "grant", "--help"],
        &["admin", "user", "revoke", "--help"],
        &["admin", "erasure", "list", "--help"],
        &["admin", "erasure", "retry", "--help"],
        &["org", "list", "--help"],
        &["org", "show", "--help"],
        &["org", "use", "--help"],
        &["resource", "types", "--help"],
        &["resource", "list", "--help"],
        &["resource", "get", "--help"],
        &["resource", "create", "--help"],
        &["resource", "update", "--help"],
        &["resource", "audit", "--help"],
        &["resource", "offer", "--help"],
        &["resource", "accept-offer", "--help"],
        &["resource", "decline-offer", "--help"],
        &["resource", "actions", "--help"],
        &["resource", "delete", "--help"],
        &["doctor", "--help"],
        &["config", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
    ] {
        let (code, out, err) = run(command);
        assert_eq!(code, 0, "{command:?}: {err}");
        assert!(out.contains("Usage:"), "{command:?}");
        assert!(out.contains("Example") || command == ["--help"], "{command:?} shows no example");
        // What it says to read is there.
        for page in out.split("docs/").skip(1).filter_map(|rest| rest.split(".md").next()) {
            let file = format!("{}/../../../docs/{page}.md", env!("CARGO_MANIFEST_DIR"));
            assert!(std::path::Path::new(&file).is_file(), "{command:?}: there is no {file}");
        }
    }
}

#[test]
fn a_wrong_command_is_exit_code_2() {
    let (code, _, err) = run(&["anlyze"]);
    assert_eq!(code, 2);
    assert!(err.contains("analyze"), "{err}");
}

#[test]
fn the_printed_configuration_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ephor.toml");
    std::fs::write(&file, run(&["config"]).1).unwrap();
    let (code, out, err) = run(&["config", "--check", "--config", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("is right"));
    std::fs::write(&file, "[server]\nbnid = 'x'\n").unwrap();
    let (code, _, err) = run(&["config", "--check", "--config", file.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean `bind`"), "{err}");
}

#[test]
fn the_bootstrap_holds_no_password() {
    let (code, out, _) = run(&["db", "bootstrap"]);
    assert_eq!(code, 0);
    assert!(out.contains("ephor_app") && out.contains("revoke"));
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man1");
    let (code, _, err) = run(&["man", man.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    let page = std::fs::read_to_string(man.join("ephor-resource-list.1")).unwrap();
    assert!(page.contains(".SH SYNOPSIS"), "{page}");
}

#[test]
fn shells_are_served() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).1.contains("ephor"), "{shell}");
    }
    // Fish's are of options alone.
    for shell in ["bash", "zsh"] {
        let script = run(&["completions", shell]).1;
        for word in ["bias_analyses", "acknowledge", "roll_back"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}
