//! The page holds all series and asks nobody for anything.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value;

use super::*;

/// The fixture of format 1.0, whose records hold all that is possible.
fn page() -> String {
    run_log_page(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/run_log/1.0.mcap"))).unwrap()
}

fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn each_series_that_is_in_the_page_is_drawn() {
    let data = data(&page());
    let Value::Object(series) = data else { panic!("an object") };
    assert!(series.len() > 10);
    for name in series.keys() {
        assert!(SCRIPT.contains(&format!("run.{name}")), "{name} is not drawn");
    }
    for name in ["frame_age_ms", "chunk.z", "stages_ms", "age_end_ms", "arrived", "event.text"] {
        assert!(SCRIPT.contains(name), "{name} is not drawn");
    }
}

#[test]
fn nothing_outside_the_page_is_asked_for() {
    let page = page();
    for word in [
        "http://",
        "https://",
        "//cdn",
        "src=",
        "href=",
        "@import",
        "url(",
        "fetch(",
        "XMLHttpRequest",
        "import(",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'"), "the browser itself forbids it");
    assert!(!page.contains("{{"), "every place was filled");
}

#[test]
fn a_task_is_text_and_never_a_tag() {
    assert_eq!(escaped("<b>&"), "&lt;b&gt;&amp;");
    let page = page();
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    assert!(!rest.split_once("</script>").unwrap().0.contains('<'));
}
