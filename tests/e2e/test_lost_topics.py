"""Reply topics that are deleted and made anew under a gateway."""

import os

from servers.gateway import Gateway
from servers.waiting import wait_until

NAMES = {"QUIRE_REPLY_TOPIC": "quire.test.lost", "QUIRE_BULK_REPLY_TOPIC": "quire.test.lost.bulk"}
TOPICS = [{"name": name, "partitions": 4, "config": {}} for name in NAMES.values()]


def serves(gateway):
    return gateway.alive and gateway.ready()


def test_a_gateway_finds_its_reply_topics_again_or_ends_to_be_started_again(stack):
    """librdkafka may hold on to topics that are gone: the gateway would answer 503 for ever."""
    stack.kafka.create_topics(TOPICS)
    settings = {**stack.gateway_settings(), **NAMES, "QUIRE_REPLY_PARTITIONS": "4", "QUIRE_GATEWAY_STUCK_MS": "6000"}
    gateway = Gateway("gateway-lost", os.path.join(stack.folder, "gateway-lost"), settings).start()
    try:
        admin = stack.kafka.admin()  # kept: the futures fail when it is collected
        for future in admin.delete_topics(list(NAMES.values()), operation_timeout=30).values():
            future.result(30)
        wait_until(lambda: not gateway.ready(), 20, "the loss is noticed")
        stack.kafka.create_topics(TOPICS)
        wait_until(lambda: serves(gateway) or not gateway.alive, 60, "it serves again, or has ended")
        if not gateway.alive:
            assert gateway.process.returncode == 0 and gateway.log_contains("brokers answer, but no probe comes back")
            gateway.start()
        assert serves(gateway)
    finally:
        gateway.kill()
