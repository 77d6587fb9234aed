"""Sending: every way a SUBMIT can end, told apart by whether it may have cost money."""

import asyncio

import pytest
from modem.rig import MakeRig, Rig, persona

from modemgw.emulator.faults import AcceptBut, Command, Delay, Drop, Error, Fault, Reboot, Stray, Unplug
from modemgw.modem.errors import SubmitFailed, SubmitFailure
from modemgw.modem.profile import Profiles

NOT_SENT, REFUSED, UNCERTAIN = SubmitFailure.NOT_SENT, SubmitFailure.REFUSED, SubmitFailure.UNCERTAIN


async def failure_of(rig: Rig) -> SubmitFailed:
    with pytest.raises(SubmitFailed) as caught:
        await rig.submit()
    return caught.value


async def test_a_message_goes_out_once_and_gets_its_reference(rig: Rig) -> None:
    await rig.ready()

    assert [await rig.submit(f"number {n}") for n in range(3)] == [0, 1, 2]
    assert rig.sent == ["number 0", "number 1", "number 2"]


async def test_the_intent_is_written_down_at_the_prompt_and_before_the_message(rig: Rig) -> None:
    await rig.ready()
    seen: list[int] = []

    async def intend() -> None:
        seen.append(rig.device.submits_seen)
        await asyncio.sleep(0.5)
        seen.append(rig.device.submits_seen)

    await rig.submit(before=intend)

    assert seen == [0, 0]
    assert rig.device.submits_seen == 1


async def test_an_intent_that_cannot_be_written_down_sends_nothing(rig: Rig) -> None:
    await rig.ready()

    async def fail() -> None:
        raise OSError("disk full")

    with pytest.raises(SubmitFailed) as caught:
        await rig.submit(before=fail)

    assert caught.value.kind is NOT_SENT
    assert await rig.submit("next") is not None
    assert rig.sent == ["next"]


async def test_an_intent_that_takes_too_long_sends_nothing(rig: Rig) -> None:
    await rig.ready()

    with pytest.raises(SubmitFailed) as caught:
        await rig.submit(before=lambda: asyncio.sleep(5))

    assert caught.value.kind is NOT_SENT
    await asyncio.sleep(300)
    assert rig.sent == []


@pytest.mark.parametrize("code", [1, 8, 10, 21, 27, 28, 38, 41, 42, 69, 96, 111, 127, 193, 195, 197, 255])
async def test_a_refusal_by_the_network_is_definite(rig: Rig, code: int) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Error(f"+CMS ERROR: {code}")))

    failure = await failure_of(rig)

    assert (failure.kind, failure.cms, failure.cme) == (REFUSED, code, None)
    assert failure.policy in "RSTP"
    assert failure.text.endswith(".")


@pytest.mark.parametrize(
    ("code", "policy"), [(302, "N"), (304, "P"), (310, "N"), (314, "N"), (322, "M"), (330, "S"), (331, "N"), (340, "P")]
)
async def test_what_the_modem_itself_refuses_was_not_sent(rig: Rig, code: int, policy: str) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Error(f"+CMS ERROR: {code}")))

    failure = await failure_of(rig)

    assert (failure.kind, failure.cms, failure.policy) == (NOT_SENT, code, policy)


@pytest.mark.parametrize(
    "answer",
    [
        "+CMS ERROR: 300",
        "+CMS ERROR: 332",
        "+CMS ERROR: 350",
        "+CMS ERROR: 500",
        "+CMS ERROR: 512",
        "+CMS ERROR: 513",
        "+CMS ERROR: 256",
        "+CMS ERROR: unknown error",
        "+CME ERROR: 30",
        "+CME ERROR: 3517",
        "ERROR",
    ],
)
async def test_everything_else_after_the_message_is_uncertain_even_if_it_was_sent(rig: Rig, answer: str) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), AcceptBut(answer)))

    failure = await failure_of(rig)

    assert failure.kind is UNCERTAIN
    assert rig.sent == ["hello"], "the network has it"


@pytest.mark.parametrize("answer", ["+CMS ERROR: 500", "+CMS ERROR: 38", "+CME ERROR: 30", "ERROR"])
async def test_a_refusal_in_place_of_the_prompt_was_not_sent(rig: Rig, answer: str) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Error(answer, early=True)))

    failure = await failure_of(rig)

    assert failure.kind is NOT_SENT
    assert await rig.submit("next") is not None
    assert rig.sent == ["next"]


