//! The page holds all series and asks nobody for anything.
#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;

/// Four seconds of a real run (see `tests/data/README.md`).
fn page() -> String {
    run_log_page(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/run_log/1.0.mcap"))).unwrap()
}

fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn all_series_of_the_log_are_in_it() {
    let page = page();
    let data = data(&page);
    let ticks = data["t"].as_array().unwrap().len();
    assert!(ticks > 20, "{ticks}");
    for name in ["measured_deg", "commanded_deg"] {
        let joints = data[name].as_array().unwrap();
        assert_eq!(joints.len(), 6);
        for joint in joints {
            assert_eq!(joint.as_array().unwrap().len(), ticks, "{name}");
            assert!(joint.as_array().unwrap().iter().any(Value::is_number), "{name}");
        }
    }
    assert_eq!(data["feedback_age_ms"].as_array().unwrap().len(), ticks);
    assert!(!data["cameras"].as_array().unwrap().is_empty());
    for camera in data["cameras"].as_array().unwrap() {
        assert_eq!(camera["frame_age_ms"].as_array().unwrap().len(), ticks);
    }
    let chunks = data["chunks"].as_array().unwrap();
    assert!(!chunks.is_empty());
    assert!(chunks.iter().any(|chunk| chunk["arrived"].is_number()), "a seam");
    for chunk in chunks {
        assert!(!chunk["z"].as_array().unwrap().is_empty() && chunk["z"][0].as_array().unwrap().len() == 6);
        assert_eq!(chunk["stages_ms"].as_array().unwrap().len(), 5);
    }
    let phases: Vec<&str> =
        data["phases"].as_array().unwrap().iter().map(|band| band["name"].as_str().unwrap()).collect();
    assert!(phases.contains(&"running") && phases.contains(&"ended"), "{phases:?}");
    let last = data["phases"].as_array().unwrap().last().unwrap();
    assert!(last["cause"].is_string(), "why it ended: {last}");
    assert!(!data["events"].as_array().unwrap().is_empty());
    // The script draws each of them.
    for name in [
        "measured_deg",
        "commanded_deg",
        "feedback_age_ms",
        "frame_age_ms",
        "chunk.z",
        "stages_ms",
        "age_end_ms",
        "run.phases",
        "run.events",
        "run.gate",
        "run.problems",
    ] {
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
