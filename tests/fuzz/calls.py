"""HTTP requests of both bindings, made at random: methods and routes, parameters, headers, paths and queries."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from apps.a2a.methods import METHODS as RPC_METHODS
from apps.a2a.operations import NEW, OLD, PUSH_CREATE, SEND, SEND_STREAM, SUBSCRIBE
from apps.a2a.rest_paths import METHODS as REST_METHODS
from apps.a2a.rest_paths import RestMethod
from apps.a2a.routes import JSONRPC_PATHS
from apps.core.extension import EXTENSION
from tests.api.a2a.grpc.protos import TEXTS
from tests.fuzz.shapes import NEW_METHODS, OLD_METHODS, Draw, Json, Texts, from_descriptor, old_params
from tests.fuzz.spoiling import spoilt_body

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Known:
    """What means something to the server: ids of tasks in various states, contexts, configs and roles."""

    token: str
    tasks: tuple[str, ...]
    contexts: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def texts(self) -> Texts:
        return st.sampled_from([*self.tasks, *self.contexts, *self.configs]) | TEXTS


@dataclass(frozen=True)
class Sent:
    """One request. `target` is the path with the query, as it goes over the wire; `method` is what it was made from."""

    binding: str
    method: str
    version: str
    verb: str
    target: bytes
    headers: Headers
    body: bytes


# JSON-RPC ------------------------------------------------------------------------------------------------------------

RPC_NAMES = sorted(RPC_METHODS)
NO_METHODS = ["", "tasks/list", "message/sen", "sendmessage", "rpc.discover", "x" * 500, "a\0b", "\ud800"]
ODD_IDS = ["r1", 1, 0, -1, "", None, 1.5, True, 2**63, 10**30, "x" * 1_001, [], {}, "\ud800", "a\0b"]
RPC_QUERY = st.sampled_from([""] * 4 + ["?A2A-Version=0.3", "?A2A-Version=9", "?last_event_id=%ff", "?a"])


@st.composite
def rpc_calls(draw: Any, known: Known) -> Sent:
    """Any call by JSON-RPC."""
    name = draw(st.sampled_from(RPC_NAMES))
    method = RPC_METHODS[name]
    params = _rpc_params(draw, name, method.version, known.texts)
    request_id = draw(st.sampled_from(ODD_IDS)) if draw(st.integers(0, 9)) == 5 else "r1"
    body: Json = {"jsonrpc": "2.0", "id": request_id, "method": name, "params": params}
    if draw(st.integers(0, 15)) == 7:
        body["method"] = draw(st.sampled_from(NO_METHODS))
    raw = spoilt_body(draw, body)
    agents = [f"/a2a/agents/{_quoted(role)}" for role in (*known.roles, *known.roles, "none")]
    path = draw(st.sampled_from([*JSONRPC_PATHS, *JSONRPC_PATHS, *agents]))
    verb = "POST" if draw(st.integers(0, 19)) != 9 else draw(VERBS)
    target = path + draw(RPC_QUERY)
    return Sent("JSON-RPC", name, method.version, verb, target.encode(), _headers(draw, known, method.version), raw)


def _rpc_params(draw: Draw, name: str, version: str, texts: Texts) -> Json:
    if version == OLD:
        params = old_params(draw, name, texts)
        part = {"kind": "text", "text": "Calculate 25 * 4"}
    else:
        params = from_descriptor(draw, NEW_METHODS[name].input_type, texts)
        part = {"text": "Calculate 25 * 4"}
    if RPC_METHODS[name].operation in (SEND, SEND_STREAM):
        _perhaps_say(draw, params, "user" if version == OLD else "ROLE_USER", {"parts": [part]})
    return params


def _perhaps_say(draw: Draw, params: Json, role: str, said: Json) -> None:
    """Often a message has something to say, so that what else it holds is looked at, too."""
    if not draw(st.booleans()):
        return
    message = params.setdefault("message", {})
    message.update(role=role, messageId=draw(st.uuids()).hex, **said)
    if draw(st.booleans()):
        for name in ("taskId", "task_id", "referenceTaskIds", "reference_task_ids"):
            message.pop(name, None)
    if draw(st.integers(0, 4)) != 2:
        params["configuration"] = {"returnImmediately": True}


# REST ----------------------------------------------------------------------------------------------------------------

VERBS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "QUERY", "BREW"])
SEGMENTS = [
    "none",
    "%2F",
    "..",
    "%2e%2e",
    "%00",
    "%ff",
    "%ED%A0%80",
    "%",
    "%zz",
    "a:cancel",
    ":",
    "~",
    "x" * 201,
    "+",
    "%20",
]
QUERIES = {
    "historyLength": ["0", "-1", "1.5", "9" * 10, "9" * 30, "%D9%A3", "x", "", "%00", "%ff", "1e3"],
    "pageSize": ["1", "0", "101", "-1", "9" * 30, "x"],
    "pageToken": ["x", "%ff", "====", "MjAyNg==", "eA" * 200],
    "status": ["TASK_STATE_COMPLETED", "working", "none", "%ff"],
    "statusTimestampAfter": ["2026-11-21T10:00:00Z", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "now"],
    "includeArtifacts": ["true", "1", "maybe", ""],
    "contextId": ["none", "%ff", "%ED%A0%80", "x" * 300],
    "A2A-Version": ["1.0", "0.3", "9"],
    "last_event_id": ["1", "-1", "1.1", "%ff"],
}
QUERY = st.sampled_from(
    [f"{name}={value}" for name, values in QUERIES.items() for value in values] + ["&", "=", "%", "a"]
)
_NAMES = {RPC_METHODS[name].operation: name for name in NEW_METHODS}
_OLD_NAMES = {SEND: "SendMessage", SEND_STREAM: "SendStreamingMessage", PUSH_CREATE: "CreateTaskPushNotificationConfig"}


def proto_name(method: RestMethod) -> str:
    """The method's name in the services of either version."""
    if method.version == OLD and method.operation == SUBSCRIBE:
        return "TaskSubscription"
    return _NAMES[method.operation]


