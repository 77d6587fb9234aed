"""The 7-bit alphabets, held against the rows of 23.038, and text ↔ septets.

The rows are written here as the characters themselves; the module under test builds most of them from code charts,
so the two ways of writing check each other. `·` stands for a septet without a meaning, `⎋` for the escape.
"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemgw.pdu import gsm7, septets
from modemgw.pdu.errors import PduError
from modemgw.pdu.gsm7_tables import DEFAULT, EXTENSION, LOCKING, SINGLE

_LATIN = "abcdefghijklmnopqrstuvwxyz"
_LOCKING_ROWS = {
    1: "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ⎋ŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§ç"
    f"{_LATIN}äöñüà",
    3: "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|⎋ÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~"
    f"{_LATIN}ãõ`üà",
    4: f"ঁংঃঅআইঈউঊঋ\nঌ·\r·এঐ··ওঔকখগঘঙচ⎋ছজঝঞ !টঠডঢণত)(থদ,ধ.ন0123456789:;·পফ?বভমযর·ল···শষসহ়ঽািীুূৃৄ··েৈ··োৌ্ৎ{_LATIN}ৗড়ঢ়ৰৱ",
    5: f"ઁંઃઅઆઇઈઉઊઋ\nઌઍ\r·એઐઑ·ઓઔકખગઘઙચ⎋છજઝઞ !ટઠડઢણત)(થદ,ધ.ન0123456789:;·પફ?બભમયર·લળ·વશષસહ઼ઽાિીુૂૃૄૅ·ેૈૉ·ોૌ્ૐ{_LATIN}ૠૡૢૣ૱",
    6: f"ँंःअआइईउऊऋ\nऌऍ\rऎएऐऑऒओऔकखगघङच⎋छजझञ !टठडढणत)(थद,ध.न0123456789:;ऩपफ?बभमयरऱलळऴवशषसह़ऽािीुूृॄॅॆेैॉॊोौ्ॐ{_LATIN}ॲॻॼॾॿ",
    7: f"·ಂಃಅಆಇಈಉಊಋ\nಌ·\rಎಏಐ·ಒಓಔಕಖಗಘಙಚ⎋ಛಜಝಞ !ಟಠಡಢಣತ)(ಥದ,ಧ.ನ0123456789:;·ಪಫ?ಬಭಮಯರಱಲಳ·ವಶಷಸಹ಼ಽಾಿೀುೂೃೄ·ೆೇೈ·ೊೋೌ್ೕ{_LATIN}ೖೠೡೢೣ",
    8: f"·ംഃഅആഇഈഉഊഋ\nഌ·\rഎഏഐ·ഒഓഔകഖഗഘങച⎋ഛജഝഞ !ടഠഡഢണത)(ഥദ,ധ.ന0123456789:;·പഫ?ബഭമയരറലളഴവശഷസഹ·ഽാിീുൂൃൄ·െേൈ·ൊോൌ്ൗ{_LATIN}ൠൡൢൣ൹",
    9: f"ଁଂଃଅଆଇଈଉଊଋ\nଌ·\r·ଏଐ··ଓଔକଖଗଘଙଚ⎋ଛଜଝଞ !ଟଠଡଢଣତ)(ଥଦ,ଧ.ନ0123456789:;·ପଫ?ବଭମଯର·ଲଳ·ଵଶଷସହ଼ଽାିୀୁୂୃୄ··େୈ··ୋୌ୍ୖ{_LATIN}ୗୠୡୢୣ",
    10: f"ਁਂਃਅਆਇਈਉਊ·\n··\r·ਏਐ··ਓਔਕਖਗਘਙਚ⎋ਛਜਝਞ !ਟਠਡਢਣਤ)(ਥਦ,ਧ.ਨ0123456789:;·ਪਫ?ਬਭਮਯਰ·ਲਲ਼·ਵਸ਼·ਸਹ਼·ਾਿੀੁੂ····ੇੈ··ੋੌ੍ੑ{_LATIN}ੰੱੲੳੴ",
    11: f"·ஂஃஅஆஇஈஉஊ·\n··\rஎஏஐ·ஒஓஔக···ஙச⎋·ஜ·ஞ !ட···ணத)(··,·.ந0123456789:;னப·?··மயரறலளழவஶஷஸஹ··ாிீுூ···ெேை·ொோௌ்ௐ{_LATIN}ௗ௰௱௲௹",
    12: f"ఁంఃఅఆఇఈఉఊఋ\nఌ·\rఎఏఐ·ఒఓఔకఖగఘఙచ⎋ఛజఝఞ !టఠడఢణత)(థద,ధ.న0123456789:;·పఫ?బభమయరఱలళ·వశషసహ·ఽాిీుూృౄ·ెేై·ొోౌ్ౕ{_LATIN}ౖౠౡౢౣ",
    13: "اآبٻڀپڦتۂٿ\nٹٽ\rٺټثجځڄڃڅچڇحخد⎋ڌڈډڊ !ڏڍذرڑړ)(ڙز,ږ.ژ0123456789:;ښسش?صضطظعفقکڪګگڳڱلمنںڻڼوۄەہھءیېے"
    f"\u064d\u0650\u064f\u0657\u0654{_LATIN}\u0655\u0651\u0653\u0656\u0670",
}
_SHIFTED = "@£$¥¿\"¤%&'\f*+·-/<=>¡^¡_#*"
_TAIL = f"[~]·|{_LATIN.upper()}··········€··························"
_SINGLE_ROWS = {
    1: "··········\f·········^···················{}·····\\············[~]·|······Ğ·İ·········Ş···············ç·€·ğ·ı"
    "·········ş············",
    2: "·········ç\f·········^···················{}·····\\············[~]·|Á·······Í·····Ó·····Ú···········á···€···í"
    "·····ó·····ú··········",
    3: "·····ê···ç\fÔô·Áá··ΦΓ^ΩΠΨΣΘ·····Ê········{}·····\\············[~]·|À·······Í·····Ó·····Ú·····ÃÕ····Â···€···í"
    "·····ó·····ú·····ãõ··â",
    4: f"{_SHIFTED}০১·২৩৪৫৬৭৮৯য়ৠৡৢ{{}}ৣ৲৳৴৵\\৶৷৸৹৺·······{_TAIL}",
    5: f"{_SHIFTED}।॥·૦૧૨૩૪૫૬૭૮૯··{{}}·····\\············{_TAIL}",
    6: f"{_SHIFTED}।॥·०१२३४५६७८९\u0951\u0952{{}}\u0953\u0954क़ख़ग़\\ज़ड़ढ़फ़य़ॠॡॢॣ॰ॱ·{_TAIL}",
    7: f"{_SHIFTED}।॥·೦೧೨೩೪೫೬೭೮೯ೞೱ{{}}ೲ····\\············{_TAIL}",
    8: f"{_SHIFTED}।॥·൦൧൨൩൪൫൬൭൮൯൰൱{{}}൲൳൴൵ൺ\\ൻർൽൾൿ·······{_TAIL}",
    9: f"{_SHIFTED}।॥·୦୧୨୩୪୫୬୭୮୯ଡ଼ଢ଼{{}}ୟ୰ୱ··\\············{_TAIL}",
    10: f"{_SHIFTED}।॥·੦੧੨੩੪੫੬੭੮੯ਖ਼ਗ਼{{}}ਜ਼ੜਫ਼ੵ·\\············{_TAIL}",
    11: f"{_SHIFTED}।॥·௦௧௨௩௪௫௬௭௮௯௳௴{{}}௵௶௷௸௺\\············{_TAIL}",
    12: f"{_SHIFTED}···౦౧౨౩౪౫౬౭౮౯ౘౙ{{}}౸౹౺౻౼\\౽౾౿·········{_TAIL}",
    13: f"{_SHIFTED}\u0600\u0601·۰۱۲۳۴۵۶۷۸۹،؍{{}}؎؏\u0610\u0611\u0612\\\u0613\u0614\u061b\u061f\u0640\u0652\u0658٫٬ٲٳۍ"
    + _TAIL.replace("]·", "]۔"),
}


def spelled(text: str) -> str:
    """Letters with a dot below and the like may stand in one or two code points in the rows above."""
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize("language", [*_LOCKING_ROWS])
def test_locking_tables(language: int) -> None:
    table = LOCKING[language]
    assert len(table) == 128
    assert spelled(table.replace("\0", "·").replace("\x1b", "⎋")) == spelled(_LOCKING_ROWS[language])


@pytest.mark.parametrize("language", [*_SINGLE_ROWS])
def test_single_shift_tables(language: int) -> None:
    row = "".join(SINGLE[language].get(septet, "·") for septet in range(128))
    assert spelled(row) == spelled(_SINGLE_ROWS[language])


def test_every_language_is_there_and_spanish_has_no_locking_table() -> None:
    assert sorted(LOCKING) == [1, *range(3, 14)]
    assert sorted(SINGLE) == [*range(1, 14)]


@pytest.mark.parametrize("table", [DEFAULT, *LOCKING.values()])
def test_a_main_table_names_no_character_twice(table: str) -> None:
    said = [char for char in table if char != "\0"]
    assert len(said) == len(set(said))
    assert (table[0x0A], table[0x0D], table[0x1B], table[0x20]) == ("\n", "\r", "\x1b", " ")


@pytest.mark.parametrize("locking", [0, *LOCKING])
@pytest.mark.parametrize("single", [0, *SINGLE])
def test_all_that_the_tables_say_comes_back(locking: int, single: int) -> None:
    main = LOCKING.get(locking, DEFAULT)
    text = "".join(char for char in main if char not in "\0\x1b") + "".join(SINGLE.get(single, EXTENSION).values())
    values = gsm7.encode(text, "TP-UD", locking, single)
    assert max(values) < 128
    assert gsm7.decode(values, locking, single) == text


def test_an_unknown_language_is_the_default_alphabet() -> None:
    assert gsm7.decode(b"\x40\x1b\x65", 99, 200) == "¡€"


def test_a_septet_without_meaning_is_a_space() -> None:
    assert gsm7.decode(b"\x00\x01", 11) == " ஂ"


def test_behind_an_escape_the_locking_table_stands_in() -> None:
    assert gsm7.decode(b"\x1b\x03", 6) == "अ"
    assert gsm7.decode(b"\x1b\x0d", 0, 1) == "\r"


@given(st.binary(max_size=160), st.integers(0, 255), st.integers(0, 255))
def test_decoding_never_fails(octets: bytes, locking: int, single: int) -> None:
    text = gsm7.decode(bytes(octet & 0x7F for octet in octets), locking, single)
    assert len(text) <= len(octets)
    text.encode()


@given(st.text(max_size=40))
def test_costs_add_up_to_the_septets_used(text: str) -> None:
    if gsm7.missing(text):
        with pytest.raises(PduError):
            gsm7.encode(text, "TP-UD")
    else:
        values = gsm7.encode(text, "TP-UD")
        assert sum(map(gsm7.cost, text)) == len(values)
        assert gsm7.decode(values) == text


def test_what_is_missing_is_told_once_and_in_order() -> None:
    assert gsm7.missing("añ😀`b😀ç") == ("😀", "`", "ç")


def test_the_error_names_code_points_and_not_the_text() -> None:
    with pytest.raises(PduError, match=r"U\+0060, U\+1F600$") as caught:
        gsm7.encode("secret `😀", "TP-UD")
    assert "secret" not in str(caught.value)


def _one_by_one(octets: bytes, count: int, fill_bits: int) -> bytes:
    value = int.from_bytes(octets, "little") >> fill_bits
    return bytes(value >> 7 * n & 0x7F for n in range(count))


@given(st.binary(max_size=300).map(lambda b: bytes(octet & 0x7F for octet in b)), st.integers(0, 6))
def test_septets_pack_and_unpack(values: bytes, fill_bits: int) -> None:
    octets = septets.pack(values, fill_bits)
    assert len(octets) == (7 * len(values) + fill_bits + 7) // 8
    assert septets.unpack(octets, len(values), fill_bits) == values
    assert _one_by_one(octets, len(values), fill_bits) == values


def test_more_septets_than_any_field_has_are_refused() -> None:
    assert septets.unpack(septets.pack(b"\x7f" * 512), 512) == b"\x7f" * 512
    with pytest.raises(PduError):
        septets.pack(bytes(513))
    with pytest.raises(PduError):
        septets.unpack(bytes(449), 513)


@given(st.binary(max_size=300), st.integers(0, 6))
def test_unpacking_takes_what_was_announced_and_no_more(octets: bytes, fill_bits: int) -> None:
    count = max(0, (len(octets) * 8 - fill_bits) // 7)
    assert septets.unpack(octets, count, fill_bits) == _one_by_one(octets, count, fill_bits)
    assert septets.unpack(octets, count // 2, fill_bits) == _one_by_one(octets, count // 2, fill_bits)