async def test_no_prompt_means_not_sent_and_the_port_is_usable_again(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Drop("prompt")))

    failure = await failure_of(rig)

    assert failure.kind is NOT_SENT
    assert await rig.submit("next") is not None
    assert rig.sent == ["next"]


async def test_a_slow_prompt_is_waited_for(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Delay(8.0, "prompt")))

    assert await rig.submit() is not None


async def test_silence_after_the_message_is_uncertain_after_three_minutes_and_not_before(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Drop()))
    loop = asyncio.get_running_loop()
    start = loop.time()

    failure = await failure_of(rig)

    assert failure.kind is UNCERTAIN
    assert 180 <= loop.time() - start < 185
    assert rig.sent == ["hello"]
    assert await rig.submit("next") is not None


async def test_a_slow_network_is_waited_for(make_rig: MakeRig) -> None:
    rig = make_rig(latency=170.0)
    await rig.ready()

    assert await rig.submit() == 0


async def test_an_answer_after_the_deadline_finds_its_own_message(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Delay(200.0)))

    with pytest.raises(SubmitFailed) as caught:
        await rig.submit("slow", token="slow-one")
    assert caught.value.kind is UNCERTAIN
    await rig.until(lambda: bool(rig.gateway.late), 60)

    assert rig.gateway.late == [("slow-one", 0)]
    assert await rig.submit("next", token="next-one") == 1
    assert rig.gateway.late == [("slow-one", 0)]


async def test_an_answer_during_the_next_message_is_credited_in_order(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Delay(190.0, busy=False)))
    with pytest.raises(SubmitFailed):
        await rig.submit("slow", token="slow-one")
    rig.device.faults.add(Fault(Command("AT+CMGS"), Delay(12.0)))

    assert await rig.submit("next", token="next-one") == 1

    await rig.until(lambda: bool(rig.gateway.late), 30)
    assert rig.gateway.late == [("slow-one", 0)]


async def test_proof_is_offered_until_the_gateway_takes_it(rig: Rig) -> None:
    await rig.ready()
    refusals = 3
    take = rig.gateway.late_submit

    async def late_submit(modem: object, token: str | None, mr: int | None) -> None:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise OSError("disk full")
        await take(rig.modem, token, mr)

    rig.gateway.late_submit = late_submit  # type: ignore[method-assign]
    rig.device.faults.add(Fault(Command("AT+CMGS"), Delay(190.0)))
    with pytest.raises(SubmitFailed):
        await rig.submit(token="slow-one")

    await rig.until(lambda: bool(rig.gateway.late), 60)

    assert rig.gateway.late == [("slow-one", 0)]


async def test_a_reference_without_its_ok_is_success(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Drop("final")))

    assert await rig.submit() == 0
    assert await rig.submit("next") == 1


async def test_a_port_lost_between_reference_and_ok_is_success(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Unplug("final", accepted=True, back=5.0)))

    assert await rig.submit() == 0


@pytest.mark.parametrize("point", ["command", "prompt", "payload"])
async def test_a_port_lost_before_the_message_is_not_sent(rig: Rig, point: str) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Unplug(point, back=5.0)))  # type: ignore[arg-type]

    failure = await failure_of(rig)

    # At "payload" the whole message is written in one go, so only the modem knows that its end was cut off.
    assert failure.kind is (UNCERTAIN if point == "payload" else NOT_SENT)
    assert rig.sent == []
    assert await rig.until_state("absent", 2) < 2
    await rig.until_state("registered")
    assert await rig.submit("next") is not None


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_port_lost_after_the_message_is_uncertain(rig: Rig, accepted: bool) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Unplug("submitted", accepted=accepted, back=5.0)))

    failure = await failure_of(rig)

    assert failure.kind is UNCERTAIN
    assert rig.sent == ["hello"] * accepted


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_restart_after_the_message_is_uncertain_at_once(rig: Rig, accepted: bool) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Reboot("submitted", accepted=accepted)))
    loop = asyncio.get_running_loop()
    start = loop.time()

    failure = await failure_of(rig)

    assert failure.kind is UNCERTAIN
    assert loop.time() - start < 10, "the modem's first line after the restart ends the wait"
    await rig.until_state("registered", 60)
    assert rig.device.settings.cnmi == (2, 1, 0, 1, 0)
    assert await rig.submit("next") is not None


async def test_a_restart_at_the_prompt_is_not_sent(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Reboot("prompt")))

    failure = await failure_of(rig)

    assert failure.kind in {NOT_SENT, UNCERTAIN}
    assert rig.sent == []


