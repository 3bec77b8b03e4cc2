#include "base/kafka_access.h"

#include "unit/suite.h"

#include <stdio.h>
#include <stdlib.h>

static struct {
    struct quire_kafka_access access;
    char *errors;
} f;

static int set_up(void) {
    f.access = (struct quire_kafka_access){.brokers = "kafka:9092",
                                           .protocol = "plaintext",
                                           .mechanism = "SCRAM-SHA-512",
                                           .username = "",
                                           .password = "",
                                           .ca = "",
                                           .certificate = "",
                                           .key = ""};
    return 0;
}

static int tear_down(void) {
    free(f.errors);
    return 0;
}

static bool check(void) {
    size_t size = 0;
    free(f.errors);
    FILE *errors = open_memstream(&f.errors, &size);
    const bool good = quire_kafka_access_check(&f.access, errors);
    fclose(errors);
    return good;
}

/* NULL when the property isn't set. */
static const char *property(const char *name) {
    static struct quire_kafka_property properties[QUIRE_KAFKA_PROPERTIES_MAX];
    const size_t count = quire_kafka_access_properties(&f.access, properties);
    for (size_t i = 0; i < count; i++)
        if (strcmp(properties[i].name, name) == 0)
            return properties[i].value;
    return NULL;
}

/* Else the plainest deployment would ask librdkafka for what it was not told. */
static void plain_access_is_the_address_alone(void) {
    (void)set_up();
    CU_ASSERT_TRUE(check());
    CU_ASSERT_STRING_EQUAL(property("bootstrap.servers"), "kafka:9092");
    CU_ASSERT_STRING_EQUAL(property("security.protocol"), "plaintext");
    CU_ASSERT_PTR_NULL(property("sasl.mechanisms"));
    CU_ASSERT_PTR_NULL(property("ssl.ca.pem"));
}

static void tls_with_a_name_sets_all_of_it(void) {
    (void)set_up();
    f.access.protocol = "sasl_ssl";
    f.access.ca = "-----BEGIN CERTIFICATE-----";
    f.access.certificate = "ours";
    f.access.key = "its key";
    f.access.username = "quire";
    f.access.password = "secret";
    CU_ASSERT_TRUE(check());
    CU_ASSERT_STRING_EQUAL(property("ssl.ca.pem"), "-----BEGIN CERTIFICATE-----");
    CU_ASSERT_STRING_EQUAL(property("ssl.certificate.pem"), "ours");
    CU_ASSERT_STRING_EQUAL(property("ssl.key.pem"), "its key");
    CU_ASSERT_STRING_EQUAL(property("sasl.mechanisms"), "SCRAM-SHA-512");
    CU_ASSERT_STRING_EQUAL(property("sasl.username"), "quire");
    CU_ASSERT_STRING_EQUAL(property("sasl.password"), "secret");
}

static void unknown_words_are_refused(void) {
    (void)set_up();
    f.access.protocol = "tls";
    CU_ASSERT_FALSE(check());
    CU_ASSERT_PTR_NOT_NULL(strstr(f.errors, "QUIRE_KAFKA_PROTOCOL"));
    (void)set_up();
    f.access.mechanism = "scram";
    CU_ASSERT_FALSE(check());
    CU_ASSERT_PTR_NOT_NULL(strstr(f.errors, "QUIRE_KAFKA_SASL_MECHANISM"));
}

/* A password that is silently not used means that anybody may come in, and that nobody notices. */
static void what_the_protocol_would_not_use_is_refused(void) {
    (void)set_up();
    f.access.username = "quire";
    f.access.password = "secret";
    CU_ASSERT_FALSE(check());
    (void)set_up();
    f.access.protocol = "sasl_plaintext";
    f.access.username = "quire";
    f.access.password = "secret";
    CU_ASSERT_TRUE(check());
    f.access.ca = "-----BEGIN CERTIFICATE-----";
    CU_ASSERT_FALSE(check());
}

static void what_the_protocol_needs_must_be_there(void) {
    (void)set_up();
    f.access.protocol = "sasl_ssl";
    f.access.certificate = "ours";
    f.access.username = "quire";
    CU_ASSERT_FALSE(check());
    CU_ASSERT_PTR_NOT_NULL(strstr(f.errors, "QUIRE_KAFKA_PASSWORD"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.errors, "QUIRE_KAFKA_KEY")); /* all faults at once */
}

QUIRE_TEST_MAIN("kafka_access", set_up, tear_down,
                {"plain_access_is_the_address_alone", plain_access_is_the_address_alone},
                {"tls_with_a_name_sets_all_of_it", tls_with_a_name_sets_all_of_it},
                {"unknown_words_are_refused", unknown_words_are_refused},
                {"what_the_protocol_would_not_use_is_refused", what_the_protocol_would_not_use_is_refused},
                {"what_the_protocol_needs_must_be_there", what_the_protocol_needs_must_be_there})
