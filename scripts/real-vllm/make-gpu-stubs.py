"""Lets the CUDA build of torch load on a machine without CUDA: make-gpu-stubs.py, run by the environment's Python.

torch is linked against about 2 GB of GPU libraries that a CPU server loads but never calls. One small library that
defines every function torch asks of them, present under each of their names, satisfies the loader. Each function
aborts, so a call would not go unnoticed. Needs gcc, nm and readelf.
"""

import re
import subprocess
import sysconfig
from pathlib import Path

PACKAGES = Path(sysconfig.get_paths()["purelib"])
TORCH = PACKAGES / "torch" / "lib"
# One of the folders in which torch's libraries look for the GPU libraries.
GPU = PACKAGES / "nvidia" / "cu13" / "lib"
# Opened only for a tensor on a GPU.
LAZY = {"libtorch_cuda_linalg.so"}

GPU_LIBRARY = re.compile(r"\(NEEDED\).*\[(lib(?:cu|nv|nccl)[^\]]+)\]")
GPU_FUNCTION = re.compile(
    r"p?nccl|nvshmem|cublas|cudnn|cufft|cusparse|cusolver|curand|nvrtc|cuFile|cupti|nvJitLink"
)


def output_of(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def main() -> None:
    GPU.mkdir(parents=True, exist_ok=True)
    names: set[str] = set()
    functions: set[str] = set()
    for library in sorted([*TORCH.glob("libtorch*.so"), *TORCH.glob("libc10*.so")]):
        if library.name in LAZY:
            continue
        names.update(GPU_LIBRARY.findall(output_of("readelf", "-dW", str(library))))
        for line in output_of("nm", "-D", "--undefined-only", str(library)).splitlines():
            function = line.split()[-1].partition("@")[0]
            if GPU_FUNCTION.match(function):
                functions.add(function)

    stub = GPU / "libgpu-stubs.so"
    source = "void abort(void);\n" + "".join(f"void {name}(void) {{ abort(); }}\n" for name in sorted(functions))
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-w", "-fno-builtin", f"-Wl,-soname,{stub.name}", "-o", str(stub), "-x", "c", "-"],
        input=source,
        text=True,
        check=True,
    )
    # A real library that was installed stays.
    absent = sorted(name for name in names if (GPU / name).is_symlink() or not (GPU / name).exists())
    for name in absent:
        (GPU / name).unlink(missing_ok=True)
        (GPU / name).symlink_to(stub.name)
    print(f"stubs: {len(functions)} functions under {len(absent)} names")


if __name__ == "__main__":
    main()
