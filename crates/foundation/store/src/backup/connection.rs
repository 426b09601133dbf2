//! A database's URL, with the password apart: programs get it by their environment.

use sqlx::postgres::PgConnectOptions;

use super::BackupError;

/// Where to connect.
pub(super) struct Target {
    options: PgConnectOptions,
    without_password: String,
    password: Option<String>,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, BackupError> {
        let options =
            url.parse().map_err(|error: sqlx::Error| BackupError::Url(error.to_string()))?;
        let (without_password, password) = split(url)?;
        Ok(Self { options, without_password, password })
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    pub(super) fn without_password(&self) -> &str {
        &self.without_password
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

/// Takes the password out of `scheme://user:password@host/…`.
fn split(url: &str) -> Result<(String, Option<String>), BackupError> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| BackupError::Url("it has no `postgres://` at its beginning".to_owned()))?;
    if rest.split_once('?').is_some_and(|(_, query)| query.contains("password=")) {
        return Err(BackupError::Url(
            "write the password before the host, as in postgres://user:password@host/database"
                .to_owned(),
        ));
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let Some((user_info, host)) = authority.rsplit_once('@') else {
        return Ok((url.to_owned(), None));
    };
    let Some((user, password)) = user_info.split_once(':') else {
        return Ok((url.to_owned(), None));
    };
    Ok((format!("{scheme}://{user}@{host}{tail}"), Some(unescape(password)?)))
}

fn unescape(text: &str) -> Result<String, BackupError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let escaped = rest.get(..2).and_then(|digits| hex::decode(digits).ok());
        let escaped = escaped.ok_or_else(|| {
            BackupError::Url(
                "a % in its password is not followed by two hexadecimal digits".to_owned(),
            )
        })?;
        bytes.extend(escaped);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| BackupError::Url("its password is not UTF-8".to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (String, Option<String>) {
        split(url).unwrap()
    }

    #[test]
    fn the_password_is_taken_out_and_read() {
        let (url, password) =
            parts("postgres://ada:p%40ss%2Fword@%2Ftmp%2Fsocket:5432/ephor?sslmode=disable");
        assert_eq!(url, "postgres://ada@%2Ftmp%2Fsocket:5432/ephor?sslmode=disable");
        assert_eq!(password.as_deref(), Some("p@ss/word"));
    }

    #[test]
    fn a_url_without_a_password_stays_as_it_is() {
        for url in ["postgres://ada@host/ephor", "postgres:///ephor?host=/tmp", "postgresql://host"]
        {
            assert_eq!(parts(url), (url.to_owned(), None));
        }
    }

    #[test]
    fn what_would_show_a_password_is_refused() {
        assert!(split("postgres:///ephor?host=/tmp&password=x").is_err());
        assert!(split("ephor").is_err());
        assert!(split("postgres://ada:100%@host/ephor").is_err());
    }
}
