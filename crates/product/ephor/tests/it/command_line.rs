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
        &["doctor", "--help"],
        &["config", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
    ] {
        let (code, out, err) = run(command);
        assert_eq!(code, 0, "{command:?}: {err}");
        assert!(out.contains("Usage:"), "{command:?}");
        assert!(out.contains("Example") || command == ["--help"], "{command:?} shows no example");
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
