//! Paths that a dataset states as Python format strings, kept inside the dataset's folder.

use std::path::{Component, Path, PathBuf};

use super::EpisodeError;

/// The values that `data_path` and `video_path` may name.
pub(super) struct PathFields<'a> {
    pub(super) video_key: &'a str,
    /// Number of the folder of the file, since v3.0.
    pub(super) chunk_index: u64,
    /// Number of the file in its folder, since v3.0.
    pub(super) file_index: u64,
    /// Number of the folder of the episode, before v3.0.
    pub(super) episode_chunk: u64,
    /// Number of the episode, before v3.0.
    pub(super) episode_index: u64,
}

/// Fills a template such as `videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4`.
///
/// Understood are the fields of [`PathFields`] with no format or an integer width (`:03d`, `:d`), and `{{`, `}}`.
pub(super) fn fill(template: &str, fields: &PathFields<'_>) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, tail) = rest.split_at(at);
        filled.push_str(text);
        if let Some(after) = tail.strip_prefix("{{") {
            filled.push('{');
            rest = after;
        } else if let Some(after) = tail.strip_prefix("}}") {
            filled.push('}');
            rest = after;
        } else {
            let (field, after) = tail
                .strip_prefix('{')
                .and_then(|inner| inner.split_once('}'))
                .ok_or_else(|| format!("the path template `{template}` has an unpaired brace"))?;
            filled.push_str(&format_field(field, fields).ok_or_else(|| {
                format!(
                    "the path template `{template}` has the field `{{{field}}}`; known are video_key, chunk_index:03d, \
                     file_index:03d, episode_chunk:03d and episode_index:06d"
                )
            })?);
            rest = after;
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn format_field(field: &str, fields: &PathFields<'_>) -> Option<String> {
    let (name, format) = field.split_once(':').unwrap_or((field, ""));
    let number = match name {
        "video_key" => return format.is_empty().then(|| fields.video_key.to_owned()),
        "chunk_index" => fields.chunk_index,
        "file_index" => fields.file_index,
        "episode_chunk" => fields.episode_chunk,
        "episode_index" => fields.episode_index,
        _ => return None,
    };
    let width = format.strip_suffix('d').unwrap_or(format);
    if width.is_empty() {
        return Some(number.to_string());
    }
    let columns = width.parse::<usize>().ok().filter(|columns| *columns <= 20)?;
    Some(if width.starts_with('0') { format!("{number:0columns$}") } else { format!("{number:columns$}") })
}

/// Joins a path from inside a dataset to its folder; refuses one that leads out, also through a symbolic link.
///
/// `root` must be canonical. `stated_in` is the file that holds the reference.
pub(super) fn inside(root: &Path, relative: &str, stated_in: &Path) -> Result<PathBuf, EpisodeError> {
    let outside =
        || EpisodeError::OutsideFolder { path: stated_in.to_path_buf(), target: relative.to_owned() };
    let path = Path::new(relative);
    let only_names = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if relative.is_empty() || relative.contains('\0') || !only_names {
        return Err(outside());
    }
    let joined = root.join(path);
    let resolved = joined.canonicalize().map_err(|source| EpisodeError::read(&joined, source))?;
    if resolved.starts_with(root) { Ok(joined) } else { Err(outside()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const FIELDS: PathFields<'_> = PathFields {
        video_key: "observation.images.front",
        chunk_index: 0,
        file_index: 12,
        episode_chunk: 1,
        episode_index: 1005,
    };

    #[test]
    fn fills_what_lerobot_writes() {
        let video = fill("videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4", &FIELDS);
        assert_eq!(video.unwrap(), "videos/observation.images.front/chunk-000/file-012.mp4");
        let older = fill("data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet", &FIELDS);
        assert_eq!(older.unwrap(), "data/chunk-001/episode_001005.parquet");
        assert_eq!(fill("{{a}}-{file_index}-{file_index:d}", &FIELDS).unwrap(), "{a}-12-12");
    }

    #[test]
    fn unknown_fields_are_named() {
        assert!(fill("data/{episode:03d}.parquet", &FIELDS).unwrap_err().contains("{episode:03d}"));
        assert!(fill("data/{file_index", &FIELDS).unwrap_err().contains("unpaired"));
        assert!(fill("data/{file_index:99999d}", &FIELDS).is_err(), "no file name of 100 kB");
    }

    #[test]
    fn paths_stay_inside() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("dataset").canonicalize().unwrap_or_else(|_| {
            std::fs::create_dir(folder.path().join("dataset")).unwrap();
            folder.path().join("dataset").canonicalize().unwrap()
        });
        std::fs::write(folder.path().join("secret"), b"x").unwrap();
        std::fs::write(root.join("own"), b"x").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), root.join("link")).unwrap();
        let info = Path::new("meta/info.json");
        assert!(inside(&root, "own", info).is_ok());
        for leaving in ["../secret", "/etc/passwd", "a/../../secret", "link", ""] {
            let error = inside(&root, leaving, info).unwrap_err();
            assert!(matches!(error, EpisodeError::OutsideFolder { .. }), "{leaving}: {error}");
        }
        assert!(matches!(inside(&root, "gone", info), Err(EpisodeError::Missing { .. })));
    }

    proptest! {
        #[test]
        fn no_template_panics(template in "[{}a-z_:03d/.]{0,40}") {
            let _ = fill(&template, &FIELDS);
        }
    }
}
