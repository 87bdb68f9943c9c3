"""Stand-ins for the CUDA libraries that PyPI's x86-64 torch wheel links against, for machines without a GPU.

The wheel cannot be imported without libcublas, libcudnn, libnccl, ... (about 3 GB of further wheels), although a CPU run never
calls them. This script reads which versioned symbols torch's own libraries want from each of them and builds shared objects that
define exactly those symbols, each returning an error code. They go into torch/lib, which is on the RUNPATH of every libtorch
library. Empty libraries would not do: the dynamic loader checks symbol versions such as `nvshmem_ptr@NVSHMEM`.

Run it with the Python of the virtual environment that has torch installed. Needs gcc and readelf.
"""

from __future__ import annotations

import re
import subprocess
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path

# cudart, cupti and cufile are not here: their wheels are small, so the real ones are installed.
STUBBED_LIBRARIES = (
    "libcublas.so.12",
    "libcublasLt.so.12",
    "libcuda.so.1",
    "libcudnn.so.9",
    "libcufft.so.11",
    "libcurand.so.10",
    "libcusolver.so.11",
    "libcusparse.so.12",
    "libcusparseLt.so.0",
    "libnccl.so.2",
    "libnvrtc.so.12",
    "libnvshmem_host.so.3",
)

TORCH_LIBRARIES = (
    "libc10_cuda.so",
    "libcaffe2_nvrtc.so",
    "libtorch_cpu.so",
    "libtorch_cuda.so",
    "libtorch_cuda_linalg.so",
    "libtorch_nvshmem.so",
    "libtorch_python.so",
)

# Owner of a symbol without a version, by its prefix; longer prefixes first.
PREFIX_TO_LIBRARY = (
    ("cublasLt", "libcublasLt.so.12"),
    ("cublas", "libcublas.so.12"),
    ("cudnn", "libcudnn.so.9"),
    ("cufft", "libcufft.so.11"),
    ("curand", "libcurand.so.10"),
    ("cusolver", "libcusolver.so.11"),
    ("cusparseLt", "libcusparseLt.so.0"),
    ("cusparse", "libcusparse.so.12"),
    ("nccl", "libnccl.so.2"),
    ("pnccl", "libnccl.so.2"),
    ("nvrtc", "libnvrtc.so.12"),
    ("nvshmem", "libnvshmem_host.so.3"),
)

# CUDA's "unknown error": whoever calls a stub sees a failure, never a silent success.
ERROR_CODE = 999


def readelf(*arguments: str) -> list[str]:
    result = subprocess.run(["readelf", *arguments], capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def wanted_symbols(torch_lib: Path) -> dict[str, dict[str, set[str]]]:
    """library -> symbol version ("" for none) -> symbols that torch's libraries import from it."""
    library_of_version: dict[str, str] = {}
    versions_of_symbol: dict[str, set[str]] = defaultdict(set)
    for name in TORCH_LIBRARIES:
        path = torch_lib / name
        if not path.exists():
            continue
        library = None
        for line in readelf("-V", "-W", str(path)):
            if match := re.search(r"Version: \d+\s+File: (\S+)", line):
                library = match.group(1)
            if library and (match := re.search(r"Name: (\S+)\s+Flags", line)):
                library_of_version[match.group(1)] = library
        for line in readelf("--dyn-syms", "-W", str(path)):
            columns = line.split()
            if len(columns) >= 8 and columns[6] == "UND":
                symbol, _, version = columns[7].partition("@")
                versions_of_symbol[symbol].add(version.lstrip("@"))

    wanted: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for symbol, versions in versions_of_symbol.items():
        for version in versions:
            if version:
                library = library_of_version.get(version)
            else:
                library = next((lib for prefix, lib in PREFIX_TO_LIBRARY if symbol.startswith(prefix)), None)
            if library in STUBBED_LIBRARIES:
                wanted[library][version].add(symbol)
    return wanted


def build_stub(library: str, symbols: dict[str, set[str]], folder: Path, work: Path) -> None:
    source = work / "stub.c"
    functions = sorted(symbol for group in symbols.values() for symbol in group)
    lines = [f"int {symbol}(void) {{ return {ERROR_CODE}; }}" for symbol in functions]
    # A translation unit must not be empty, and libcuda.so.1 is wanted by name only.
    lines.append("int roarm_export_stub(void) { return 0; }")
    source.write_text("\n".join(lines) + "\n")
    command = ["gcc", "-w", "-shared", "-fPIC", "-fno-builtin", f"-Wl,-soname,{library}", "-o", str(folder / library), str(source)]
    versioned = {version: names for version, names in symbols.items() if version}
    if versioned:
        script = work / "versions.map"
        script.write_text(
            "".join(f"{version} {{ global: {'; '.join(sorted(names))}; }};\n" for version, names in sorted(versioned.items()))
        )
        command.append(f"-Wl,--version-script,{script}")
    subprocess.run(command, check=True)


def main() -> None:
    torch_lib = Path(sysconfig.get_paths()["purelib"]) / "torch" / "lib"
    if not (torch_lib / "libtorch_cuda.so").exists():
        print(f"cuda_stubs: {torch_lib} holds no libtorch_cuda.so: this torch needs no stand-ins")
        return
    wanted = wanted_symbols(torch_lib)
    with tempfile.TemporaryDirectory() as work:
        for library in STUBBED_LIBRARIES:
            build_stub(library, wanted.get(library, {}), torch_lib, Path(work))
    count = sum(len(names) for symbols in wanted.values() for names in symbols.values())
    print(f"cuda_stubs: {count} symbols in {len(STUBBED_LIBRARIES)} stand-in libraries")


if __name__ == "__main__":
    main()
