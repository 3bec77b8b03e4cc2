"""What must be true at the end: every acknowledged write is there once, and so are its events, in order; what was not answered is there at
most once; nothing is there that nobody asked for. The events name the request that made each change, so they are the account book."""

from collections import defaultdict

from person import marker_of

CREATED, UPDATED, DELETED = 1, 2, 3
_KINDS = {"create": CREATED, "update": UPDATED, "delete": DELETED}


class Verdict:
    """Faults by the write that they concern, so that they can be counted where that write was sent."""

    def __init__(self):
        self.lost, self.doubled, self.other = {}, {}, []

    @property
    def faults(self):
        return [*self.lost.values(), *self.doubled.values(), *self.other]


def by_write(requests):
    """The requests that ask for the same change, together."""
    groups = defaultdict(list)
    for request in requests:
        if request.write is not None:
            groups[request.write].append(request)
    return groups


def judge(requests, events, documents, registered):
    """`events`: DocumentEvents in the order of their partitions. `documents`: account's e-mail -> {id: (version, title)} as stored.
    `registered`: e-mail -> number of accounts that have it."""
    verdict = Verdict()
    groups = by_write(requests)
    first_of = {request.id: request.write for request in requests if request.write is not None}
    changes = _changes(events, verdict)
    made = defaultdict(list)  # write -> the changes that it made
    for change in changes:
        write = first_of.get(change.request_id)
        if write is None:
            verdict.other.append(f"an event of {change.request_id}, which asked for no change")
        else:
            made[write].append(change)
    for name, group in groups.items():
        if group[0].kind == "register":
            _judge_registration(name, group, registered, verdict)
        else:
            _judge_write(name, group, made[name], verdict)
    _judge_documents(changes, documents, first_of, verdict)
    return verdict


def _changes(events, verdict):
    """The events without their repetitions; each document's must come in the order of its versions."""
    seen, changes, last = set(), [], {}
    for event in events:
        if event.sequence in seen:
            continue
        seen.add(event.sequence)
        changes.append(event)
        expected = last.get(event.document_id, 0) + (event.kind != DELETED)  # a deletion tells the version that it ended
        if event.version != expected:
            verdict.other.append(f"document {event.document_id}: event of version {event.version} where {expected} was to come")
        last[event.document_id] = event.version
    return changes


def _judge_write(name, group, made, verdict):
    acknowledged = [request for request in group if request.acknowledged]
    told = f"{group[0].kind} {name} ({', '.join(request.id for request in group)})"
    if acknowledged and not made:
        verdict.lost[name] = f"lost: {told} was acknowledged, and no event tells of it"
    if len(made) > 1:
        verdict.doubled[name] = f"doubled: {told} made {len(made)} changes"
    for change in made[:1]:
        if change.kind != _KINDS[group[0].kind]:
            verdict.other.append(f"{told} made a change of kind {change.kind}")
        for request in acknowledged:
            if request.answer and (request.answer["id"], request.answer["version"]) != (change.document_id, change.version):
                verdict.other.append(f"{told} was answered {request.answer}, and made version {change.version} of {change.document_id}")


def _judge_registration(email, group, registered, verdict):
    count = registered.get(email, 0)
    if count == 0 and any(request.acknowledged for request in group):
        verdict.lost[email] = f"lost: the registration of {email} was acknowledged, and is not there"
    if count > 1 or sum(request.acknowledged for request in group) > 1:
        verdict.doubled[email] = f"doubled: {count} accounts for {email}"


def _judge_documents(changes, documents, first_of, verdict):
    """What is stored is what the last event of each document says."""
    last = {change.document_id: change for change in changes}
    stored = {identity: (version, title) for each in documents.values() for identity, (version, title) in each.items()}
    for identity, (version, title) in stored.items():
        change = last.pop(identity, None)
        if change is None or change.kind == DELETED or change.version != version or title != marker_of(first_of.get(change.request_id, "")):
            verdict.other.append(f"document {identity} is stored as version {version}, {title}; its last event is "
                                 f"{change and (change.kind, change.version, change.request_id)}")
    for identity, change in last.items():
        if change.kind == DELETED:
            continue
        name = first_of.get(change.request_id, change.request_id)
        verdict.lost[name] = f"lost: document {identity} is not stored; its last event is version {change.version}, of {change.request_id}"
