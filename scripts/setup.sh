#!/bin/sh
# Installs what Ephor needs to be built, run and tested, and nothing that is there already.
#
#   scripts/setup.sh run     what `make demo` needs: Rust, a C compiler, PostgreSQL
#   scripts/setup.sh test    that, and what `make test` needs: cargo-nextest, Chromium and its driver, and Python
#                            with schemathesis, in an environment of its own beside what Cargo builds
#
# Every command is printed before it runs. Packages are installed as root, or through sudo; where
# neither is possible, the one line to run is printed instead and nothing is changed.
set -eu

RUST_NEEDED=1.94
POSTGRES_NEEDED=15
here=$(cd "$(dirname "$0")" && pwd)
purpose=${1:-test}
createcluster=${EPHOR_SETUP_CREATECLUSTER:-/etc/postgresql-common/createcluster.d}

say() { printf '%s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
run() { say "+ $*"; "$@"; }
have() { command -v "$1" >/dev/null 2>&1; }

case $purpose in run | test) ;; *) fail "say \`run\` or \`test\`, not \`$purpose\`" ;; esac

# --- what is missing -----------------------------------------------------------------------------

rust_is_new_enough() {
    have cargo && have rustc || return 1
    version=$(rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    [ -n "$version" ] || return 1
    major=${version% *} minor=${version#* }
    [ "$major" -gt "${RUST_NEEDED%.*}" ] || { [ "$major" -eq "${RUST_NEEDED%.*}" ] && [ "$minor" -ge "${RUST_NEEDED#*.}" ]; }
}

chromium_is_there() { have chromium || have chromium-browser || have google-chrome || [ -d "/Applications/Google Chrome.app" ] || [ -d /Applications/Chromium.app ]; }

# Where the tests look for schemathesis; the same folder as the Makefile's.
case $(uname -s) in Darwin) cache=${XDG_CACHE_HOME:-${HOME:-}/Library/Caches} ;; *) cache=${XDG_CACHE_HOME:-${HOME:-}/.cache} ;; esac
contract=${CARGO_TARGET_DIR:-$cache/ephor/target}/contract
contract_wanted=$here/../crates/product/ephor/tests/contract/requirements.txt
contract_is_there() { cmp -s "$contract_wanted" "$contract/requirements.txt" && [ -x "$contract/bin/schemathesis" ]; }
python_is_there() { python3 -c 'import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; }

need_rust= need_cc= need_postgres= need_nextest= need_chromium= need_driver= need_python= need_contract=
rust_is_new_enough || need_rust=yes
have cc || need_cc=yes
"$here/postgres-bin.sh" >/dev/null || need_postgres=yes
if [ "$purpose" = test ]; then
    { have cargo-nextest || [ -x "${CARGO_HOME:-${HOME:-/nonexistent}/.cargo}/bin/cargo-nextest" ]; } || need_nextest=yes
    chromium_is_there || need_chromium=yes
    have chromedriver || need_driver=yes
    contract_is_there || need_contract=yes
    [ -z "$need_contract" ] || python_is_there || need_python=yes
fi
[ -n "$need_rust$need_cc$need_postgres$need_nextest$need_chromium$need_driver$need_contract" ] || exit 0

# --- packages of the system ----------------------------------------------------------------------

# as_root COMMAND...: runs it as root; called only after `may_be_root`.
as_root() { if [ "$(id -u)" -eq 0 ]; then run "$@"; else run sudo "$@"; fi; }
# One may use sudo when it asks nothing, or when there is a terminal to answer at.
may_be_root() { [ "$(id -u)" -eq 0 ] || { have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; }

# Debian and Ubuntu make and start a cluster on port 5432 with the package; Ephor runs its own, so
# that is switched off while the package goes in, and the machine's own choice is left as it was.
apt_postgres_marker=
apt_hold_cluster() {
    [ -n "$need_postgres" ] || return 0
    apt_postgres_marker=$createcluster/ephor-setup.conf
    as_root mkdir -p "$createcluster"
    as_root sh -c "echo 'create_main_cluster = false' > '$apt_postgres_marker'"
    trap apt_release_cluster EXIT
}
apt_release_cluster() {
    [ -z "$apt_postgres_marker" ] || as_root rm -f "$apt_postgres_marker"
    apt_postgres_marker=
}

apt_packages() {
    [ -z "$need_cc" ] || printf ' gcc libc6-dev'
    [ -z "$need_postgres" ] || printf ' postgresql'
    [ -z "$need_python" ] || printf ' python3 python3-venv'
    if [ -n "$need_chromium$need_driver" ]; then
        # Ubuntu names them otherwise.
        case $(. /etc/os-release 2>/dev/null && printf '%s' "${ID:-}") in
            ubuntu) printf ' chromium-browser chromium-chromedriver' ;;
            *) printf ' chromium chromium-driver' ;;
        esac
    fi
}

