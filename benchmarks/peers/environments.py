"""Make the environments that `python -m benchmarks.peers` runs in, each with the versions of its file in requirements/.

    python -m benchmarks.peers.environments FOLDER [NAME ...]

Without names it makes all of them, 5 GB in all. What exists is brought up to date.
"""

import argparse
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).parent / "requirements"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    names = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    arguments = parser.parse_args()
    for name in arguments.names or names:
        venv.create(arguments.folder / name, with_pip=True)
        packages = REQUIREMENTS / f"{name}.txt"
        command = [python(arguments.folder, name), "-m", "pip", "install", "-q", "-r", packages]
        failed = subprocess.run(command, check=False).returncode
        print(f"{name}: {'FAILED' if failed else 'ready'}", flush=True)


def python(folder, name):
    """The interpreter of an environment."""
    return Path(folder, name, "bin", "python").absolute()


def installed_bytes(folder, name):
    """The size of all packages of an environment but the installers, without byte code."""
    (packages,) = Path(folder, name, "lib").resolve().glob("python*/site-packages")
    parts = [part for part in packages.iterdir() if not part.name.startswith(("pip", "setuptools"))]
    if name == "numba_cnn":
        parts.append(ROOT / "numba_cnn")
    return sum(
        path.stat().st_size
        for part in parts
        for path in (part, *part.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    )


if __name__ == "__main__":
    main()
