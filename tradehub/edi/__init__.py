"""EDI codecs without I/O: X12 and EDIFACT interchanges to documents and back, under maps that are data (docs/maps.md).

``read`` gives messages with their documents and issues; ``message`` and ``write_interchange`` give bytes;
``acknowledge`` answers.
"""

from tradehub.edi.acknowledgement import acknowledge, answer_of
from tradehub.edi.answers import Acknowledged, Noted, acknowledged, interchange_acknowledged
from tradehub.edi.envelope import Delimiters, Group, Id, Interchange, ReadMessage, Verdict
from tradehub.edi.intake import Detected, Reading, detect, read
from tradehub.edi.maps import Map, MapStore
from tradehub.edi.outgoing import EnvelopeFacts, OutMessage, message, write_back, write_interchange
from tradehub.edi.paths import MapError
from tradehub.edi.segments import Fault, Issue, Position, Segment, Severity

__all__ = [
    "Acknowledged", "Delimiters", "Detected", "EnvelopeFacts", "Fault", "Group", "Id", "Interchange", "Issue", "Map",
    "MapError",
    "MapStore", "Noted", "OutMessage", "Position", "ReadMessage", "Reading", "Segment", "Severity", "Verdict", "acknowledge",
    "acknowledged",
    "answer_of", "detect", "interchange_acknowledged", "message", "read", "write_back", "write_interchange",
]  # fmt: skip
