//! What stands beside the `.proto` files was made from them.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use prost::Message;

use super::*;

/// The file with this name as it is here, and as protox and prost make it.
fn made(folder: &Path, package: &str) -> [(String, Vec<u8>); 2] {
    let descriptors = protox::compile([format!("{package}.proto")], [folder]).unwrap();
    let mut bare = descriptors.clone();
    for file in &mut bare.file {
        // The comments and places: five times as long as all else, and no viewer shows them.
        file.source_code_info = None;
    }
    let out = tempfile::tempdir().unwrap();
    prost_build::Config::new().out_dir(out.path()).compile_fds(descriptors).unwrap();
    let code = std::fs::read(out.path().join(format!("{package}.rs"))).unwrap();
    [(format!("{package}.rs"), code), (format!("{package}.binpb"), bare.encode_to_vec())]
}

#[test]
fn structs_and_descriptors_are_those_of_the_proto_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/episode/run_log/wire");
    for package in ["roarm", "foxglove"] {
        for (name, bytes) in made(&folder, package) {
            let path = folder.join(&name);
            if std::env::var_os("ROARM_WRITE_MESSAGES").is_some() {
                std::fs::write(&path, &bytes).unwrap();
            }
            assert!(std::fs::read(&path).unwrap() == bytes, "{name} is not made from {package}.proto");
        }
    }
}

#[test]
fn each_schema_is_found_in_its_descriptors() {
    fn check<M: Topical>() {
        let set = prost_types::FileDescriptorSet::decode(M::DESCRIPTORS).unwrap();
        let names = set.file.iter().flat_map(|file| {
            let package = file.package().to_owned();
            file.message_type.iter().map(move |message| format!("{package}.{}", message.name()))
        });
        assert!(names.into_iter().any(|name| name == M::SCHEMA), "{}", M::SCHEMA);
    }
    check::<Run>();
    check::<Control>();
    check::<Observation>();
    check::<Chunk>();
    check::<Frame>();
    check::<Lost>();
    check::<End>();
    check::<foxglove::CompressedImage>();
    check::<foxglove::RawImage>();
    check::<foxglove::Log>();
}
