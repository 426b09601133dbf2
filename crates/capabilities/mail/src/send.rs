//! Handing a mail to the server.

use std::{sync::Arc, time::Duration};

use lettre::{
    message::Mailbox,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::AsyncSmtpConnection,
        extension::ClientId,
    },
};
use secrecy::ExposeSecret as _;

use crate::{
    Mail, MailConfig, MailFault,
    config::Setup,
    server::{Security, Server},
    stream,
};

/// How long one mail may take, from the connection to the server's last word.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// No other try would end differently: the server does not take this mail.
    #[error("{0}")]
    Refused(String),
    /// Another try may succeed.
    #[error("{0}")]
    Unavailable(String),
}

/// Sends mails. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mailer(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    server: Server,
    from: Mailbox,
    /// The name by which the server is greeted: the domain that mails are from.
    hello: String,
}

impl Mailer {
    /// A mailer as configured; `None` where mail is not set up.
    ///
    /// # Errors
    /// All that is wrong with the configuration.
    pub fn new(config: &MailConfig) -> Result<Option<Self>, Vec<MailFault>> {
        Ok(config.read()?.map(|Setup { server, from }| {
            let hello = from.email.domain().to_owned();
            Self(Arc::new(Parts { server, from, hello }))
        }))
    }

    /// Sends one mail, on a connection of its own.
    pub async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = mail.message(&self.0.from)?;
        let delivery = self.deliver(message.envelope(), message.formatted());
        tokio::time::timeout(PATIENCE, delivery)
            .await
            .unwrap_or_else(|_| Err(unavailable("The mail server took too long")))
    }

    async fn deliver(
        &self,
        envelope: &lettre::address::Envelope,
        message: Vec<u8>,
    ) -> Result<(), MailError> {
        let Parts { server, hello, .. } = self.0.as_ref();
        let stream = stream::open(server, hello).await.map_err(|error| {
            unavailable(format!("The mail server {} cannot be reached: {error}", server.host))
        })?;
        let hello = ClientId::Domain(hello.clone());
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello)
            .await
            .map_err(|error| unavailable(format!("The mail server does not greet: {error}")))?;
        if let Some((user, password)) = &server.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(
                // Somebody may put the password right meanwhile.
                |error| unavailable(format!("The mail server does not let Ephor in: {error}")),
            )?;
        }
        connection.send(envelope, &message).await.map_err(|error| {
            let why = format!("The mail server did not take the mail: {error}");
            if error.is_permanent() || error.is_client() {
                MailError::Refused(why)
            } else {
                MailError::Unavailable(why)
            }
        })?;
        // The mail is the server's by now: how the farewell goes matters no more.
        connection.abort().await;
        Ok(())
    }

    /// Is the way to the server protected, or on this machine alone?
    pub fn is_protected(&self) -> bool {
        self.0.server.security != Security::None
    }
}

fn unavailable(why: impl Into<String>) -> MailError {
    MailError::Unavailable(why.into())
}
