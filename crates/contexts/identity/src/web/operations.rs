//! The routes that [`super::routes`] serves, for the OpenAPI document.

use ephor_rest::Operation;
use serde_json::{Map, Value, json};

use crate::account_details::{IN_SESSIONS_ALONE, USERNAME};

pub(super) const ACCOUNT: &str = "account";

/// Describes each route.
pub fn operations() -> Vec<Operation> {
    let mut all = account();
    all.extend(security());
    all.extend(administration());
    all.extend(super::invitations::operations());
    all.extend(super::letters::operations());
    all.extend(super::privacy::operations());
    all
}

fn account() -> Vec<Operation> {
    let password =
        json!({ "type": "string", "format": "password", "minLength": 10, "maxLength": 1000 });
    let email = json!({ "type": "string", "format": "email", "maxLength": 254 });
    let id = uuid();
    vec![
        Operation::post("/v1/auth/sign-up", "Sign up")
            .tag(ACCOUNT)
            .about("Makes an account, an organization with its built-in roles, and the person its owner; sets the session cookie.")
            .public()
            .request(object(
                &["email", "password", "full_name", "organization_name"],
                json!({
                    "email": email, "password": password, "full_name": name(200), "organization_name": name(200),
                    "kind": { "enum": ["standalone", "holding"], "default": "standalone" },
                    "consent": { "type": "boolean", "default": false, "description": "Agrees to the processing of personal data." },
                }),
            ))
            .response(201, object(
                &["user_id", "organization_id", "member_id"],
                json!({ "user_id": id, "organization_id": id, "member_id": id }),
            )),
        Operation::post("/v1/auth/log-in", "Log in")
            .tag(ACCOUNT)
            .about("Sets the session cookie (204); somebody who has a second factor gets a token for the second step instead (200). Attempts are limited per account and per address; 429 says when to try again.")
            .public()
            .request(object(
                &["email", "password"],
                json!({
                    "email": email, "password": { "type": "string", "format": "password" },
                    "organization_id": { "type": ["string", "null"], "format": "uuid", "description": "Where to work; the last place if left out." },
                }),
            ))
            .empty(204)
            .or(200, half_session()),
        Operation::post("/v1/auth/log-out", "Log out").tag(ACCOUNT).about("Ends this session.").empty(204),
        Operation::post("/v1/auth/log-out-everywhere", "Log out everywhere")
            .tag(ACCOUNT)
            .about("Ends all of one's sessions.")
            .empty(204),
        Operation::post("/v1/auth/join-offer", "See what a join link offers")
            .tag(ACCOUNT)
            .public()
            .request(object(&["token"], json!({ "token": { "type": "string" } })))
            .response(200, object(
                &["email", "full_name", "organization_name", "has_account"],
                json!({
                    "email": email, "full_name": name(200), "organization_name": name(200),
                    "has_account": { "type": "boolean", "description": "The password of that account is asked for." },
                }),
            )),
        Operation::post("/v1/auth/join", "Join an organization")
            .tag(ACCOUNT)
            .about("Uses up a join link, with the account's password or, for a new account, the one it shall have; sets the session cookie.")
            .public()
            .request(object(
                &["token", "password"],
                json!({
                    "token": { "type": "string" }, "password": password, "full_name": name(200),
                    "consent": { "type": "boolean", "default": false },
                }),
            ))
            .empty(204)
            .or(200, half_session()),
        Operation::get("/v1/me", "See oneself")
            .tag(ACCOUNT)
            .about("Account, permissions, reach, organizations; in a session also the token for forms, and of the account user name, metadata and customer id, which no API key sees.")
            .response(200, me()),
        Operation::patch("/v1/me", "Change one's name, picture, user name or metadata")
            .tag(ACCOUNT)
            .about("What is left out stays; null empties. Metadata are replaced as a whole. Ten user names an hour may be tried, as one that is taken tells of somebody else; 429 says when to try again.")
            .may_match()
            .request(object(&[], json!({
                "full_name": name(200), "first_name": optional_name(), "last_name": optional_name(),
                "avatar_url": { "type": ["string", "null"], "format": "uri", "pattern": "^https://" },
                "username": { "type": ["string", "null"], "pattern": USERNAME, "description": "Nobody else has it." },
                "metadata": { "type": ["object", "null"], "description": "At most 16 KiB, written as JSON." },
            })))
            .response(200, my_account(&[])),
        Operation::post("/v1/me/password", "Change one's password")
            .tag(ACCOUNT)
            .about("Ends all other sessions.")
            .request(object(
                &["current_password", "password"],
                json!({ "current_password": { "type": "string", "format": "password" }, "password": password }),
            ))
            .empty(204),
        Operation::post("/v1/session/organization", "Go to another organization")
            .tag(ACCOUNT)
            .about("Replaces the session cookie.")
            .request(object(&["organization_id"], json!({ "organization_id": id })))
            .empty(204),
        Operation::get("/v1/sessions", "List one's sessions")
            .tag(ACCOUNT)
            .about("Everybody's own, in all of their organizations. An API key lists its owner's, with the permission `sessions:read`; none of them is the current one then.")
            .response(200, list(json!({
                "type": "object", "properties": {
                    "id": id, "current": { "type": "boolean" }, "organization_id": id,
                    "ip_address": { "type": ["string", "null"] }, "user_agent": { "type": ["string", "null"] },
                    "created_at": time(), "last_seen_at": time(), "idle_expires_at": time(), "expires_at": time(),
                },
            }))),
        Operation::delete("/v1/sessions/{id}", "End one of one's sessions")
            .tag(ACCOUNT)
            .about("An API key ends its owner's, with the permission `sessions:delete`.")
            .empty(204),
    ]
}

