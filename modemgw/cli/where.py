"""Which configuration a verb means: ``--config``, else the installed service's, else that of this checkout.

All verbs ask here, so that ``modemgw key create`` finds the database that ``modemgw run`` uses.
"""

import argparse
import os
from pathlib import Path

from modemgw import config
from modemgw.cli.stop import Stop

INSTALLED = Path("/etc/modemgw/modemgw.toml")
_TOP = Path(__file__).parents[2]


def add_option(parser: argparse.ArgumentParser) -> None:
    """``--config FILE``."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help=f"configuration; default: {INSTALLED} if it is there, else var/modemgw.toml of a checkout, else none",
    )


def find(given: Path | None, *, service: Path = INSTALLED, top: Path = _TOP) -> tuple[Path | None, Path]:
    """The configuration file, None when there is none, and the default of ``state_dir``."""
    var = top / "var" if (top / "tools" / "run").exists() else None
    path = given
    if path is None and service.exists():
        path = service
    if path is None and var and (var / "modemgw.toml").exists():
        path = var / "modemgw.toml"
    # Also a service that is run from a checkout keeps its data where services do.
    is_service = path is not None and path.absolute() == service
    return path, var if var and not is_service else config.DEFAULT_STATE_DIR


def give_to_owner(directory: Path) -> None:
    """What root has just created here belongs to the directory's owner: the service must be able to open it."""
    owner = directory.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        for file in directory.iterdir():
            if file.stat().st_uid == 0:
                os.chown(file, owner.st_uid, owner.st_gid)


def load(args: argparse.Namespace) -> config.Config:
    """The configuration; Stop with everything that is wrong with it."""
    path, state_dir = find(args.config)
    try:
        return config.load(path, os.environ, state_dir=state_dir)
    except config.ConfigErrors as errors:
        raise Stop(str(errors), code=2) from None
