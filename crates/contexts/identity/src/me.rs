//! Oneself: account, organizations, permissions; name, what one keeps beside, and password.

use chrono::{DateTime, Utc};
use ephor_kernel::{Code, Fault, OrganizationId, Problem, RequestContext, RoleId, Scope, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    account_details::{metadata_faults, username_fault},
    email::Email,
    identity::{Identity, database},
    log_in::wrong_credentials,
    password::{self, Password},
    permissions::expanded,
    session::CurrentSession,
    text,
};

/// Oneself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Me {
    /// The account.
    pub user: MyAccount,
    /// The organization in which one works at the moment.
    pub organization_id: OrganizationId,
    /// What one may do there, each permission spelt out.
    pub permissions: Vec<String>,
    /// The organizations that one may read: the present one and, for a holding, its subsidiaries.
    pub readable: Vec<OrganizationId>,
    /// The organizations that one belongs to.
    pub organizations: Vec<MyOrganization>,
}

/// One's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MyAccount {
    /// Its id.
    pub id: UserId,
    /// The address to log in with.
    pub email: String,
    /// The name.
    pub full_name: String,
    /// Given name, where it is known apart.
    pub first_name: Option<String>,
    /// Family name, where it is known apart.
    pub last_name: Option<String>,
    /// Address of a picture.
    pub avatar_url: Option<String>,
    /// A short name of one's own choice, or what an imported system had.
    pub username: Option<String>,
    /// What one keeps beside, or what an imported system knew.
    pub metadata: Map<String, Value>,
    /// Oneself as a customer at Stripe, where an imported system billed people.
    pub stripe_customer_id: Option<String>,
    /// When one proved that the address is one's own.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// When one agreed to the processing of one's data.
    pub gdpr_consent_at: Option<DateTime<Utc>>,
    /// When one last logged in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// Counts its changes, log-ins among them.
    pub version: i32,
    /// A second factor is asked for when one logs in.
    pub second_factor: bool,
    /// The present organization requires one that is missing: one may do nothing there until it is set up.
    pub second_factor_due: bool,
}

/// An organization that one belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MyOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// standalone, holding or subsidiary.
    pub kind: String,
    /// The holding that a subsidiary is of.
    pub parent_id: Option<OrganizationId>,
    /// One's role there.
    pub role_id: RoleId,
    /// The role's name.
    pub role_name: String,
    /// The built-in role's word, if it is one.
    pub role: Option<String>,
}

/// What to change about oneself; what is left out stays, and `null` empties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeMe {
    /// The name, which cannot be emptied.
    pub full_name: Option<String>,
    /// Given name.
    #[serde(deserialize_with = "present")]
    pub first_name: Option<Option<String>>,
    /// Family name.
    #[serde(deserialize_with = "present")]
    pub last_name: Option<Option<String>>,
    /// Address of a picture: https.
    #[serde(deserialize_with = "present")]
    pub avatar_url: Option<Option<String>>,
    /// A short name, which nobody else has: small ASCII letters, digits, `.`, `_` and `-`.
    #[serde(deserialize_with = "present")]
    pub username: Option<Option<String>>,
    /// What one keeps beside, as a whole: at most 16 KiB as JSON.
    #[serde(deserialize_with = "present")]
    pub metadata: Option<Option<Map<String, Value>>>,
}

/// A change of password.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The present one.
    pub current_password: Password,
    /// The one to have from now on.
    pub password: Password,
}

/// Tells a member that is `null` from one that is left out.
#[allow(clippy::option_option, reason = "left out, null, and a value are three things")]
fn present<'de, D, T>(from: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Deserialize::deserialize(from).map(Some)
}

