async def test_a_modem_by_the_book_becomes_ready(rig):
    rig.start()
    await rig.until_state("registered")
    print(rig.gateway.states, rig.modem.identity, rig.modem.sim, rig.modem.network, rig.modem.detail)
    print("\n".join(f"{h.at:.2f} {h.line}" for h in rig.device.heard))
    assert 0
