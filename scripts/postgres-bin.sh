#!/bin/sh
# Prints the folder of the newest installed PostgreSQL's programs (15 or newer), or fails silently.
# The same places, in the same order, as `embedded::binaries` looks at; EPHOR_POSTGRES_BIN comes first.
set -u

candidates() {
    [ -n "${EPHOR_POSTGRES_BIN:-}" ] && printf '%s\n' "$EPHOR_POSTGRES_BIN" && return
    (IFS=:; for folder in $PATH; do printf '%s\n' "$folder"; done)
    command -v pg_config >/dev/null 2>&1 && pg_config --bindir 2>/dev/null
    for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/lib/postgresql*/bin /usr/libexec/postgresql*; do
        printf '%s\n' "$folder"
    done
    if command -v brew >/dev/null 2>&1; then
        prefix=$(brew --prefix 2>/dev/null) && for folder in "$prefix"/opt/postgresql@*/bin "$prefix"/opt/postgresql/bin; do
            printf '%s\n' "$folder"
        done
    fi
    for folder in /Applications/Postgres.app/Contents/Versions/*/bin; do printf '%s\n' "$folder"; done
}

candidates | while IFS= read -r folder; do
    [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ] && [ -x "$folder/pg_dump" ] || continue
    major=$("$folder/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9][0-9]*\).*/\1/p')
    [ -n "$major" ] && [ "$major" -ge 15 ] && printf '%s %s\n' "$major" "$folder"
done | sort -rn -s -k1,1 | sed -n '1s/^[0-9]* //p' | grep .
