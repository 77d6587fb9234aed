"""What a fault of the whole modem does to it, as soon as it happens."""

from typing import TYPE_CHECKING

from modemgw.emulator.effects import (
    Do,
    Dribble,
    Flood,
    Hang,
    Hold,
    Intrude,
    NoCredit,
    Reboot,
    RegisterLoss,
    Ring,
    StorageFull,
    Stray,
    SwapSim,
    Unplug,
    WeakSignal,
)

if TYPE_CHECKING:
    from modemgw.emulator.device import Device


def suffer(device: "Device", do: Do) -> None:
    """Let it happen now; a modem that is off can still be pulled and lose its card, no more."""
    if device.off and not isinstance(do, (Unplug, SwapSim, NoCredit)):
        return
    if isinstance(do, Unplug):
        device.unplug(back=do.back, port=do.port)
    elif isinstance(do, Reboot):
        device.reboot()
    elif isinstance(do, SwapSim):
        device.card.take_out(do.seconds)
    elif isinstance(do, (RegisterLoss, WeakSignal, NoCredit)):
        _service(device, do)
    elif isinstance(do, StorageFull):
        device.inbox.block(do.seconds)
    elif isinstance(do, Ring):
        device.calls.ring(do.caller, do.seconds)
    elif isinstance(do, Intrude):
        device.agenda.after(0.0, lambda: device.main.receive(do.text.encode("latin-1", "replace")))
    else:
        _on_the_wire(device, do)


def _service(device: "Device", do: RegisterLoss | WeakSignal | NoCredit) -> None:
    if isinstance(do, RegisterLoss):
        device.radio.lose(do.seconds, do.stat)
    elif isinstance(do, WeakSignal):
        device.radio.weaken(do)
    elif device.sim is not None:
        device.sim.no_credit = do.answer


def _on_the_wire(device: "Device", do: Do) -> None:
    if isinstance(do, Dribble):
        device.wire.dribble(do.seconds, do.chunk, do.lasts)
    elif isinstance(do, Hold):
        device.wire.hold(do.seconds)
    elif isinstance(do, Hang):
        device.hang(do.seconds)
    elif isinstance(do, Flood):
        for _ in range(do.count):
            device.urc(do.text, at_once=True)
    elif isinstance(do, Stray):
        device.write(device.announcer.frame(do.text))
