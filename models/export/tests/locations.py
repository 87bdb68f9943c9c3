"""Where the tests find the repository's files."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
BUNDLE = REPOSITORY / "models" / "smolvla-tiny"
TINY = REPOSITORY / "tests" / "data" / "smolvla_tiny"
CHECKPOINT = TINY / "pretrained_model"
VLM = TINY / "vlm_tiny"
GOLDEN = TINY / "golden.npz"
TASK = (TINY / "golden_task.txt").read_text()
REAL_TIME_CHUNKING = REPOSITORY / "tests" / "data" / "real_time_chunking"
TWO_CAMERAS = REPOSITORY / "tests" / "data" / "smolvla_two_cameras"
