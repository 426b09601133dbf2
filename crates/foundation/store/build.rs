//! Migrations are embedded: a new one must be seen though no source file changed.

fn main() {
    println!("cargo:rerun-if-changed=../../../migrations");
}
