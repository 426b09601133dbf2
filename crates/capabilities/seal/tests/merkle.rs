//! RFC 6962 trees: the vectors of Certificate Transparency, and properties for every size.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ephor_seal::{
    Hash, Tree,
    merkle::{
        consistency_path, empty_root, inclusion_path, inner, leaf, resolve, root,
        verify_consistency, verify_inclusion,
    },
    tile::{TileId, TileSet, WIDTH, tiles_of},
};
use proptest::prelude::*;

fn hash(text: &str) -> Hash {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// The leaves and roots of `merkletree_test.cc` of google/certificate-transparency.
fn ct_leaves() -> Vec<Hash> {
    [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    .iter()
    .map(|data| leaf(&hex::decode(data).unwrap()))
    .collect()
}

const CT_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_certificate_transparency() {
    let leaves = ct_leaves();
    assert_eq!(
        hex::encode(empty_root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (count, expected) in (1..).zip(CT_ROOTS) {
        assert_eq!(hex::encode(root(&leaves[..count])), expected, "{count} leaves");
    }
}

#[test]
fn inclusion_proofs_are_those_of_certificate_transparency() {
    let cases: [(u64, u64, &[&str]); 5] = [
        (0, 1, &[]),
        (
            0,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1,
            5,
            &[
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    let leaves = ct_leaves();
    for (index, size, expected) in cases {
        let path = resolve(&leaves[..size as usize], &inclusion_path(index, size).unwrap());
        assert_eq!(path.iter().map(hex::encode).collect::<Vec<_>>(), expected);
        let top = hash(CT_ROOTS[size as usize - 1]);
        assert!(verify_inclusion(&leaves[index as usize], index, size, &path, &top));
    }
    assert_eq!(inclusion_path(8, 8), None);
    assert_eq!(inclusion_path(0, 0), None);
}

#[test]
fn consistency_proofs_are_those_of_certificate_transparency() {
    let cases: [(u64, u64, &[&str]); 4] = [
        (1, 1, &[]),
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            &[
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    let leaves = ct_leaves();
    for (old, new, expected) in cases {
        let path = resolve(&leaves[..new as usize], &consistency_path(old, new).unwrap());
        assert_eq!(path.iter().map(hex::encode).collect::<Vec<_>>(), expected);
        let (first, second) = (hash(CT_ROOTS[old as usize - 1]), hash(CT_ROOTS[new as usize - 1]));
        assert!(verify_consistency(old, new, &path, &first, &second));
    }
    assert_eq!(consistency_path(0, 4), None);
    assert_eq!(consistency_path(5, 4), None);
    assert!(verify_consistency(0, 4, &[], &empty_root(), &hash(CT_ROOTS[3])));
    assert!(!verify_consistency(0, 4, &[], &hash(CT_ROOTS[0]), &hash(CT_ROOTS[3])));
}

/// RFC 6962's definition, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            inner(&mth(&leaves[..split]), &mth(&leaves[split..]))
        }
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|number| leaf(&number.to_be_bytes())).collect()
}

/// A growing tree and all tiles that it ever filled.
fn grow(leaves: &[Hash]) -> (Tree, TileSet) {
    let (mut tree, mut tiles) = (Tree::new(), TileSet::default());
    for leaf in leaves {
        tree.append(*leaf, |id, hashes| tiles.insert(id, hashes.as_flattened()));
    }
    for (id, hashes) in tree.partial() {
        tiles.insert(id, hashes.as_flattened());
    }
    (tree, tiles)
}

#[test]
fn every_size_up_to_some_hundred_has_the_root_of_the_definition() {
    let all = leaves(600);
    let mut tree = Tree::new();
    for count in 0..=all.len() {
        let expected = mth(&all[..count]);
        assert_eq!(root(&all[..count]), expected, "{count}");
        assert_eq!(tree.root(), expected, "{count}");
        if let Some(next) = all.get(count) {
            tree.append(*next, |_, _| {});
        }
    }
}

#[test]
fn every_proof_up_to_some_hundred_holds_and_no_other_does() {
    for size in 1..=130_u64 {
        let all = leaves(size);
        let top = root(&all);
        for index in 0..size {
            let path = resolve(&all, &inclusion_path(index, size).unwrap());
            let own = &all[index as usize];
            assert!(verify_inclusion(own, index, size, &path, &top));
            let other = &all[((index + 1) % size) as usize];
            assert!(size == 1 || !verify_inclusion(other, index, size, &path, &top));
            assert!(size == 1 || !verify_inclusion(own, (index + 1) % size, size, &path, &top));
            assert!(!verify_inclusion(own, index, size, &path, &inner(&top, &top)));
            let longer = [&path[..], &[top]].concat();
            assert!(!verify_inclusion(own, index, size, &longer, &top));
            if let Some((_, shorter)) = path.split_last() {
                assert!(!verify_inclusion(own, index, size, shorter, &top));
            }
        }
        for old in 1..=size {
            let path = resolve(&all, &consistency_path(old, size).unwrap());
            let first = root(&all[..old as usize]);
            assert!(verify_consistency(old, size, &path, &first, &top));
            let wrong = leaf(b"another history");
            assert!(!verify_consistency(old, size, &path, &wrong, &top));
            assert!(old == size || !verify_consistency(old, size, &path, &first, &wrong));
        }
    }
}

#[test]
fn a_tree_of_70000_leaves_has_the_tiles_that_the_specification_counts() {
    let all = leaves(70_000);
    let mut full = [0; 3];
    let mut tree = Tree::new();
    for leaf in &all {
        tree.append(*leaf, |id, hashes| {
            assert_eq!(hashes.len() as u64, WIDTH);
            full[usize::from(id.level)] += 1;
        });
    }
    assert_eq!(full, [273, 1, 0]);
    let partial: Vec<_> = tree.partial().map(|(id, hashes)| (id.level, hashes.len())).collect();
    assert_eq!(partial, [(0, 112), (1, 17), (2, 1)]);
    assert_eq!(TileId { level: 0, position: 273 }.width(70_000), 112);
    assert_eq!(tree.root(), root(&all));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tiles_give_the_same_proofs_as_leaves(size in 1_u64..2_000, at in any::<u64>(), old in any::<u64>()) {
        let all = leaves(size);
        let (tree, tiles) = grow(&all);
        let path = inclusion_path(at % size, size).unwrap();
        prop_assert_eq!(tiles.resolve(&path).unwrap(), resolve(&all, &path));
        let old = old % size + 1;
        let path = consistency_path(old, size).unwrap();
        prop_assert_eq!(tiles.resolve(&path).unwrap(), resolve(&all, &path));
        for id in tiles_of(&path) {
            prop_assert!(id.width(size) > 0);
        }
        prop_assert_eq!(tree.root(), root(&all));
    }

    #[test]
    fn a_tree_restored_from_its_tiles_grows_as_if_it_had_never_stopped(size in 0_u64..1_500, more in 0_u64..600) {
        let all = leaves(size + more);
        let (tree, _) = grow(&all[..size as usize]);
        let edge: std::collections::HashMap<_, _> =
            tree.partial().map(|(id, hashes)| (id, hashes.as_flattened().to_vec())).collect();
        let mut restored = Tree::restore(size, |id| edge.get(&id).cloned()).unwrap();
        prop_assert_eq!(&restored, &tree);
        for leaf in &all[size as usize..] {
            restored.append(*leaf, |_, _| {});
        }
        prop_assert_eq!(restored.root(), root(&all));
    }

    #[test]
    fn an_altered_path_proves_nothing(size in 2_u64..500, at in any::<u64>(), which in any::<usize>(), bit in 0_usize..256) {
        let all = leaves(size);
        let index = at % size;
        let mut path = resolve(&all, &inclusion_path(index, size).unwrap());
        let step = which % path.len();
        path[step][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify_inclusion(&all[index as usize], index, size, &path, &root(&all)));
    }
}

#[test]
fn a_tree_can_not_be_restored_from_too_little() {
    assert!(Tree::restore(3, |_| None).is_err());
    assert!(Tree::restore(3, |_| Some(vec![0; 64])).is_err());
    assert_eq!(Tree::restore(0, |_| None).unwrap(), Tree::new());
}
