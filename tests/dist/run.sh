#!/usr/bin/env bash
# Proves that the archive of `cargo xtask dist` stands alone: unpacks it into a folder outside this repository and runs it from an
# empty folder with an empty environment (no HOME, no PATH, no cargo).
#
#   tests/dist/run.sh ARCHIVE
set -euo pipefail

fail() {
    echo "tests/dist/run.sh: $*" >&2
    exit 1
}

[[ $# == 1 && -f $1 ]] || fail "usage: tests/dist/run.sh ARCHIVE"
archive=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/unpacked" "$scratch/elsewhere"

(cd "$(dirname "$archive")" && sha256sum --check --quiet "$(basename "$archive").sha256") || fail "the checksum is wrong"
tar --extract --gzip --file "$archive" --directory "$scratch/unpacked"
home=$(echo "$scratch"/unpacked/roarm-*)
[[ -d $home ]] || fail "the archive has not one folder roarm-…"
cd "$scratch/elsewhere"

# Runs the packed program with nothing in its environment.
roarm() {
    echo "--- roarm $*"
    env -i "$home/roarm" "$@"
}

for file in README.md LICENSE-MIT LICENSE-APACHE licences/onnxruntime/LICENSE licences/rust-crates.txt docs/installing.md \
    roarm.example.toml models/smolvla-tiny/policy.json system/70-roarm.rules system/roarm@.service completions/roarm \
    completions/_roarm completions/roarm.fish man/man1/roarm.1 man/man1/roarm-run.1; do
    [[ -s $home/$file ]] || fail "$file is missing or empty"
done
grep -q "MIT" "$home/licences/rust-crates.txt" || fail "the list of crates has no licences"

roarm --version
# Only the C and C++ run-time libraries may be asked of the system.
foreign=$(readelf --dynamic "$home/roarm" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -vE '^(ld-linux.*|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+))\.so' || true)
[[ -z $foreign ]] || fail "the program needs libraries that a machine may not have: $foreign"

roarm policy verify "$home/models/smolvla-tiny"
report=$(roarm doctor --policy "$home/models/smolvla-tiny" --json 2>/dev/null | tail -n 1)
[[ $report == *"$home/libonnxruntime.so."* ]] || fail "another ONNX Runtime was loaded: $report"
summary=$(roarm demo --duration 2 --json | tail -n 1)
echo "$summary"
[[ $summary == *'"ok":true'* ]] || fail "the demo did not end well"

# Installed as docs/installing.md says: a link in a folder of the search path.
ln -s "$home/roarm" "$scratch/elsewhere/roarm"
env -i "$scratch/elsewhere/roarm" policy verify "$home/models/smolvla-tiny" >/dev/null || fail "it does not run through a link"

# A GPU that is asked for is refused with the fix, never replaced by the processor: the archive has no GPU libraries.
code=0
env -i "$home/roarm" policy verify "$home/models/smolvla-tiny" --device cuda 2>message || code=$?
[[ $code == 3 ]] || fail "a GPU without libraries ended with exit code $code instead of 3"
grep -q "setup --device cuda" message || fail "the refusal of a GPU names no fix: $(cat message)"

bash -n "$home/completions/roarm" || fail "the completion script of bash is no script"
if command -v systemd-analyze >/dev/null; then
    mkdir -p "$scratch/unit"
    sed "s|/opt/roarm/roarm|$home/roarm|; s|^User=.*||" "$home/system/roarm@.service" >"$scratch/unit/roarm@.service"
    systemd-analyze verify --man=no "$scratch/unit/roarm@.service" || fail "systemd does not take the unit"
fi
if command -v udevadm >/dev/null && udevadm verify --help >/dev/null 2>&1; then
    udevadm verify "$home/system/70-roarm.rules" || fail "udev does not take the rule"
fi
echo "ALL OK: $(basename "$archive")"
