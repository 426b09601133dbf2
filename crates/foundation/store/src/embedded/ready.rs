//! Waiting until the server answers.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

use super::{
    Urls,
    credentials::SUPERUSER,
    error::EmbeddedError,
    server::{Server, State},
};

/// Long enough for a recovery after a crash under load.
const PATIENCE: Duration = Duration::from_mins(10);
/// For a server that is up and yet does not answer at all.
const SILENCE: Duration = Duration::from_mins(1);
/// "The database system is starting up": it recovers, and will answer.
const STARTING_UP: &str = "57P03";

/// Connects as the superuser as soon as the server answers. Errs as soon as it has given up.
pub(super) async fn until_ready(
    server: &Server,
    urls: &Urls,
) -> Result<PgConnection, EmbeddedError> {
    let options = urls.options(SUPERUSER, "postgres");
    let begun = Instant::now();
    let mut last_sign = begun;
    let mut state = server.state();
    loop {
        if let State::Failed(said) = &*state.borrow_and_update() {
            return Err(EmbeddedError::Died { said: said.clone() });
        }
        let refused = match PgConnection::connect_with(&options).await {
            Ok(connection) => {
                server.note_answered();
                return Ok(connection);
            }
            Err(error) => error,
        };
        match refused.as_database_error().and_then(sqlx::error::DatabaseError::code) {
            Some(code) if code == STARTING_UP => last_sign = Instant::now(),
            // A refusal such as a wrong password will not go away by waiting.
            Some(_) => return Err(refused.into()),
            None => {}
        }
        if begun.elapsed() > PATIENCE || last_sign.elapsed() > SILENCE {
            let said = format!("{refused}; {}", server.last_lines());
            return Err(EmbeddedError::NotReady { seconds: begun.elapsed().as_secs(), said });
        }
        tokio::select! {
            _ = state.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
    }
}
