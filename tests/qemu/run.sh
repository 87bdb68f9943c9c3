#!/usr/bin/env bash
# Proves `camera::V4l2Source` against a real kernel, where the machine itself need have no camera and no root:
# boots Debian's kernel in QEMU with the kernel's test camera `vivid` and runs examples/v4l2_probe.rs inside.
# The probe checks capture (size, sequence, rate, colours, time stamps, newest frame first), each refusal, and what happens when
# frames are dropped, damaged or missing, and when the camera is unplugged and comes back.
#
#   tests/qemu/run.sh           run it; ends with 0 only if the guest printed ALL OK
#   tests/qemu/run.sh --check   only say what is missing on this machine
#
# Fetches Debian's kernel package (70 MB, once). All files are kept under .cache/qemu/.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/../.."

limit_s=300
cache=.cache/qemu
# In the order in which they can be loaded; the last is vivid itself, which init loads with its options.
modules=(mc videodev v4l2-dv-timings v4l2-tpg videobuf2-common videobuf2-memops videobuf2-v4l2 videobuf2-vmalloc
    videobuf2-dma-contig rc-core cec)

fail() {
    echo "tests/qemu/run.sh: $*" >&2
    exit 1
}

check() {
    [[ "$(uname -m)" == x86_64 ]] || fail "this test needs an x86-64 machine"
    local program missing=()
    for program in qemu-system-x86_64 busybox cpio dpkg-deb apt-get; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    ((${#missing[@]} == 0)) ||
        fail "${missing[*]} missing: sudo apt-get install qemu-system-x86 busybox-static cpio (on Debian 12)"
    ! ldd "$(command -v busybox)" >/dev/null 2>&1 ||
        fail "busybox is not static: sudo apt-get install busybox-static"
}

# Prints the path of the kernel's package: the one fetched before, else the newest 6.1 kernel that apt knows.
kernel_package() {
    local found name
    found=$(find "$cache" -maxdepth 1 -name 'linux-image-6.1*_amd64.deb' | sort -V | tail -n 1)
    if [[ -z "$found" ]]; then
        name=$(apt-cache search --names-only '^linux-image-6\.1[0-9.-]*-amd64$' | cut -d' ' -f1 | sort -V | tail -n 1)
        [[ -n "$name" ]] || fail "apt knows no linux-image-6.1*-amd64 (Debian 12): sudo apt-get update"
        echo "fetching $name (70 MB, once) …" >&2
        # Into a folder of its own, so that an interrupted download is never taken for the package.
        mkdir -p "$cache/download"
        (cd "$cache/download" && apt-get download -qq -o APT::Sandbox::User=root "$name" >&2) ||
            fail "apt-get download $name failed: sudo apt-get update, or check the network"
        mv "$cache/download/$name"_*.deb "$cache/"
        rmdir "$cache/download"
        found=$(find "$cache" -maxdepth 1 -name "${name}_*.deb")
    fi
    echo "$found"
}

# Leaves the kernel and its media drivers in $kernel.
unpack_kernel() {
    local package
    package=$(kernel_package)
    kernel=$cache/$(basename "$package" .deb)
    if [[ ! -d "$kernel" ]]; then
        rm -rf "$kernel.part"
        mkdir -p "$kernel.part"
        dpkg-deb --fsys-tarfile "$package" |
            tar -x -C "$kernel.part" --wildcards './boot/vmlinuz-*' './lib/modules/*/kernel/drivers/media/*'
        mv "$kernel.part" "$kernel"
    fi
}

build_probe() {
    "${CARGO:-cargo}" build --quiet --example v4l2_probe
    local target
    target=$("${CARGO:-cargo}" metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    strip -o "$root/bin/v4l2_probe" "$target/debug/examples/v4l2_probe"
    # The libraries it is linked with, the loader among them, at the same paths.
    ldd "$root/bin/v4l2_probe" | grep -o '/[^ ]*' | while read -r library; do
        cp -L --parents "$library" "$root"
    done
}

build_initramfs() {
    root=$cache/root
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,modules}
    install -m 755 tests/qemu/init "$root/init"
    cp "$(command -v busybox)" "$root/bin/busybox"
    local module file
    for module in "${modules[@]}" vivid; do
        file=$(find "$kernel/lib/modules" -name "$module.ko")
        [[ -n "$file" ]] || fail "$kernel has no module $module"
        strip --strip-debug -o "$root/modules/$module.ko" "$file"
    done
    printf '%s\n' "${modules[@]}" >"$root/modules/order"
    build_probe
    (cd "$root" && find . | cpio --create --format=newc --quiet | gzip -1) >"$cache/initramfs.gz"
}

# Time in the guest counts its instructions (`-icount`), and sleeping costs none: a busy host makes it slower, never wrong.
boot() {
    timeout --kill-after=5 "$limit_s" qemu-system-x86_64 -accel tcg,thread=single -cpu max -smp 1 -m 512 \
        -icount shift=1,sleep=off -display none -nodefaults -serial stdio -no-reboot \
        -kernel "$kernel"/boot/vmlinuz-* -initrd "$cache/initramfs.gz" \
        -append "console=ttyS0 quiet panic=-1 mitigations=off" </dev/null | tr -d '\r' | tee "$cache/console.log"
}

check
[[ "${1:-}" != --check ]] || exit 0
mkdir -p "$cache"
unpack_kernel
build_initramfs
boot || fail "QEMU failed, or its guest did not end within $limit_s s"
grep -q '^ALL OK' "$cache/console.log" || fail "not all checks passed, see above (kept in $cache/console.log)"