async def test_a_readiness_line_during_a_message_does_not_end_it(rig: Rig) -> None:
    await rig.ready()
    rig.device.faults.add(Fault(Command("AT+CMGS"), Stray("SMS Ready", "payload")))

    assert await rig.submit() == 0


async def test_a_ring_and_a_report_during_a_message_do_not_disturb_it(rig: Rig) -> None:
    await rig.ready()
    for line, where in (("RING", "prompt"), ('+CMTI: "ME",3', "payload"), ("^RSSI: 20", "info")):
        rig.device.faults.add(Fault(Command("AT+CMGS"), Stray(line, where)))  # type: ignore[arg-type]

    assert await rig.submit() == 0
    assert rig.sent == ["hello"]


async def test_a_length_that_does_not_fit_is_our_fault_and_not_sent(rig: Rig) -> None:
    await rig.ready()

    with pytest.raises(SubmitFailed) as caught:
        await rig.modem.submit(
            "0001000B915155100021F30000" + "05E8329BFD06", 99, token="t", before_payload=lambda: asyncio.sleep(0)
        )

    assert (caught.value.kind, caught.value.cms, caught.value.policy) == (NOT_SENT, 304, "P")


async def test_what_is_no_pdu_never_reaches_the_modem(rig: Rig) -> None:
    await rig.ready()
    before = len(rig.device.heard)

    with pytest.raises(SubmitFailed) as caught:
        await rig.modem.submit("00\x1aAT", 9, token="t", before_payload=lambda: asyncio.sleep(0))

    assert (caught.value.kind, caught.value.policy) == (NOT_SENT, "P")
    assert len(rig.device.heard) == before


async def test_a_modem_that_is_not_ready_takes_nothing(rig: Rig) -> None:
    rig.start()

    failure = await failure_of(rig)

    assert (failure.kind, failure.policy) == (NOT_SENT, "N")
    assert rig.sent == []


async def test_without_a_network_nothing_is_tried(rig: Rig) -> None:
    await rig.ready()
    rig.device.radio.set(2)
    await rig.until_state("searching", 5)

    failure = await failure_of(rig)

    assert (failure.kind, failure.policy) == (NOT_SENT, "N")
    assert not rig.commands("AT+CMGS")


async def test_two_senders_take_turns(rig: Rig) -> None:
    await rig.ready()

    assert sorted(await asyncio.gather(*(rig.submit(f"{n}") for n in range(5)))) == [0, 1, 2, 3, 4]  # type: ignore[type-var]


async def test_a_caller_that_gives_up_after_the_prompt_gets_the_outcome_as_late(rig: Rig) -> None:
    await rig.ready()
    sending = asyncio.ensure_future(rig.submit(token="given-up"))
    await rig.until(lambda: rig.device.submits_seen == 1, 5)

    sending.cancel()
    await rig.until(lambda: bool(rig.gateway.late), 10)

    assert rig.gateway.late == [("given-up", 0)]


async def test_a_profile_can_know_more_codes(make_rig: MakeRig, tmp_path: object) -> None:
    rig = make_rig()
    generic = Profiles.load().generic
    rig.profiles = Profiles({"generic": _with_results(generic, refused=("CMS 512", "CME 30"), not_sent=("CMS 515",))})
    await rig.ready()

    outcomes = []
    for answer in ("+CMS ERROR: 512", "+CME ERROR: 30", "+CMS ERROR: 515", "+CMS ERROR: 513"):
        rig.device.faults.add(Fault(Command("AT+CMGS"), Error(answer)))
        outcomes.append((await failure_of(rig)).kind)

    assert outcomes == [REFUSED, REFUSED, NOT_SENT, UNCERTAIN]


@pytest.mark.parametrize("prompt", ["\r\n>", "\r\n>\r\n", "\r\n> "])
@pytest.mark.parametrize("echoing", [False, True])
async def test_every_form_of_the_prompt(make_rig: MakeRig, prompt: str, echoing: bool) -> None:
    rig = make_rig(persona(line={"prompt": prompt, "echo_payload": echoing, "echo_ctrl_z": echoing}))
    await rig.ready()

    assert [await rig.submit(), await rig.submit()] == [0, 1]


def _with_results(profile: object, **codes: tuple[str, ...]) -> object:
    from dataclasses import replace  # noqa: PLC0415

    return replace(profile, results=replace(profile.results, **codes))  # type: ignore[attr-defined,type-var]
