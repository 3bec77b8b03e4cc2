"""The topics as an interface of their own: what must not be on them does no harm, and no reply goes astray."""

import os
import time

import pytest

from client import problem, unknown_id
from servers.waiting import wait_until
from topics import deadline_in, read_all, session_key


@pytest.fixture
def message(contract):
    return contract.message


def well(account):
    """Each service answers as ever."""
    assert account.get("/auth/me").status_code == 200
    document = account.create()
    assert account.read(document["id"]) == document
    assert account.search("melon") == []


TOPICS = ["quire.session", "quire.session.password", "quire.documents.read", "quire.documents.write", "quire.documents.bulk", "quire.query"]


def test_a_call_by_topic_is_a_call(caller, account, message):
    reply = caller.call("quire.session", "quire.Session/Me", message("MeRequest")(), token=account.token)
    assert reply.status in (None, 200)
    assert message("Account").FromString(reply.value).email == account.email
    assert reply.headers["kafka_correlationId"][:16] == caller.instance


def refused(reply, contract, status=None):
    assert reply.status >= 400 and (status is None or reply.status == status), reply.status
    members = contract.message("Problem").FromString(reply.value)
    assert members.status == reply.status
    return members


@pytest.mark.parametrize("topic", TOPICS)
def test_an_unknown_method_is_answered_and_harms_nobody(caller, account, contract, topic):
    refused(caller.call(topic, "quire.Nobody/Nothing", b"", token=account.token), contract)
    refused(caller.call(topic, "", b"", token=account.token), contract)
    refused(caller.call(topic, "x" * 10_000, b"", token=account.token), contract)
    well(account)


def test_a_method_of_another_lane_or_service_is_none(caller, account, contract, message):
    refused(caller.call("quire.documents.read", "quire.Session/Me", message("MeRequest")(), token=account.token), contract)
    create = message("CreateDocumentRequest")(title="t", content="c")
    reply = caller.call("quire.documents.read", "quire.Documents/Create", create, token=account.token)
    assert reply.status is not None and reply.status >= 400
    assert account.listed() == []


@pytest.mark.parametrize("topic, method", [("quire.session", "quire.Session/DeleteSession"), ("quire.session.password", "quire.Session/LogIn"),
                                           ("quire.documents.write", "quire.Documents/Create"), ("quire.documents.bulk", "quire.Documents/Create"),
                                           ("quire.documents.read", "quire.Documents/Get"), ("quire.query", "quire.Query/Search")])
@pytest.mark.parametrize("payload", [b"\xff" * 40, b"\x0a\xff\xff\xff\xff\x0f", b"\x00", os.urandom(5000)], ids=["ones", "length", "tag", "random"])
def test_a_garbage_payload_is_answered_and_harms_nobody(caller, account, contract, topic, method, payload):
    refused(caller.call(topic, method, payload, token=account.token), contract)
    assert account.get("/auth/me").status_code == 200
    assert account.listed() == []


def test_fields_that_the_gateway_would_refuse_are_refused(caller, account, contract, message):
    """A topic is no way around the contract: whatever the answer, there is no effect."""
    for topic, method, value in [
        ("quire.documents.read", "quire.Documents/Get", message("GetDocumentRequest")()),
        ("quire.documents.read", "quire.Documents/Get", message("GetDocumentRequest")(id=b"short")),
        ("quire.documents.write", "quire.Documents/Create", message("CreateDocumentRequest")()),
        ("quire.documents.write", "quire.Documents/Create", message("CreateDocumentRequest")(title="t", content="c", metadata="{no json")),
        ("quire.documents.write", "quire.Documents/CreateBatch", message("CreateBatchRequest")()),
        ("quire.query", "quire.Query/Search", message("SearchRequest")()),
        ("quire.session.password", "quire.Session/LogIn", message("LogInRequest")()),
        ("quire.session.password", "quire.Session/SignUp", message("SignUpRequest")(email="a@b.cd", password=b"not sealed")),
    ]:
        reply = caller.call(topic, method, value, token=account.token)
        assert reply.status is not None and 400 <= reply.status <= 500, (method, reply.status)
    assert account.listed() == []


def test_an_expired_deadline_has_no_effect(caller, account, message):
    create = message("CreateDocumentRequest")(title="late", content="late")
    for expired in (deadline_in(-1), deadline_in(-3600), (0).to_bytes(8)):
        headers = caller.headers("quire.Documents/Create", caller.correlation(), token=account.token)
        headers["quire-deadline"] = expired
        caller.send("quire.documents.write", create, headers)
    well(account)
    assert [document["title"] for document in account.listed()] == ["A title"]


def test_a_deadline_far_ahead_is_cut_and_harms_nobody(caller, account, message):
    headers = caller.headers("quire.Session/Me", correlation := caller.correlation(), token=account.token)
    headers["quire-deadline"] = b"\xff" * 8
    caller.send("quire.session", message("MeRequest")(), headers)
    caller.reply(correlation, 1)
    well(account)


