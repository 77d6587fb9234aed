"""Pulls the plug, again and again: ``python tests/system/power_loop.py --rounds 100`` (as root).

The gateway keeps its state on an ext4 file system in an image. In the middle of traffic it is frozen (so that nothing
can be said or done after the moment), the file system is shut down without writing its log or any page that was not
synced (EXT4_IOC_SHUTDOWN with NOLOGFLUSH), the process is killed, and the image is mounted again: what the next gateway
finds is what a power cut would have left. Not simulated: cards that lie about what they have written.

After each cut everything that was acknowledged must be there and the file whole; at the end the rules of kill_world.py
hold. Exit code 0 when they do, 3 where this machine does not allow it.
"""

import argparse
import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from system.harness import Bank, Forge, Service, Sink, config_text, until
from system.kill_world import MODEMS, RANDOM, KillWorld, Verdict

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, linux/fs/ext4/ext4.h
_NO_LOG_FLUSH = 2
_IMAGE_MB = 256  # the gateway refuses new work on a disk with little room


class Impossible(Exception):
    """Why this machine can't do it."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted image that can lose its power."""

    image: Path
    mounted: Path

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self.image), str(self.mounted))

    def unmount(self) -> None:
        _run("umount", str(self.mounted))

    def cut(self) -> None:
        """From here on nothing reaches the image; what was not synced is gone."""
        root = os.open(self.mounted, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(root, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(root)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """A fresh one. Raises Impossible."""
    if os.geteuid() != 0:
        raise Impossible("only root may mount an image")
    if shutil.which("mkfs.ext4") is None:
        raise Impossible("mkfs.ext4 (package e2fsprogs) is not there")
    made = Disk(folder / "disk.img", folder / "mounted")
    made.mounted.mkdir()
    with made.image.open("wb") as file:
        file.truncate(_IMAGE_MB << 20)
    _run("mkfs.ext4", "-q", "-F", str(made.image))
    made.mount()
    try:
        yield made
    finally:
        made.unmount()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Impossible(f"`{' '.join(command)}`: {done.stderr.strip()}")


async def cut_power(service: Service, disk: Disk) -> None:
    """Freeze, shut down, kill, mount again."""
    service.signal(signal.SIGSTOP)
    await until(lambda: service.child.returncode is not None or _is_frozen(service.child.pid), 10, every=0.001)
    disk.cut()
    await service.kill()
    disk.unmount()
    disk.mount()


def _is_frozen(pid: int) -> bool:
    """True when no thread can run a step of the program any more; one that waits for the disk stops when it returns."""
    with contextlib.suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            state = (task / "stat").read_text("ascii").rpartition(")")[2].split()[0]
            if state not in "TtD":
                return False
    return True


async def loop(rounds: int, *, seed: int = 1, say: Callable[[str], None] = lambda _: None) -> Verdict:
    """One disk, one database, so many power cuts. Raises Impossible."""
    with tempfile.TemporaryDirectory(prefix="modemgw-power-") as name, disk(Path(name)) as medium:
        folder, state = Path(name), medium.mounted / "state"
        modems = [{"name": f"modem{number}"} for number in range(MODEMS)]
        async with (
            Bank.of(folder, modems, latency=[0.2, 0.6], report_delay=[0.2, 0.8], seed=seed) as bank,
            Sink.of() as sink,
            Forge.of() as forge,
        ):
            config = folder / "modemgw.toml"
            config.write_text(config_text(state, bank.ports, sink.url))
            config.chmod(0o600)
            world = KillWorld(folder, bank, sink, config, forge, seed, state)
            for number in range(rounds):
                await world.round(RANDOM, lambda service: cut_power(service, medium))
                for id_ in world.missing():
                    world.verdict.wrong("acknowledged and lost", f"{id_} after cut {number}")
                for line in world.damage():
                    world.verdict.wrong("corrupt", f"{line} after cut {number}")
                say(f"cut {number + 1} of {rounds}, accepted {len(world.accepted)}, breaks: {world.verdict.breaks}")
            return await world.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    end = "\r" if sys.stderr.isatty() else "\n"
    try:
        verdict = asyncio.run(loop(args.rounds, seed=args.seed, say=lambda text: _progress(text + end)))
    except Impossible as reason:
        sys.stderr.write(f"not possible here: {reason}\n")
        return 3
    proven = sum(token in verdict.proven for kill in verdict.kills for token in kill.cut)
    cut = sum(len(kill.cut) for kill in verdict.kills)
    sys.stdout.write(
        f"power cuts {len(verdict.kills)}, accepted {verdict.accepted}, received {verdict.received}, "
        f"copies {verdict.copies}, extra copies of resend-classes {verdict.extra_copies}, "
        f"cut off while submitting {cut}, of these never proven {cut - proven}\n"
        f"broken promises: {verdict.breaks or 'none'}\n"
    )
    return 1 if verdict.breaks else 0


def _progress(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