impl Identity {
    /// Oneself, as the scope has it.
    pub async fn me(&self, scope: &Scope) -> Result<Me, Problem> {
        let mut tx = self.store().begin(scope).await?;
        let user = account(&mut tx, scope).await?;
        let organizations = sqlx::query!(
            r#"select organization_id as "organization_id!", name as "name!", slug as "slug!",
                      kind as "kind!", role_id as "role_id!", role_name as "role_name!", role_code,
                      parent_id
               from door.my_organizations()"#
        )
        .fetch_all(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(Me {
            user,
            organization_id: scope.organization(),
            permissions: expanded(scope.permissions()).into_iter().collect(),
            readable: scope.readable().to_vec(),
            organizations: organizations
                .into_iter()
                .map(|row| MyOrganization {
                    id: row.organization_id.into(),
                    name: row.name,
                    slug: row.slug,
                    kind: row.kind,
                    parent_id: row.parent_id.map(Into::into),
                    role_id: row.role_id.into(),
                    role_name: row.role_name,
                    role: row.role_code,
                })
                .collect(),
        })
    }

    /// Changes one's name and picture, here and in the copies that one's organizations show; and user
    /// name and metadata, which none shows. `version` is the one that the caller saw; `None` changes whatever is there.
    ///
    /// # Errors
    /// `invalid` with every fault: `taken` at `/username` for one that somebody else has; `stale` when the version is
    /// another by now; `rate_limited` for whoever asked for too many user names lately.
    pub async fn me_change(
        &self,
        scope: &Scope,
        version: Option<i64>,
        input: &ChangeMe,
    ) -> Result<MyAccount, Problem> {
        let mut tx = self.store().begin(scope).await?;
        let now = account(&mut tx, scope).await?;
        if version.is_some_and(|version| version != i64::from(now.version)) {
            return Err(stale(now.version));
        }
        let changed = changed(&now, input)?;
        let is_named = changed.username != now.username;
        if is_named && changed.username.is_some() {
            // Counting takes a connection of its own: it does not wait for one while it holds this.
            tx.commit().await?;
            self.count_user_name(scope).await?;
            tx = self.store().begin(scope).await?;
        }
        let updated = sqlx::query_scalar!(
            r#"select door.profile_update($1, $2, $3, $4) as "updated!""#,
            changed.full_name,
            changed.first_name,
            changed.last_name,
            changed.avatar_url,
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        if !updated {
            return Err(Problem::not_found("account"));
        }
        let metadata =
            (changed.metadata != now.metadata).then(|| Value::Object(changed.metadata.clone()));
        let is_detailed = is_named || metadata.is_some();
        if is_detailed {
            sqlx::query_scalar!(
                r#"select door.account_details($1, $2, $3) as "updated!""#,
                changed.username,
                is_named,
                metadata,
            )
            .fetch_one(tx.conn())
            .await
            .map_err(database)?;
        }
        let kept = account(&mut tx, scope).await?;
        // Each of the two counts once, and the first holds the row: what counted beside them came between reading and that.
        let before = kept.version - 1 - i32::from(is_detailed);
        if version.is_some() && before != now.version {
            return Err(stale(before));
        }
        tx.commit().await?;
        Ok(kept)
    }

    /// Changes one's password; all other sessions end.
    ///
    /// # Errors
    /// `wrong_credentials` when the present password is wrong, `invalid` for a new one that will
    /// not do, `rate_limited`.
    pub async fn password_change(
        &self,
        request: &RequestContext,
        scope: &Scope,
        session: &CurrentSession,
        input: &ChangePassword,
    ) -> Result<(), Problem> {
        let mut tx = self.store().begin(scope).await?;
        let email =
            Email::parse(&account(&mut tx, scope).await?.email).map_err(|_| Problem::internal())?;
        tx.commit().await?;
        Problem::unless_empty(password::faults(&input.password, &email))?;
        self.count_log_in(request, &email).await?;
        let (_, old) = self.user_by_email(&email).await?;
        let hasher = &self.parts().hasher;
        let right = hasher.verify(&input.current_password, old.as_deref()).await?;
        let Some(old) = old.filter(|_| right) else { return Err(wrong_credentials()) };
        let new = hasher.hash(&input.password).await?;
        let mut tx = self.store().begin(scope).await?;
        let changed = sqlx::query_scalar!(
            r#"select door.password_change($1, $2, $3) as "changed!""#,
            old,
            new,
            session.id.uuid(),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        if !changed {
            return Err(Problem::new(
                Code::Conflict,
                "The password was changed at the same moment elsewhere; log in anew",
            ));
        }
        Ok(tx.commit().await?)
    }
}

pub(crate) async fn account(
    tx: &mut ephor_store::OrgTx,
    scope: &Scope,
) -> Result<MyAccount, Problem> {
    let row = sqlx::query!(
        r#"select u.id, u.email, u.full_name, u.first_name, u.last_name, u.avatar_url, u.username,
                  u.metadata, u.stripe_customer_id, u.email_verified_at, u.gdpr_consent_at,
                  u.last_login_at, u.created_at, u.version, o.require_second_factor,
                  exists (select 1 from identity.user_totp t
                          where t.user_id = u.id and t.confirmed_at is not null) as "second_factor!"
           from identity.users u
           join identity.organizations o on o.organization_id = $2 and o.id = $2
           where u.id = $1"#,
        scope.principal().uuid(),
        scope.organization().uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(database)?
    .ok_or_else(|| Problem::not_found("account"))?;
    Ok(MyAccount {
        id: row.id.into(),
        email: row.email,
        full_name: row.full_name,
        first_name: row.first_name,
        last_name: row.last_name,
        avatar_url: row.avatar_url,
        username: row.username,
        metadata: match row.metadata {
            Value::Object(metadata) => metadata,
            _ => Map::new(),
        },
        stripe_customer_id: row.stripe_customer_id,
        email_verified_at: row.email_verified_at,
        gdpr_consent_at: row.gdpr_consent_at,
        last_login_at: row.last_login_at,
        created_at: row.created_at,
        version: row.version,
        second_factor: row.second_factor,
        second_factor_due: row.require_second_factor && !row.second_factor,
    })
}

fn stale(version: i32) -> Problem {
    Problem::new(
        Code::Stale,
        format!(
            "Your account was changed in the meantime: it is at version {version} now. Read it again, and send your change with that version"
        ),
    )
}

fn changed(now: &MyAccount, input: &ChangeMe) -> Result<MyAccount, Problem> {
    let ChangeMe { full_name, first_name, last_name, avatar_url, username, metadata } =
        input.clone();
    let mut faults = Vec::new();
    let mut next = now.clone();
    if let Some(name) = full_name {
        next.full_name = text::name("/full_name", &name, 200, &mut faults);
    }
    if let Some(name) = first_name {
        next.first_name = name.map(|name| text::name("/first_name", &name, 100, &mut faults));
    }
    if let Some(name) = last_name {
        next.last_name = name.map(|name| text::name("/last_name", &name, 100, &mut faults));
    }
    if let Some(url) = avatar_url {
        if url.as_ref().is_some_and(|url| !url.starts_with("https://") || url.len() > 2000) {
            faults.push(Fault::new(
                "/avatar_url",
                "url",
                "A picture's address starts with https:// and has at most 2000 characters",
            ));
        }
        next.avatar_url = url;
    }
    // What another system gave stays as long as one likes, even if one could not choose it.
    if let Some(username) = username.filter(|username| *username != now.username) {
        faults.extend(username.as_deref().and_then(username_fault));
        next.username = username;
    }
    if let Some(metadata) = metadata.map(Option::unwrap_or_default)
        && metadata != now.metadata
    {
        faults.extend(metadata_faults(&metadata));
        next.metadata = metadata;
    }
    Problem::unless_empty(faults)?;
    Ok(next)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_not_what_is_null() {
        let input: ChangeMe = serde_json::from_str(r#"{"first_name": null}"#).unwrap();
        assert_eq!(input.first_name, Some(None));
        assert_eq!(input.last_name, None);
        assert!(serde_json::from_str::<ChangeMe>(r#"{"email": "x"}"#).is_err());
        assert!(serde_json::from_str::<ChangeMe>(r#"{"stripe_customer_id": "x"}"#).is_err());
        assert!(serde_json::from_str::<ChangeMe>(r#"{"metadata": []}"#).is_err());
        let input: ChangeMe = serde_json::from_str(r#"{"metadata": null}"#).unwrap();
        assert_eq!((input.metadata, input.username), (Some(None), None));
    }
}
