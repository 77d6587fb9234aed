"""``+CMS ERROR`` numbers: what each one proves about a SUBMIT, what to do next, and one plain sentence.

Two questions are kept apart. ``cms_class``: was the message sent? 1-255 come from the network or the service centre,
which refused it; 301-331 and 340 come from the modem before anything left it; every other number leaves the outcome
open, unless a profile lists it as definite. ``meaning(code).policy``: is trying again worth it?
  R permanent for this recipient or message   S permanent for this SIM          T temporary      N not ready yet
  M the modem needs repair                    P our PDU or parameter is at fault
Numbers from 512 on differ between manufacturers: T by default. Sources: 3GPP TS 27.005 3.2.5, 3GPP TS 24.011 annex E,
3GPP TS 23.040 9.2.3.22, and field reports for the notes.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass


class CmsClass(enum.StrEnum):
    """What an error after the payload proves."""

    DEFINITE_REFUSED = "refused"
    DEFINITE_NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"


DEFINITE_REFUSED = CmsClass.DEFINITE_REFUSED
DEFINITE_NOT_SENT = CmsClass.DEFINITE_NOT_SENT
UNCERTAIN = CmsClass.UNCERTAIN


@dataclass(frozen=True, slots=True)
class Meaning:
    """``code`` is a word for programs, ``text`` one sentence for the owner of a shop, ``policy`` the letter above."""

    code: str
    policy: str
    text: str

    @property
    def retryable(self) -> bool:
        """True where the same message may well pass later without anybody doing anything."""
        return self.policy in {"T", "N"}


def cms_class(code: int, definite: Collection[int] = ()) -> CmsClass:
    """Was a SUBMIT sent that got this number? ``definite``: numbers that a profile trusts as a refusal."""
    if 1 <= code <= 255 or code in definite:
        return CmsClass.DEFINITE_REFUSED
    if 301 <= code <= 331 or code == 340:
        return CmsClass.DEFINITE_NOT_SENT
    return CmsClass.UNCERTAIN


def may_be_credit(code: int | None) -> bool:
    """Do networks refuse with this number when a prepaid card is empty? They do so for other reasons too."""
    return code in _CREDIT


def meaning(code: int) -> Meaning:
    """The table's row for a number; a general row for one that is not listed."""
    known = _TABLE.get(code)
    if known:
        return known
    if 224 <= code <= 254:
        return Meaning("service_centre_specific", "T", "The service centre refused for a reason of its own.")
    if 1 <= code <= 255:
        return Meaning("network_refused", "T", f"The network refused the message (cause {code}).")
    if code >= 512:
        return Meaning("modem_specific", "T", f"The modem reported an error of its own ({code}).")
    return Meaning("unknown_error", "T", f"The modem reported an error that is not in the standard ({code}).")


