"""How the tools get in to Kafka: the settings of services/base/kafka_access.h, with its rules, as properties of librdkafka."""

import os
import sys

# Each protocol of librdkafka, and whether it has TLS and SASL.
_PROTOCOLS = {"plaintext": (False, False), "ssl": (True, False), "sasl_plaintext": (False, True), "sasl_ssl": (True, True)}
_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


def kafka_properties() -> dict[str, str]:
    """Ends the process with every fault that the settings have. Among the values are secrets."""
    faults: list[str] = []
    brokers = _setting("QUIRE_KAFKA_BROKERS", faults)
    protocol = _setting("QUIRE_KAFKA_PROTOCOL", faults) or "plaintext"
    mechanism = _setting("QUIRE_KAFKA_SASL_MECHANISM", faults) or _MECHANISMS[0]
    for_tls = {"ssl.ca.pem": _setting("QUIRE_KAFKA_CA", faults), "ssl.certificate.pem": _setting("QUIRE_KAFKA_CERTIFICATE", faults),
               "ssl.key.pem": _setting("QUIRE_KAFKA_KEY", faults)}
    for_sasl = {"sasl.username": _setting("QUIRE_KAFKA_USERNAME", faults), "sasl.password": _setting("QUIRE_KAFKA_PASSWORD", faults)}
    if not brokers:
        faults.append("QUIRE_KAFKA_BROKERS is missing.")
    if protocol in _PROTOCOLS:
        faults += _contradictions(protocol, mechanism, for_tls, for_sasl)
    else:
        faults.append(f"QUIRE_KAFKA_PROTOCOL is none of {', '.join(_PROTOCOLS)}.")
    if faults:
        sys.exit("\n".join(faults))
    properties = {"bootstrap.servers": brokers, "security.protocol": protocol, **for_tls, **for_sasl}
    if for_sasl["sasl.username"]:
        properties["sasl.mechanisms"] = mechanism
    return {name: value for name, value in properties.items() if value}


def _setting(name: str, faults: list[str]) -> str:
    """The variable's text or that of the file which <name>_FILE names; empty when neither is given."""
    text, path = os.environ.get(name, ""), os.environ.get(f"{name}_FILE", "")
    if text and path:
        faults.append(f"{name} is given twice, by itself and by its file.")
    if not path:
        return text
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{name} can't be read from the file {path}: {error}")
        return ""


def _contradictions(protocol: str, mechanism: str, for_tls: dict[str, str], for_sasl: dict[str, str]) -> list[str]:
    tls, sasl = _PROTOCOLS[protocol]
    rules = {
        "QUIRE_KAFKA_PROTOCOL asks for SASL: QUIRE_KAFKA_USERNAME and QUIRE_KAFKA_PASSWORD are needed.": not sasl or all(for_sasl.values()),
        f"QUIRE_KAFKA_SASL_MECHANISM is none of {', '.join(_MECHANISMS)}.": mechanism in _MECHANISMS,
        "QUIRE_KAFKA_CERTIFICATE and QUIRE_KAFKA_KEY belong together.": bool(for_tls["ssl.certificate.pem"]) == bool(for_tls["ssl.key.pem"]),
        # Who gives a certificate or a password believes that the way is safe.
        "QUIRE_KAFKA_CA, _CERTIFICATE and _KEY have no use without TLS: QUIRE_KAFKA_PROTOCOL should be ssl or sasl_ssl.": tls or not any(for_tls.values()),
        "QUIRE_KAFKA_USERNAME and _PASSWORD have no use without SASL: QUIRE_KAFKA_PROTOCOL should be sasl_ssl or sasl_plaintext.":
            sasl or not any(for_sasl.values()),
    }
    return [fault for fault, kept in rules.items() if not kept]
