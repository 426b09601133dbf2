//! Who acts: people, organizations, members, roles, sessions and keys.
