//! A question before what cannot be taken back.

use std::io::{IsTerminal as _, Write as _};

use super::printed::safe;
use crate::exit::UsageError;

/// Is it agreed, by `yes` or by somebody at the terminal?
///
/// # Errors
/// When there is nobody to ask.
pub fn agreed(question: &str, yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    can_ask()?;
    // A name within it may be anybody's.
    write!(std::io::stderr(), "{} [y/N] ", safe(question))?;
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    let agreed = matches!(answer.trim(), "y" | "Y" | "yes");
    if !agreed {
        writeln!(std::io::stderr(), "Nothing was changed.")?;
    }
    Ok(agreed)
}

/// Is there somebody to ask?
///
/// # Errors
/// When there is not.
pub fn can_ask() -> Result<(), UsageError> {
    if std::io::stdin().is_terminal() {
        Ok(())
    } else {
        Err(UsageError("there is nobody to ask: --yes goes on without asking".into()))
    }
}