with_apt() {
    packages=$(apt_packages)
    [ -n "$packages" ] || return 0
    if ! may_be_root; then
        say "Some packages are missing, and installing them takes root. Run this once, then try again:"
        say "  apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends$packages"
        exit 1
    fi
    as_root apt-get update -q
    if [ -n "$need_postgres" ]; then
        offered=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: *postgresql-\([0-9][0-9]*\)$/\1/p' | sed -n 1p)
        if [ -n "$offered" ] && [ "$offered" -lt "$POSTGRES_NEEDED" ]; then
            fail "this system offers PostgreSQL $offered, and Ephor needs $POSTGRES_NEEDED or newer. Add the PostgreSQL project's own packages (apt-get install postgresql-common && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh) and try again"
        fi
    fi
    apt_hold_cluster
    # shellcheck disable=SC2086 # a list of packages
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages
    apt_release_cluster
}

with_brew() {
    if [ -n "$need_cc" ]; then
        run xcode-select --install || fail "the C compiler is installed by the window that has opened; try again when it is done"
    fi
    [ -z "$need_postgres" ] || run brew install postgresql@17
    [ -z "$need_python" ] || run brew install python3
    [ -z "$need_chromium" ] || run brew install --cask google-chrome
    [ -z "$need_driver" ] || run brew install --cask chromedriver
}

if [ -n "$need_cc$need_postgres$need_chromium$need_driver$need_python" ]; then
    if have apt-get; then
        with_apt
    elif have brew; then
        with_brew
    else
        wanted=
        [ -z "$need_cc" ] || wanted="$wanted, a C compiler (cc)"
        [ -z "$need_postgres" ] || wanted="$wanted, PostgreSQL $POSTGRES_NEEDED or newer (the server)"
        [ -z "$need_chromium" ] || wanted="$wanted, Chromium"
        [ -z "$need_driver" ] || wanted="$wanted, chromedriver"
        [ -z "$need_python" ] || wanted="$wanted, Python 3.10 or newer with venv"
        fail "neither apt-get nor brew is here, so please install these yourself: ${wanted#, }"
    fi
fi

# --- Rust and its tools --------------------------------------------------------------------------

if [ -n "$need_rust" ]; then
    unfetched="Rust $RUST_NEEDED or newer is needed and could not be fetched; install it from https://rustup.rs and try again"
    if have rustup; then
        run rustup toolchain install stable --profile minimal --component clippy --component rustfmt || fail "$unfetched"
        run rustup default stable || fail "$unfetched"
    else
        have curl || fail "$unfetched (curl, which would fetch it, is missing too)"
        installer=$(mktemp)
        run curl --proto =https --tlsv1.2 -sSf -o "$installer" https://sh.rustup.rs || { rm -f "$installer"; fail "$unfetched"; }
        run sh "$installer" -y --profile minimal --component clippy --component rustfmt || { rm -f "$installer"; fail "$unfetched"; }
        rm -f "$installer"
    fi
    PATH="${CARGO_HOME:-${HOME:-}/.cargo}/bin:$PATH"
    rust_is_new_enough || fail "$unfetched"
fi

if [ -n "$need_nextest" ]; then
    run cargo install --locked cargo-nextest || fail "cargo-nextest could not be built; see above"
fi

# --- schemathesis, which holds the server against its OpenAPI document ---------------------------

if [ -n "$need_contract" ]; then
    python_is_there || fail "there is still no Python 3.10 or newer with venv; see above"
    run python3 -m venv "$contract"
    run "$contract/bin/python" -m pip install --quiet --disable-pip-version-check -r "$contract_wanted" ||
        fail "schemathesis could not be installed into $contract; see above"
    # Last, so that an installation that was broken off is made anew.
    cp "$contract_wanted" "$contract/requirements.txt"
fi

# --- was it enough? ------------------------------------------------------------------------------

have cc || fail "there is still no C compiler (cc); see above"
"$here/postgres-bin.sh" >/dev/null || fail "there is still no PostgreSQL $POSTGRES_NEEDED or newer; see above"
if [ "$purpose" = test ]; then
    chromium_is_there || fail "there is still no Chromium; see above"
    have chromedriver || fail "there is still no chromedriver; see above"
fi
say "setup: all is there"