@st.composite
def rest_calls(draw: Any, known: Known) -> Sent:
    """Any call by HTTP+JSON."""
    method = draw(st.sampled_from(REST_METHODS))
    verb = draw(st.sampled_from(method.verbs)) if draw(st.integers(0, 14)) != 7 else draw(VERBS)
    roles = [f"/a2a/agents/{_quoted(role)}/rest" for role in known.roles]
    bases = (
        ["/a2a/rest"] * 4 + ["/a2a", *roles] + (["/a2a/rest/acme", "/a2a/rest/%00"] if method.version == NEW else [])
    )
    target = draw(st.sampled_from(bases)) + _path(draw, method, known)
    if query := draw(st.lists(QUERY, max_size=2)):
        target += "?" + "&".join(query)
    body = spoilt_body(draw, _rest_body(draw, method, known.texts)) if verb not in ("GET", "HEAD") else b""
    headers = _headers(draw, known, method.version)
    return Sent("REST", proto_name(method), method.version, verb, target.encode(), headers, body)


def _path(draw: Draw, method: RestMethod, known: Known) -> str:
    path = method.path
    for name, values in (("{task_id}", known.tasks), ("{config_id}", known.configs)):
        if name in path:
            path = path.replace(name, draw(st.sampled_from([*map(_quoted, values * 4), *SEGMENTS])))
    return path + draw(st.sampled_from([""] * 12 + ["/", "//", "/more", "%2F", ":"]))


def _rest_body(draw: Draw, method: RestMethod, texts: Texts) -> Json:
    if method.version == NEW:
        body = from_descriptor(draw, NEW_METHODS[proto_name(method)].input_type, texts)
        said: Json = {"parts": [{"text": "Calculate 25 * 4"}]}
    elif method.operation in _OLD_NAMES:
        body = from_descriptor(draw, OLD_METHODS[_OLD_NAMES[method.operation]].input_type, texts)
        said = {"content": [{"text": "Calculate 25 * 4"}]}
    else:
        return {"name": draw(texts)}
    if method.operation in (SEND, SEND_STREAM):
        _perhaps_say(draw, body, "ROLE_USER", said)
    return body


def _quoted(text: str) -> str:
    return quote(text, safe="")


# Headers -------------------------------------------------------------------------------------------------------------

ODD_HEADERS = [
    (b"a2a-version", [b"1.0", b"0.3", b"1.0.1", b"", b"9.9", b"x" * 500, b"\xff", b"1", b"0.3, 1.0"]),
    (b"a2a-extensions", [EXTENSION.encode(), b"%s,,x" % EXTENSION.encode(), b"", b"\xff\xfe", b"," * 5_000]),
    (b"x-a2a-extensions", [EXTENSION.encode(), b"x"]),
    (b"last-event-id", [b"0", b"1", b"1.0", b"9999", b"-1", b"1.x", b"9" * 30, b"x" * 300, b"\xb2"]),
    (b"content-type", [b"text/plain", b"application/a2a+json", b"application/json; charset=utf-16", b"\xff", b""]),
    (b"accept", [b"application/json", b"text/event-stream", b"text/html", b"\xff", b"*/*;q=x"]),
    (b"user-agent", [b"python-httpx/0.28", b"", b"\xff"]),
    (b"x-request-id", [b"r-1", b"not plain!", b"\xff", b"x" * 100]),
    (b"content-encoding", [b"gzip", b"br"]),
    (b"idempotency-key", [b"k", b"", b"x" * 5_000, b"\xff"]),
    (b"host", [b"testserver", b"", b"localhost:99999999", b"[::1", b"a b", b"\xff"]),
    (b"cookie", [b"sessionid=x", b"sessionid=a\xffb", b";;==;"]),
    (b"x-forwarded-proto", [b"https", b"\xff"]),
    (b"authorization", [b"Bearer", b"Bearer none", b"Basic eDp5", b"\xff", b"Bearer \xff", b"Bearer " + b"x" * 9_000]),
]  # fmt: skip
ONE_HEADER = st.sampled_from([(name, value) for name, values in ODD_HEADERS for value in values])


def _headers(draw: Draw, known: Known, version: str) -> Headers:
    """Those of a good client, some of them twice or otherwise."""
    good = {
        b"host": b"localhost",
        b"authorization": f"Bearer {known.token}".encode(),
        b"content-type": b"application/json",
    }
    if draw(st.booleans()):
        good[b"a2a-version"] = version.encode()
    odd = draw(st.lists(ONE_HEADER, max_size=2)) if draw(st.booleans()) else []
    for name, value in odd:
        good[name] = value
    return tuple(good.items())