_PDU = "The network could not read the message; this is a fault of the gateway or of an unusual option."
_CREDIT = frozenset({21, 34, 38})
_TABLE: dict[int, Meaning] = {
    1: Meaning("unassigned_number", "R", "This number is not assigned to anybody."),
    8: Meaning("operator_barred", "S", "The operator has barred this SIM card from sending messages."),
    10: Meaning("call_barred", "S", "Messages are barred, either for this SIM card or by the recipient."),
    17: Meaning("network_failure", "T", "The network had a failure."),
    21: Meaning("rejected", "R", "The network rejected the message; an empty prepaid card is a common reason."),
    22: Meaning("memory_exceeded", "T", "The network or the phone has no room for the message now."),
    27: Meaning("destination_out_of_order", "T", "The recipient's phone is off or cannot be reached."),
    28: Meaning("unidentified_subscriber", "S", "The network does not know this SIM card."),
    29: Meaning("facility_rejected", "S", "The network does not let this SIM card send messages."),
    30: Meaning("unknown_subscriber", "R", "The network does not know this number."),
    31: Meaning("network_specific", "T", "The network refused without saying why."),
    34: Meaning("no_channel", "T", "The network gave no channel; an empty prepaid card can be the reason."),
    38: Meaning("network_out_of_order", "T", "The network is out of order, or it does not accept this number."),
    41: Meaning("temporary_failure", "T", "The network had a temporary failure."),
    42: Meaning("congestion", "T", "The network is congested."),
    47: Meaning("resources_unavailable", "T", "The network has no resources free."),
    50: Meaning("not_subscribed", "S", "Text messages are not enabled for this SIM card."),
    69: Meaning("not_implemented", "S", "The network does not offer this service."),
    81: Meaning("invalid_reference", "T", "The network lost track of this transfer."),
    95: Meaning("incorrect_message", "P", _PDU),
    96: Meaning("invalid_mandatory_information", "P", _PDU),
    97: Meaning("message_type_not_implemented", "P", _PDU),
    98: Meaning("message_not_compatible_with_state", "T", "The network was not ready for the message."),
    99: Meaning("information_element_not_implemented", "P", _PDU),
    111: Meaning("protocol_error", "T", "The modem and the network misunderstood each other."),
    127: Meaning("interworking", "T", "A network on the way had a failure."),
    128: Meaning("telematic_not_supported", "P", "The service centre does not convert this kind of message."),
    129: Meaning("type0_not_supported", "P", "The service centre does not take silent messages."),
    130: Meaning("cannot_replace", "P", "The earlier message cannot be replaced."),
    143: Meaning("protocol_identifier_error", "P", "The service centre does not take this protocol identifier."),
    144: Meaning("alphabet_not_supported", "P", "The service centre does not take this alphabet."),
    145: Meaning("class_not_supported", "P", "The service centre does not take this message class."),
    159: Meaning("coding_error", "P", "The service centre does not take this data coding."),
    160: Meaning("command_not_actioned", "P", "The service centre could not carry out the command."),
    161: Meaning("command_not_supported", "P", "The service centre does not know the command."),
    175: Meaning("command_error", "P", "The service centre refused the command."),
    176: Meaning("tpdu_not_supported", "P", _PDU),
    192: Meaning("service_centre_busy", "T", "The service centre is busy."),
    193: Meaning("no_service_centre_subscription", "S", "This SIM card may not use this service centre."),
    194: Meaning("service_centre_failure", "T", "The service centre has a failure."),
    195: Meaning("invalid_address", "R", "The service centre does not accept this number."),
    196: Meaning("destination_barred", "R", "The recipient is barred from receiving messages."),
    197: Meaning("duplicate_rejected", "R", "The service centre says that it already has this very message."),
    198: Meaning(
        "validity_format_not_supported", "P", "The service centre does not take this kind of validity period."
    ),
    199: Meaning("validity_not_supported", "P", "The service centre does not take a validity period."),
    208: Meaning("sim_storage_full", "M", "The memory of the SIM card is full."),
    209: Meaning("no_sim_storage", "M", "The SIM card has no memory for messages."),
    210: Meaning("error_in_modem", "M", "The modem has a failure."),
    211: Meaning("memory_capacity_exceeded", "M", "The modem's memory for messages is full."),
    212: Meaning("sim_toolkit_busy", "T", "The SIM card is busy."),
    213: Meaning("sim_download_error", "T", "The SIM card could not take the data."),
    255: Meaning("unspecified", "T", "The service centre refused without saying why."),
    300: Meaning("modem_failure", "M", "The modem had a failure."),
    301: Meaning("service_reserved", "T", "The modem's message service is in use by something else."),
    302: Meaning("operation_not_allowed", "N", "The modem does not allow this now; it may not be ready yet."),
    303: Meaning("operation_not_supported", "P", "The modem does not know this operation."),
    304: Meaning("invalid_pdu", "P", "The modem found a fault in the message that the gateway made."),
    305: Meaning("invalid_text", "P", "The modem found a fault in a text parameter."),
    310: Meaning("sim_not_inserted", "N", "There is no SIM card in the modem."),
    311: Meaning("sim_pin_required", "S", "The SIM card wants its PIN."),
    312: Meaning("phone_lock_required", "S", "The modem is locked to another SIM card."),
    313: Meaning("sim_failure", "M", "The SIM card cannot be read; take it out and put it back."),
    314: Meaning("sim_busy", "N", "The SIM card is still busy."),
    315: Meaning("sim_wrong", "S", "The modem does not accept this SIM card."),
    316: Meaning("sim_puk_required", "S", "The SIM card is blocked and wants its PUK."),
    317: Meaning("sim_pin2_required", "S", "The SIM card wants its PIN2."),
    318: Meaning("sim_puk2_required", "S", "The SIM card wants its PUK2."),
    320: Meaning("memory_failure", "M", "The modem's memory for messages has a failure."),
    321: Meaning("invalid_index", "P", "There is no message in this place of the memory."),
    322: Meaning("memory_full", "M", "The modem's memory for messages is full."),
    330: Meaning("smsc_unknown", "S", "The SIM card holds no number of a service centre."),
    331: Meaning("no_network_service", "N", "The modem has no network."),
    332: Meaning("network_timeout", "T", "The network did not answer in time; whether it took the message is unknown."),
    340: Meaning("no_acknowledgement_expected", "P", "The modem did not wait for an acknowledgement."),
    341: Meaning("buffer_failure", "M", "The modem's own memory has a failure."),
    350: Meaning("send_failed", "T", "The modem gave up sending; whether the message left is unknown."),
    500: Meaning("unknown_error", "T", "The modem reported an error without saying which."),
    512: Meaning("no_radio_link", "T", "The modem found no connection to the network, or sending was aborted."),
    513: Meaning("no_network_answer", "T", "The network did not acknowledge; whether it took the message is unknown."),
    514: Meaning("network_congested", "T", "The network is congested or had an error."),
    515: Meaning("modem_starting", "N", "The modem is still starting; it will be ready soon."),
    532: Meaning("sim_not_ready", "N", "The SIM card is not ready yet."),
    535: Meaning("modem_busy", "T", "The modem is busy."),
    538: Meaning("invalid_parameter", "P", "The modem found a fault in a parameter."),
    549: Meaning("invalid_length", "P", "The modem says that the message has a wrong length."),
    553: Meaning("invalid_length", "P", "The modem says that the message has a wrong length."),
    554: Meaning("invalid_length", "P", "The modem says that the message has a wrong length."),
}
