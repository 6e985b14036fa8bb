"""Checks lines of DICOM audit messages against what PS3.15 A.5.1 says about elements, their order and attributes, and
their codes against pydicom's dictionary where it is there."""

import base64
import re
import sys
import xml.etree.ElementTree as ElementTree

try:
    from pydicom.sr.codedict import codes
    CODES = {code.value: code.meaning for code in (getattr(codes.DCM, name) for name in codes.DCM.dir())}
except ImportError:
    CODES = None

UID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+$")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
CODED = {"csd-code": None, "codeSystemName": None, "originalText": None}
NUMBERS = lambda last: {str(n) for n in range(1, last + 1)}

# name: (required attributes, optional attributes, children in order as (name, least, most)); a value of an attribute is
# None for any text, a set of allowed texts, or a pattern.
SCHEMA = {
    "AuditMessage": ({}, {}, [("EventIdentification", 1, 1), ("ActiveParticipant", 1, 99),
                              ("AuditSourceIdentification", 1, 1), ("ParticipantObjectIdentification", 0, 99)]),
    "EventIdentification": ({"EventDateTime": TIME, "EventOutcomeIndicator": {"0", "4", "8", "12"}},
                            {"EventActionCode": set("CRUDE")},
                            [("EventID", 1, 1), ("EventTypeCode", 0, 99), ("EventOutcomeDescription", 0, 1)]),
    "EventID": (CODED, {}, []), "EventTypeCode": (CODED, {}, []), "RoleIDCode": (CODED, {}, []),
    "ParticipantObjectIDTypeCode": (CODED, {}, []),
    "ActiveParticipant": ({"UserID": None, "UserIsRequestor": {"true", "false", "0", "1"}},
                          {"AlternativeUserID": None, "UserName": None, "NetworkAccessPointID": None,
                           "NetworkAccessPointTypeCode": NUMBERS(5)}, [("RoleIDCode", 0, 99)]),
    "AuditSourceIdentification": ({"AuditSourceID": None}, {"AuditEnterpriseSiteID": None},
                                  [("AuditSourceTypeCode", 0, 99)]),
    "AuditSourceTypeCode": ({"csd-code": NUMBERS(9)}, {}, []),
    "ParticipantObjectIdentification": (
        {"ParticipantObjectID": None},
        {"ParticipantObjectTypeCode": NUMBERS(4), "ParticipantObjectTypeCodeRole": NUMBERS(26),
         "ParticipantObjectDataLifeCycle": NUMBERS(15), "ParticipantObjectSensitivity": None},
        [("ParticipantObjectIDTypeCode", 1, 1), ("ParticipantObjectName", 1, 1), ("ParticipantObjectDetail", 0, 99),
         ("ParticipantObjectDescription", 0, 99)]),
    "ParticipantObjectName": ({}, {}, []),
    "ParticipantObjectDetail": ({"type": None, "value": None}, {}, []),
    "ParticipantObjectDescription": ({}, {}, [("SOPClass", 0, 99)]),
    "SOPClass": ({"NumberOfInstances": re.compile(r"\d+$")}, {"UID": UID}, [("Instance", 0, 999999)]),
    "Instance": ({"UID": UID}, {}, []),
}


def check(node):
    required, optional, children = SCHEMA[node.tag]
    for name, value in node.attrib.items():
        rule = {**required, **optional}[name]
        assert rule is None or (value in rule if isinstance(rule, set) else rule.match(value)), (node.tag, name, value)
    assert not set(required) - set(node.attrib), (node.tag, node.attrib)
    place = 0
    tags = [child.tag for child in node]
    for name, least, most in children:
        count = 0
        while place < len(tags) and tags[place] == name:
            place, count = place + 1, count + 1
        assert least <= count <= most, (node.tag, name, count)
    assert place == len(tags), (node.tag, tags)
    if CODES and node.get("codeSystemName") == "DCM":
        assert CODES[node.get("csd-code")] == node.get("originalText"), node.attrib
    if node.tag == "ParticipantObjectDetail":
        base64.b64decode(node.attrib["value"], validate=True).decode()
    for child in node:
        check(child)


count = 0
for line in sys.stdin.buffer:
    root = ElementTree.fromstring(line)
    assert root.tag == "AuditMessage"
    check(root)
    count += 1
print(count)