def test_headers_that_are_missing_or_wrong_harm_nobody(caller, account, message):
    me = message("MeRequest")()
    for missing in ("kafka_correlationId", "kafka_replyTopic", "kafka_replyPartition", "x-request-id", "quire-method", "quire-deadline", "quire-client",
                    "quire-bulk-reply-topic"):
        headers = caller.headers("quire.Session/Me", caller.correlation(), token=account.token)
        del headers[missing]
        caller.send("quire.session", me, headers)
    for name, value in [("kafka_replyTopic", b"no.such.topic"), ("kafka_replyTopic", b"\xff\x00"), ("kafka_replyTopic", b"x" * 300), ("kafka_replyPartition", b"\xff\xff\xff\xff"),
                        ("kafka_replyPartition", b"\x7f\xff\xff\xff"), ("kafka_replyPartition", b"1"), ("quire-deadline", b"soon"), ("quire-session", b"short"),
                        ("quire-session", b"x" * 35), ("x-request-id", b"\xff\n\x00"), ("x-request-id", b"x" * 100_000), ("kafka_correlationId", b""),
                        ("kafka_correlationId", b"x" * 1000), ("traceparent", b"\x00")]:
        headers = caller.headers("quire.Session/Me", caller.correlation(), token=account.token)
        headers[name] = value
        caller.send("quire.session", me, headers)
    caller.producer.produce("quire.session", None)
    caller.producer.produce("quire.session", b"x", key=b"y")
    assert caller.producer.flush(10) == 0
    well(account)


@pytest.mark.parametrize("token", [None, "A" * 46, "/" * 46], ids=["none", "unknown", "odd"])
def test_a_topic_lets_nobody_in_without_a_session(caller, account, contract, message, token):
    document = account.create()
    session = None if token is None else (b"\0" * 34 if token.startswith("/") else session_key(token))
    for topic, method, value in [("quire.session", "quire.Session/Me", message("MeRequest")()),
                                 ("quire.documents.write", "quire.Documents/Create", message("CreateDocumentRequest")(title="t", content="c")),
                                 ("quire.query", "quire.Query/Search", message("SearchRequest")(query="x"))]:
        reply = caller.call(topic, method, value, quire_session=session)
        refused(reply, contract, 401)
    assert [item["id"] for item in account.listed()] == [document["id"]]


def test_a_sealed_password_opens_nothing_in_another_message(stack, account, caller, contract, message):
    """Who reads the topics copies a log-in, puts in a token of his own and sends it again."""
    request_id = f"seal-{unknown_id()}"
    assert account.post("/auth/login", {"email": account.email, "password": account.password}, headers={"X-Request-ID": request_id}).status_code == 200
    copied, = [found for found in read_all(stack.kafka.brokers, ["quire.session.password"]) if ("x-request-id", request_id.encode()) in found.headers()]
    request = message("LogInRequest").FromString(copied.value())
    stolen = "AA" + "x" * 44
    request.token_hash = request.token_hash[:2] + session_key(stolen)[2:]
    original = dict(copied.headers())
    for correlation, deadline in [(caller.correlation(), deadline_in(5)), (caller.correlation(), original["quire-deadline"])]:
        headers = caller.headers("quire.Session/LogIn", correlation)
        headers["quire-deadline"] = deadline
        caller.send("quire.session.password", request, headers)
        reply = caller.reply(correlation, 3)
        assert reply is None or reply.status >= 400
    assert len(account.get("/auth/sessions").json()["items"]) == 2


def test_replies_for_nobody_harm_no_gateway(stack, account, caller):
    """A reply with a correlation id that nobody waits for, or with none, or garbage, on every reply partition."""
    for partition in range(64):
        for headers in ([("kafka_correlationId", os.urandom(28)), ("quire-status", b"200")], [], [("kafka_correlationId", b"x")],
                        [("kafka_correlationId", b""), ("quire-status", b"\xff")]):
            for topic in ("quire.replies", "quire.replies.bulk"):
                caller.producer.produce(topic, b"garbage", headers=headers, partition=partition)
    assert caller.producer.flush(10) == 0
    for gateway in stack.gateways:
        there = account.at(gateway)
        well(account)
        assert there.get("/auth/me").status_code == 200


def test_a_malformed_reply_is_500_and_tells_nothing(stack, account, caller):
    """A consumer that answers nonsense: its caller gets a problem, the gateway lives."""
    for instance_gateway in stack.gateways:
        api = account.at(instance_gateway)
        stack.query.pause()
        try:
            from concurrent.futures import ThreadPoolExecutor
            request_id = f"nonsense-{unknown_id()}"
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(api.post, "/query", {"query": "x"}, headers={"X-Request-ID": request_id})
                found = wait_until(lambda: [one for one in read_all(stack.kafka.brokers, ["quire.query"])
                                            if ("x-request-id", request_id.encode()) in one.headers()], 5)[0]
                headers = dict(found.headers())
                caller.producer.produce(headers["kafka_replyTopic"].decode(), b"\xff\xff\xff nonsense", partition=int.from_bytes(headers["kafka_replyPartition"]),
                                        headers=[("kafka_correlationId", headers["kafka_correlationId"]), ("quire-status", b"200")])
                caller.producer.flush(10)
                problem(asked.result(), asked.result().status_code)
                assert asked.result().status_code in (500, 502)
        finally:
            stack.query.resume()
        time.sleep(0)
        assert api.get("/auth/me").status_code == 200