fn security() -> Vec<Operation> {
    let code = json!({ "type": "string", "maxLength": 100, "description": "Six digits of the authenticator, or a recovery code." });
    let recovery = object(
        &["recovery_codes"],
        json!({ "recovery_codes": { "type": "array", "items": { "type": "string" } } }),
    );
    vec![
        Operation::post("/v1/auth/log-in/code", "Log in: the second step")
            .tag(ACCOUNT)
            .about("Sets the session cookie. A code works once; attempts are limited per account and per address.")
            .public()
            .request(object(&["token", "code"], json!({ "token": { "type": "string", "maxLength": 4000 }, "code": code })))
            .empty(204),
        Operation::get("/v1/auth/providers", "List the providers that one can log in with")
            .tag(ACCOUNT)
            .about("A browser begins at `path`.")
            .public()
            .response(200, list(json!({
                "type": "object", "required": ["name", "label", "path"], "properties": {
                    "name": { "type": "string" }, "label": { "type": "string" }, "path": { "type": "string" },
                },
            }))),
        Operation::get("/v1/me/second-factor", "See one's second factor").tag(ACCOUNT).response(200, object(
            &["on", "pending", "confirmed_at", "recovery_codes_left", "has_password"],
            json!({
                "on": { "type": "boolean" }, "pending": { "type": "boolean" },
                "confirmed_at": { "type": ["string", "null"], "format": "date-time" },
                "recovery_codes_left": { "type": "integer" }, "has_password": { "type": "boolean" },
            }),
        )),
        Operation::post("/v1/me/second-factor", "Begin to set up a second factor")
            .tag(ACCOUNT)
            .about("Shows a secret once, for an authenticator; a code of it puts it into force.")
            .response(201, object(
                &["secret", "otpauth_url", "qr_svg"],
                json!({ "secret": { "type": "string" }, "otpauth_url": { "type": "string" }, "qr_svg": { "type": "string" } }),
            )),
        Operation::post("/v1/me/second-factor/confirm", "Put the second factor into force")
            .tag(ACCOUNT)
            .about("Ends all other sessions, and shows recovery codes once.")
            .request(object(&["code"], json!({ "code": code })))
            .response(200, recovery.clone()),
        Operation::post("/v1/me/second-factor/recovery-codes", "Replace one's recovery codes")
            .tag(ACCOUNT)
            .request(object(&["code"], json!({ "code": code })))
            .response(200, recovery),
        Operation::post("/v1/me/second-factor/off", "Turn the second factor off")
            .tag(ACCOUNT)
            .about("Needs the password or a code.")
            .request(object(&[], json!({ "password": { "type": ["string", "null"], "format": "password" }, "code": { "type": ["string", "null"], "maxLength": 100 } })))
            .empty(204),
        Operation::get("/v1/me/identities", "List one's log-ins elsewhere").tag(ACCOUNT).response(200, list(json!({
            "type": "object", "properties": {
                "id": uuid(), "provider": { "type": "string" }, "email": { "type": ["string", "null"] },
                "last_used_at": { "type": ["string", "null"], "format": "date-time" }, "created_at": time(),
            },
        }))),
        Operation::delete("/v1/me/identities/{id}", "End a log-in elsewhere")
            .tag(ACCOUNT)
            .about("Not the only way in.")
            .empty(204),
    ]
}

