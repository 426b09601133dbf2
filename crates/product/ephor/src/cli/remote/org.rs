//! `ephor org`

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::{super::block_on, Remote, client::Client, go, output};
use crate::exit::{Exit, UsageError};

/// Look at your organizations, and go from one to another.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ephor org list
  ephor org use north
  ephor org show --json
  ephor resource list models --organizations all      what a holding reads: its own, and its subsidiaries'

A key belongs to one organization. `use` keeps one for each to which you went, and asks for the password the first time
(docs/cli.md, docs/tenancy.md).")]
pub enum Command {
    /// List the organizations that you belong to and, from a holding, those that you read, as a tree
    #[command(after_help = "\
Examples:
  ephor org list
  ephor org list --json")]
    List {
        #[command(flatten)]
        remote: Remote,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the organization that the key is for, and what it may do there
    #[command(after_help = "\
Examples:
  ephor org show
  ephor org show --json")]
    Show {
        #[command(flatten)]
        remote: Remote,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Go to another of your organizations
    Use(go::Use),
}

impl Command {
    pub fn run(self) -> anyhow::Result<Exit> {
        block_on(async move {
            match self {
                Self::List { remote, json } => {
                    let client = Client::new(&remote)?;
                    let rows = tree(known(&client, &me(&client).await?).await?);
                    if json {
                        output::rows(&rows, true, &[])?;
                    } else {
                        let lines: Vec<Value> = rows.iter().map(line).collect();
                        let columns = ["here", "name", "slug", "kind", "role", "id"];
                        output::rows(&lines, false, &columns)?;
                    }
                }
                Self::Show { remote, json } => {
                    let me = me(&Client::new(&remote)?).await?;
                    let mut mine = me["organizations"].as_array().into_iter().flatten();
                    let here = mine.find(|it| it["id"] == me["organization_id"]);
                    let mut here = here.cloned().unwrap_or_default();
                    here["permissions"] = me["permissions"].clone();
                    output::row(&here, json)?;
                }
                Self::Use(there) => there.go().await?,
            }
            Ok(Exit::Ok)
        })
    }
}

/// Who asks, and where.
pub(super) async fn me(client: &Client) -> anyhow::Result<Value> {
    Ok(client.send(client.request(Method::GET, "/v1/me")?).await?.json().await?)
}

/// The organizations that `me` belongs to, and those that are read from here; each with `access` and `current`.
pub(super) async fn known(client: &Client, me: &Value) -> anyhow::Result<Vec<Value>> {
    let mut rows = me["organizations"].as_array().cloned().unwrap_or_default();
    for row in &mut rows {
        row["access"] = json!("member");
    }
    // An organization without subsidiaries reads itself alone.
    if me["readable"].as_array().is_some_and(|ids| ids.len() > 1) {
        for read in readable(client).await? {
            if !rows.iter().any(|row| row["id"] == read["id"]) {
                rows.push(read);
            }
        }
    }
    for row in &mut rows {
        row["current"] = json!(row["id"] == me["organization_id"]);
    }
    Ok(rows)
}

/// What a holding reads, page by page; nothing, where the key may not read organizations.
async fn readable(client: &Client) -> anyhow::Result<Vec<Value>> {
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query: Vec<(String, String)> =
            [("organizations", "all"), ("fields", "id,name,slug,kind,parent_id"), ("limit", "500")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        query.extend(cursor.take().map(|cursor| ("cursor".to_owned(), cursor)));
        let answer = match client.send(client.query("/v1/organizations", &query)?).await {
            Ok(answer) => answer,
            Err(refused) if Exit::of(&refused) == Exit::Usage => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut page: Value = answer.json().await?;
        if let Value::Array(data) = page["data"].take() {
            rows.extend(data.into_iter().map(|mut row| {
                row["access"] = json!("reads");
                row
            }));
        }
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}

/// Each below the one that it is of, by name; `depth` says how far below.
fn tree(mut rows: Vec<Value>) -> Vec<Value> {
    let name = |row: &Value| row["name"].as_str().unwrap_or_default().to_lowercase();
    rows.sort_by_key(|row| (name(row), row["id"].to_string()));
    let is_root = |row: &&Value| !rows.iter().any(|it| it["id"] == row["parent_id"]);
    // Subsidiaries have none of their own: there are two levels at most.
    let mut ordered = Vec::with_capacity(rows.len());
    for root in rows.iter().filter(is_root) {
        ordered.push(at(root, 0));
        let below = rows.iter().filter(|it| it["parent_id"] == root["id"]);
        ordered.extend(below.map(|row| at(row, 1)));
    }
    ordered
}

fn at(row: &Value, depth: u8) -> Value {
    let mut row = row.clone();
    row["depth"] = depth.into();
    row
}

/// For people.
fn line(row: &Value) -> Value {
    let name = row["name"].as_str().unwrap_or_default();
    json!({
        "here": if row["current"] == true { "*" } else { "" },
        "name": if row["depth"] == 0 { name.to_owned() } else { format!("└ {name}") },
        "slug": row["slug"],
        "kind": row["kind"],
        "role": if row["access"] == "reads" { json!("(reads)") } else { row["role_name"].clone() },
        "id": row["id"],
    })
}

/// The one that is meant by a slug, an id or, where only one has it, a name.
pub(super) fn meant<'a>(wanted: &str, rows: &'a [Value]) -> Result<&'a Value, UsageError> {
    let by_word = rows.iter().find(|it| it["slug"] == *wanted || it["id"] == *wanted);
    let mut named = rows.iter().filter(|it| it["name"] == *wanted);
    let by_name = named.next().filter(|_| named.next().is_none());
    by_word.or(by_name).ok_or_else(|| {
        let slugs: Vec<&str> = rows.iter().filter_map(|it| it["slug"].as_str()).collect();
        UsageError(format!("you know no `{wanted}`; your organizations are: {}", slugs.join(", ")))
    })
}

/// The parameter `organizations` of a list: `all`, ids, or slugs of which the ids are looked up.
pub(super) async fn reach(client: &Client, words: &str) -> anyhow::Result<String> {
    let is_id = |word: &str| word.parse::<uuid::Uuid>().is_ok();
    if words == "all" || words.split(',').all(is_id) {
        return Ok(words.to_owned());
    }
    let rows = known(client, &me(client).await?).await?;
    let ids: Result<Vec<&str>, UsageError> = words
        .split(',')
        .map(|word| Ok(meant(word, &rows)?["id"].as_str().unwrap_or_default()))
        .collect();
    Ok(ids?.join(","))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rows() -> Vec<Value> {
        vec![
            json!({"id": "3", "name": "South", "slug": "south", "parent_id": "1", "access": "reads"}),
            json!({"id": "2", "name": "Other", "slug": "other", "parent_id": null, "access": "member"}),
            json!({"id": "4", "name": "north", "slug": "north", "parent_id": "1", "access": "member"}),
            json!({"id": "1", "name": "Acme", "slug": "acme", "parent_id": null, "current": true}),
            // Of a holding to which one does not belong.
            json!({"id": "5", "name": "Alone", "slug": "alone", "parent_id": "9", "access": "member"}),
        ]
    }

    #[test]
    fn subsidiaries_stand_below_their_holding() {
        let told: Vec<String> = tree(rows())
            .iter()
            .map(|row| {
                format!(
                    "{}{}",
                    line(row)["here"].as_str().unwrap(),
                    line(row)["name"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(told, ["*Acme", "└ north", "└ South", "Alone", "Other"]);
        assert_eq!(line(&tree(rows())[2])["role"], "(reads)");
    }

    #[test]
    fn an_organization_is_meant_by_slug_id_or_name() {
        let rows = rows();
        for word in ["south", "3", "South"] {
            assert_eq!(meant(word, &rows).unwrap()["id"], "3", "{word}");
        }
        let UsageError(told) = meant("west", &rows).unwrap_err();
        assert!(told.contains("`west`") && told.contains("south, other"), "{told}");
    }
}
