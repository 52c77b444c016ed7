# SPDX-License-Identifier: Apache-2.0
"""A guest for qemu: its root is an initramfs with busybox, the agent, Python and their libraries,
all as this system has them; its results come back as a tar file over a serial port."""
import io
import pathlib
import re
import shutil
import subprocess
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = pathlib.Path("/usr/bin/python3").resolve()
STDLIB = pathlib.Path("/usr/lib") / PYTHON.name
UNNEEDED = shutil.ignore_patterns("__pycache__", "test", "tests", "idlelib", "lib2to3", "pydoc*",
                                  "ensurepip", "distutils", "config-*", "dist-packages", "tkinter")


def libraries(binary):
    """Paths of the shared libraries, the loader included, that ldd names."""
    text = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"(/\S+) \(0x", text))


def copy(root, source, target=None):
    place = root / str(target or source).lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)


def make_root(root, agent):
    for path in ("proc", "sys", "dev", "bin"):
        (root / path).mkdir(parents=True)
    copy(root, "/bin/busybox")
    for applet in subprocess.run(["/bin/busybox", "--list"], check=True, capture_output=True,
                                 text=True).stdout.split():
        if applet == "busybox":
            continue
        (root / "bin" / applet).symlink_to("busybox")
    copy(root, agent, "/usr/bin/flowtrace-agent")
    copy(root, PYTHON, "/usr/bin/python3")
    shutil.copytree(STDLIB, root / str(STDLIB).lstrip("/"), ignore=UNNEEDED)
    copy(root, HERE.parent / "e2e" / "peers" / "talk.py", "/talk.py")
    copy(root, HERE.parent / "e2e" / "peers" / "tls" / "loop.py", "/loop.py")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", root / "server.key",
                    "-out", root / "server.pem"], check=True, capture_output=True)
    copy(root, HERE / "init.sh", "/init")
    binaries = [agent, PYTHON, *(STDLIB / "lib-dynload").glob("*.so")]
    for library in sorted(set().union(*map(libraries, binaries))):
        copy(root, library)


def make_initramfs(directory, agent):
    """The image's path; `directory` is the caller's."""
    root, image = directory / "root", directory / "initramfs"
    make_root(root, agent)
    with open(image, "wb") as out:
        names = "\n".join(str(p.relative_to(root)) for p in sorted(root.rglob("*")))
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=root, check=True,
                       input=names.encode(), stdout=out)
    return image


def boot(kernel, initramfs, hooks, directory, seconds=600):
    """
    Boots, waits for the end, and returns {name: bytes} of the guest's /results. no_timer_check: the
    timer of a guest on a busy host may fail the kernel's test of it.
    """
    results, console = directory / "results", directory / "console"
    with open(console, "wb") as out:
        subprocess.run(
            ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "1024", "-smp", "1",
             "-nodefaults", "-no-reboot", "-display", "none", "-kernel", kernel, "-initrd",
             initramfs, "-append", f"console=ttyS0 panic=-1 no_timer_check hooks={','.join(hooks)}",
             "-serial", "stdio", "-serial", f"file:{results}"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, timeout=seconds,
            check=True)
    try:
        archive = tarfile.open(fileobj=io.BytesIO(results.read_bytes()), mode="r:gz")
        return {member.name.removeprefix("./"): archive.extractfile(member).read()
                for member in archive if member.isfile()}
    except (tarfile.TarError, EOFError, OSError) as error:
        tail = console.read_text(errors="replace")[-3000:]
        raise AssertionError(f"the guest handed nothing over: {error}\n{tail}") from None
