#!/bin/sh
# Checks every query of the sources against a throw-away database with all migrations, and writes what
# it learns to .sqlx, from which ordinary builds check them without a database.
#
#   scripts/sqlx.sh write    writes .sqlx anew
#   scripts/sqlx.sh check    fails when .sqlx is not what `write` would write
set -eu

mode=${1:-write}
case $mode in write | check) ;; *) echo "sqlx.sh: say \`write\` or \`check\`, not \`$mode\`" >&2; exit 2 ;; esac
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$("$root/scripts/postgres-bin.sh") || { echo "sqlx.sh: there is no PostgreSQL 15 or newer; run make setup" >&2; exit 1; }

# The server refuses root, so root steps down for it, as Ephor does.
as_server() {
    if [ "$(id -u)" -ne 0 ]; then "$@"; return; fi
    if command -v setpriv >/dev/null 2>&1; then
        setpriv --reuid "$account" --regid "$(id -g "$account")" --clear-groups "$@"
    else
        su -s /bin/sh "$account" -c 'exec "$@"' -- sh "$@"
    fi
}
account=
if [ "$(id -u)" -eq 0 ]; then
    account=postgres
    id postgres >/dev/null 2>&1 || account=nobody
fi

work=$(mktemp -d /tmp/ephor-sqlx.XXXXXX)
server=
stop() {
    [ -z "$server" ] || as_server "$bin/pg_ctl" -D "$work/data" -m immediate -s stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM
[ -z "$account" ] || chown "$account" "$work"

cd /
as_server "$bin/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions >/dev/null
as_server "$bin/pg_ctl" -D "$work/data" -s -w -l "$work/log" \
    -o "-c listen_addresses='' -c unix_socket_directories='$work' -c fsync=off -c max_connections=50" start
server=yes
cd "$root"

psql() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$work" -U postgres "$@"; }
psql -d postgres -c 'create database ephor'
for file in "$root"/migrations/*.sql; do
    case $file in */0000_*) role= ;; *) role='set role ephor_owner;' ;; esac
    PGOPTIONS='-c client_min_messages=warning' psql -d ephor --single-transaction -o /dev/null -c "$role" -f "$file" ||
        { echo "sqlx.sh: the migration $file failed" >&2; exit 1; }
done

# The macros write one file per query while the crates that hold queries are checked anew.
mkdir "$work/queries"
chmod 755 "$work"
find "$root/crates" "$root/e2e" "$root/benches" -name lib.rs -o -name main.rs | while IFS= read -r file; do touch "$file"; done
env -u SQLX_OFFLINE DATABASE_URL="postgres:///ephor?host=$work&user=postgres" SQLX_OFFLINE_DIR="$work/queries" \
    cargo check --locked --workspace --all-targets --quiet

if [ "$mode" = check ]; then
    if diff -r "$root/.sqlx" "$work/queries" >"$work/diff"; then
        echo "sqlx.sh: .sqlx is up to date"
    else
        sed -n 1,40p "$work/diff" >&2
        echo "sqlx.sh: .sqlx does not fit the queries and migrations; run make sqlx and commit .sqlx" >&2
        exit 1
    fi
else
    mkdir -p "$root/.sqlx"
    rm -f "$root"/.sqlx/query-*.json
    cp "$work"/queries/query-*.json "$root/.sqlx/"
    echo "sqlx.sh: wrote $(find "$root/.sqlx" -name 'query-*.json' | wc -l) queries to .sqlx"
fi
