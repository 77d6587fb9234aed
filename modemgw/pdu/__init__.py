"""The SMS codec: 3GPP TS 23.040 (TPDUs) and TS 23.038 (alphabets). Pure: octets in, frozen values out.

Rules: nothing here does I/O or asks for the time; the only exception for bad input, in either direction, is
`errors.PduError`; no function recurses; what is decoded is bounded by the length octets of the TPDU.

Where to start: `decode.decode` (hex line of a modem → Decoded), `segment.plan` (text → Plan → [Submit]) and
`envelope.wrap` (TPDU → hex line and the length for AT+CMGS).

    errors      PduError(field, offset, reason)
    cursor      reading octets by length
    gsm7_tables default alphabet, extension, national languages (data)
    gsm7        text ↔ septet values
    septets     septet values ↔ packed octets
    semioctets  digits, two in an octet
    address     TP-OA, TP-DA, TP-RA and the SMSC address
    dcs         TP-DCS: alphabet, class, message waiting
    timestamp   TP-SCTS, TP-DT
    validity    TP-VP
    udh         information elements: concatenation, ports, languages
    userdata    TP-UD: header and text or octets
    tpdu        Submit, Deliver, StatusReport
    envelope    SMSC address + TPDU ↔ hex line
    decode      hex line → Decoded; explain() for machines, describe() for people
    encode      JSON values → hex lines (`modemgw encode`)
    status      TP-ST: what became of a message, in plain words
    clusters    where a user-perceived character begins
    segment     text → segments → Submits
    concat      parts → text
"""
