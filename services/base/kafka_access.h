/* How a process gets in to Kafka: where the brokers are, and whether by TLS and SASL. One table of settings for the
 * gateway and every consumer, and the librdkafka properties that they mean; this room doesn't link librdkafka, so the
 * caller sets them. Filled once at start; constant from then on, any thread. */
#ifndef QUIRE_BASE_KAFKA_ACCESS_H
#define QUIRE_BASE_KAFKA_ACCESS_H

#include "base/config.h"

#define QUIRE_KAFKA_PROPERTIES_MAX 8u

struct quire_kafka_access {
    const char *brokers;
    const char *protocol;  /* plaintext, ssl, sasl_plaintext or sasl_ssl */
    const char *mechanism; /* of SASL */
    const char *username, *password;
    const char *ca, *certificate, *key; /* PEM texts; empty: the system's authorities, no certificate of our own */
};

/* The table that fills `access`. */
struct quire_setting_table quire_kafka_access_settings(struct quire_kafka_access *access);
/* What the table can't check: an unknown protocol, SASL without a name and password, one half of a key pair, secrets
 * that the protocol would not use. False after writing each fault to `errors`. */
QUIRE_MUSTCHECK bool quire_kafka_access_check(const struct quire_kafka_access *access, FILE *errors);

struct quire_kafka_property {
    const char *name, *value; /* librdkafka's CONFIGURATION.md; the value is the access' */
};
/* How many properties of `ret_properties` are filled in. Values of a secret are among them: no caller logs a value. */
size_t quire_kafka_access_properties(const struct quire_kafka_access *access,
                                     struct quire_kafka_property ret_properties[QUIRE_KAFKA_PROPERTIES_MAX]);

#endif