fn half_session() -> Value {
    object(
        &["second_factor", "token", "expires_in"],
        json!({
            "second_factor": { "const": "totp" }, "token": { "type": "string" },
            "expires_in": { "type": "integer", "description": "Seconds." },
        }),
    )
}

fn administration() -> Vec<Operation> {
    let role = json!({ "enum": ["owner", "admin", "manager", "operator", "member", "viewer"], "description": "A built-in role, instead of role_id." });
    let link = object(
        &["token", "path", "expires_at"],
        json!({ "token": { "type": "string" }, "path": { "type": "string" }, "expires_at": time() }),
    );
    let words = json!({ "type": "array", "minItems": 1, "items": {
        "type": "string", "pattern": r"^(\*|(\*|[a-z0-9_]+):(\*|[a-z0-9_]+))$", "examples": ["models:read"],
    } });
    let granted = json!({ "type": "array", "items": { "type": "string" } });
    vec![
        Operation::get("/v1/permissions", "List all permissions and built-in roles").tag("roles").response(200, json!({ "type": "object" })),
        Operation::post("/v1/organizations", "Open a subsidiary")
            .tag("organizations")
            .about("The caller becomes its owner; a standalone organization becomes a holding.")
            .permission("subsidiaries", "create")
            .request(object(&["name"], json!({ "name": name(200) })))
            .response(201, object(&["id", "member_id"], json!({ "id": uuid(), "member_id": uuid() }))),
        Operation::post("/v1/members", "Add a member")
            .tag("members")
            .about("Answers with a link to hand to the person, which is shown once and works once. The answer is the same whether or not the address has an account. Nobody gives a role that may do more than they may.")
            .permission("members", "create")
            .request(either(
                object(
                    &["email", "full_name"],
                    json!({ "email": { "type": "string", "format": "email" }, "full_name": name(200), "role_id": maybe(&uuid()), "role": maybe(&role) }),
                ),
                &[("role_id", "string", &["role"]), ("role", "string", &["role_id"])],
            ))
            .response(201, object(
                &["id", "email", "full_name", "role_id", "join"],
                json!({ "id": uuid(), "email": { "type": "string" }, "full_name": name(200), "role_id": uuid(), "join": link }),
            )),
        Operation::patch("/v1/members/{id}", "Change a membership")
            .tag("members")
            .about("Another role, active or not; `if-match` names the version. The last owner stays.")
            .permission("members", "update")
            .if_match()
            .request(either(
                object(&[], json!({ "role_id": maybe(&uuid()), "role": maybe(&role), "is_active": maybe(&json!({ "type": "boolean" })) })),
                &[("role_id", "string", &["role"]), ("role", "string", &["role_id"]), ("is_active", "boolean", &["role_id", "role"])],
            ))
            .response(200, part("members", &["id", "user_id", "role_id", "email", "full_name", "is_active", "joined_at", "version"])),
        Operation::delete("/v1/members/{id}", "Remove a member")
            .tag("members")
            .about("Their keys and sessions here end at once. The last owner stays.")
            .permission("members", "delete")
            .empty(204),
        Operation::post("/v1/members/{id}/join-link", "Renew a join link")
            .tag("members")
            .permission("members", "create")
            .response(201, link.clone()),
        Operation::post("/v1/roles", "Make a role")
            .tag("roles")
            .about("Nobody gives a permission that they lack.")
            .permission("roles", "create")
            .request(object(
                &["name", "permissions"],
                json!({ "name": name(100), "description": { "type": ["string", "null"] }, "permissions": words }),
            ))
            .response(201, part("roles", ROLE)),
        Operation::patch("/v1/roles/{id}", "Change a role")
            .tag("roles")
            .about("`if-match` names the version. An owner may always do everything.")
            .permission("roles", "update")
            .if_match()
            .request(object(&[], json!({ "name": maybe(&name(100)), "description": { "type": ["string", "null"] }, "permissions": maybe(&words) })))
            .response(200, part("roles", ROLE)),
        Operation::delete("/v1/roles/{id}", "Delete a role")
            .tag("roles")
            .about("Neither a built-in one nor one that somebody has.")
            .permission("roles", "delete")
            .empty(204),
        Operation::post("/v1/api-keys", "Make an API key")
            .tag("API keys")
            .about("Shows the key once. It acts for the caller, and may never do more than they may at that moment.")
            .permission("api_keys", "create")
            .request(object(
                &["name", "permissions"],
                json!({ "name": name(255), "permissions": words, "expires_at": { "type": ["string", "null"], "format": "date-time" } }),
            ))
            .response(201, object(
                &["id", "name", "key", "key_prefix", "permissions"],
                json!({
                    "id": uuid(), "name": name(255), "key": { "type": "string" }, "key_prefix": { "type": "string" },
                    "permissions": granted, "expires_at": { "type": ["string", "null"], "format": "date-time" },
                }),
            )),
        Operation::delete("/v1/api-keys/{id}", "Revoke an API key")
            .tag("API keys")
            .about("One's own; with `api_keys:manage`, anybody's. It is refused from the next request on.")
            .permission("api_keys", "update")
            .empty(204),
    ]
}

