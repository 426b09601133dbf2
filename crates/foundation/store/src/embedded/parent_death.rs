//! The server must not outlive Ephor: when Ephor is killed, the server is asked to stop.
#![allow(
    unsafe_code,
    reason = "between fork and exec the child asks the kernel for a signal; only pre_exec runs there"
)]

use tokio::process::Command;

/// Asks for SIGINT (PostgreSQL's fast shutdown) when the thread that spawns the child ends.
///
/// A change of user clears the request, so it has to be made after `setuid`: the standard library
/// runs this after it. The parent may have died before the request was made, which `getppid` tells.
#[cfg(target_os = "linux")]
pub(super) fn stop_with_parent(command: &mut Command) {
    let parent = nix::unistd::Pid::this();
    let ask = move || {
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGINT)?;
        if nix::unistd::getppid() == parent {
            Ok(())
        } else {
            Err(std::io::Error::from(nix::errno::Errno::ESRCH))
        }
    };
    // SAFETY: the closure makes two system calls and nothing else: it neither allocates nor locks.
    unsafe {
        command.pre_exec(ask);
    }
}

/// Elsewhere no such signal exists; [`super::watchdog`] does it.
#[cfg(not(target_os = "linux"))]
pub(super) fn stop_with_parent(_command: &mut Command) {}
