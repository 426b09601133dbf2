//! Who acts.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AssistantId, UserId};

/// Whoever a request or a job acts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Principal {
    /// A person.
    User(UserId),
    /// An AI assistant, governed as staff.
    Assistant(AssistantId),
    /// A part of Ephor itself.
    System(SystemPart),
}

/// The parts of Ephor that act on their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemPart {
    /// Runs jobs.
    Worker,
    /// Seals the audit trail.
    Sealer,
    /// The operator of the platform, through the command line.
    Operator,
    /// Takes in rows that programs push with a token.
    Intake,
}

impl SystemPart {
    /// A fixed id, so that the audit trail names the part.
    pub const fn uuid(self) -> Uuid {
        let number = match self {
            Self::Worker => 1,
            Self::Sealer => 2,
            Self::Operator => 3,
            Self::Intake => 4,
        };
        Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000 + number)
    }
}

/// The kind of an actor, as the audit trail writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorType {
    /// A person.
    User,
    /// An AI assistant.
    Assistant,
    /// A part of Ephor.
    System,
    /// The platform's operator, working across tenants.
    Platform,
}

impl ActorType {
    /// The word that PostgreSQL stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
            Self::Platform => "platform",
        }
    }

    /// The byte that an audit entry's header holds.
    pub const fn code(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Assistant => 2,
            Self::System => 3,
            Self::Platform => 4,
        }
    }
}

impl fmt::Display for ActorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Principal {
    /// The kind of actor.
    pub const fn actor_type(self) -> ActorType {
        match self {
            Self::User(_) => ActorType::User,
            Self::Assistant(_) => ActorType::Assistant,
            Self::System(SystemPart::Operator) => ActorType::Platform,
            Self::System(_) => ActorType::System,
        }
    }

    /// The actor's id, whatever the kind.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.uuid(),
            Self::Assistant(id) => id.uuid(),
            Self::System(part) => part.uuid(),
        }
    }

    /// The person, when it is one.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::Assistant(_) | Self::System(_) => None,
        }
    }
}
