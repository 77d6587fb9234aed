"""Stands in for PolicyKit on a private bus: whoever asks may do what it wants. Run as a script by test_modemmanager.py.

    policy.py BUS-ADDRESS FOLDER-OF-JEEPNEY

ModemManager sends and enables nothing unless PolicyKit (interface org.freedesktop.PolicyKit1.Authority) allows it, and
the real one would be a service of the machine.
"""

import sys

sys.path.insert(0, sys.argv[2])

from jeepney import HeaderFields, Message, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection


def answer(asked: Message) -> Message:
    """The reply to one call."""
    member = asked.header.fields[HeaderFields.member]
    if member == "CheckAuthorization":
        return new_method_return(asked, "(bba{ss})", ((True, False, {}),))
    if member == "GetAll":
        about = {"BackendName": ("s", "stand-in"), "BackendVersion": ("s", "1"), "BackendFeatures": ("u", 0)}
        return new_method_return(asked, "a{sv}", (about,))
    return new_error(asked, "org.freedesktop.DBus.Error.UnknownMethod")


def main() -> None:
    """Answer until killed."""
    bus = open_dbus_connection(sys.argv[1])
    bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.PolicyKit1"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        asked = bus.receive()
        if asked.header.message_type == MessageType.method_call:
            bus.send(answer(asked))


if __name__ == "__main__":
    main()