pub(super) fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn list(item: Value) -> Value {
    json!({ "type": "object", "required": ["data"], "properties": { "data": { "type": "array", "items": item }, "next": { "type": "null" } } })
}

/// What these answers hold of a role's row.
const ROLE: &[&str] = &["id", "name", "description", "permissions", "builtin_code", "version"];

/// Some columns of a resource's rows.
fn part(path: &str, columns: &[&str]) -> Value {
    let place = |column: &&str| {
        let reference = format!("#/components/schemas/{path}/properties/{column}");
        ((*column).to_owned(), json!({ "$ref": reference }))
    };
    object(columns, Value::Object(columns.iter().map(place).collect()))
}

/// The same, or null, which says as little as leaving it out.
fn maybe(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// One of these fields is there, is of its type, and leaves others out.
pub(super) fn either(mut schema: Value, choices: &[(&str, &str, &[&str])]) -> Value {
    let choice = |(field, kind, without): &(&str, &str, &[&str])| {
        let mut properties: Map<_, _> =
            without.iter().map(|name| ((*name).to_owned(), json!({ "type": "null" }))).collect();
        properties.insert((*field).to_owned(), json!({ "type": kind }));
        json!({ "required": [field], "properties": properties })
    };
    schema["anyOf"] = choices.iter().map(choice).collect();
    schema
}

pub(super) fn name(most: u32) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": most, "pattern": r"\S" })
}

fn optional_name() -> Value {
    json!({ "type": ["string", "null"], "maxLength": 100 })
}

pub(super) fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

pub(super) fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

/// One's own account, in which the fields in `left_out` may be missing.
fn my_account(left_out: &[&str]) -> Value {
    let text = json!({ "type": ["string", "null"] });
    let moment = json!({ "type": ["string", "null"], "format": "date-time" });
    let properties = json!({
        "id": uuid(), "email": { "type": "string" }, "full_name": { "type": "string" },
        "first_name": text, "last_name": text, "avatar_url": text,
        "username": { "type": ["string", "null"], "description": "A short name of one's own choice, or what an imported system had." },
        "metadata": { "type": "object", "description": "What one keeps beside, or what an imported system knew." },
        "stripe_customer_id": { "type": ["string", "null"], "readOnly": true, "description": "Oneself as a customer at Stripe, where an imported system billed people." },
        "email_verified_at": moment, "gdpr_consent_at": moment, "last_login_at": moment, "created_at": time(),
        "version": { "type": "integer", "description": "Counts the changes of the account, log-ins among them; for `if-match`." },
        "second_factor": { "type": "boolean" }, "second_factor_due": { "type": "boolean" },
    });
    let names = properties.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let names: Vec<&str> = names.filter(|name| !left_out.contains(name)).collect();
    object(&names, properties.clone())
}

fn me() -> Value {
    let strings = json!({ "type": "array", "items": { "type": "string" } });
    object(
        &["user", "organization_id", "permissions", "readable", "organizations"],
        json!({
            "user": my_account(&IN_SESSIONS_ALONE), "organization_id": uuid(), "permissions": strings,
            "readable": { "type": "array", "items": uuid() },
            "organizations": { "type": "array", "items": { "type": "object" } },
            "session_id": uuid(), "csrf_token": { "type": "string" },
        }),
    )
}
