#include "base/kafka_access.h"

#define TEXT(name_, member, fallback_, secret_, about_)                                                                \
    {.name = name_,                                                                                                    \
     .type = QUIRE_SETTING_TEXT,                                                                                       \
     .offset = offsetof(struct quire_kafka_access, member),                                                            \
     .fallback = fallback_,                                                                                            \
     .secret = secret_,                                                                                                \
     .unit = "",                                                                                                       \
     .about = about_}

static const struct quire_setting settings[] = {
    TEXT("QUIRE_KAFKA_BROKERS", brokers, NULL, false, "Kafka's addresses, host:port with commas between."),
    TEXT("QUIRE_KAFKA_PROTOCOL", protocol, "plaintext", false,
         "How brokers are spoken to: plaintext, ssl, sasl_plaintext or sasl_ssl."),
    TEXT("QUIRE_KAFKA_CA", ca, "", false,
         "The authorities (PEM) that a broker's certificate must come from; the system's when empty."),
    TEXT("QUIRE_KAFKA_CERTIFICATE", certificate, "", false, "Our own certificate (PEM), where brokers ask for one."),
    TEXT("QUIRE_KAFKA_KEY", key, "", true, "Its private key (PEM)."),
    TEXT("QUIRE_KAFKA_SASL_MECHANISM", mechanism, "SCRAM-SHA-512", false,
         "How the name is proved: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN."),
    TEXT("QUIRE_KAFKA_USERNAME", username, "", false, "The name to log in to Kafka with (SASL)."),
    TEXT("QUIRE_KAFKA_PASSWORD", password, "", true, "Its password."),
};

/* What each security.protocol of librdkafka asks for. */
static const struct protocol {
    const char *name;
    bool tls, sasl;
} protocols[] = {
    {"plaintext", false, false},
    {"ssl", true, false},
    {"sasl_plaintext", false, true},
    {"sasl_ssl", true, true},
};

static const char *const mechanisms[] = {"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"};

struct quire_setting_table quire_kafka_access_settings(struct quire_kafka_access *access) {
    return (struct quire_setting_table){settings, sizeof(settings) / sizeof(settings[0]), access};
}

static bool given(const char *text) {
    return text[0] != '\0';
}

static const struct protocol *find_protocol(const char *name) {
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (strcmp(protocols[i].name, name) == 0)
            return &protocols[i];
    return NULL;
}

static bool mechanism_known(const char *name) {
    for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
        if (strcmp(mechanisms[i], name) == 0)
            return true;
    return false;
}

static bool check(bool fine, FILE *errors, const char *fault) {
    if (!fine)
        fprintf(errors, "%s\n", fault);
    return fine;
}

bool quire_kafka_access_check(const struct quire_kafka_access *access, FILE *errors) {
    const struct protocol *protocol = find_protocol(access->protocol);
    if (!check(protocol != NULL, errors,
               "QUIRE_KAFKA_PROTOCOL is neither plaintext, ssl, sasl_plaintext nor sasl_ssl."))
        return false;
    const bool tls_given = given(access->ca) || given(access->certificate) || given(access->key);
    const bool sasl_given = given(access->username) || given(access->password);
    bool fine = check(!protocol->sasl || (given(access->username) && given(access->password)), errors,
                      "QUIRE_KAFKA_PROTOCOL asks for SASL: QUIRE_KAFKA_USERNAME and QUIRE_KAFKA_PASSWORD are needed.");
    fine = check(mechanism_known(access->mechanism), errors,
                 "QUIRE_KAFKA_SASL_MECHANISM is neither SCRAM-SHA-512, SCRAM-SHA-256 nor PLAIN.") &&
           fine;
    fine = check(given(access->certificate) == given(access->key), errors,
                 "QUIRE_KAFKA_CERTIFICATE and QUIRE_KAFKA_KEY belong together.") &&
           fine;
    /* Who gives a certificate or a password believes that the way is safe. */
    fine = check(protocol->tls || !tls_given, errors,
                 "QUIRE_KAFKA_CA, _CERTIFICATE and _KEY have no use without TLS: QUIRE_KAFKA_PROTOCOL should be ssl or "
                 "sasl_ssl.") &&
           fine;
    return check(protocol->sasl || !sasl_given, errors,
                 "QUIRE_KAFKA_USERNAME and _PASSWORD have no use without SASL: QUIRE_KAFKA_PROTOCOL should be sasl_ssl "
                 "or sasl_plaintext.") &&
           fine;
}

size_t quire_kafka_access_properties(const struct quire_kafka_access *access,
                                     struct quire_kafka_property ret_properties[QUIRE_KAFKA_PROPERTIES_MAX]) {
    const struct protocol *protocol = find_protocol(access->protocol);
    const bool tls = protocol != NULL && protocol->tls, sasl = protocol != NULL && protocol->sasl;
    const struct {
        bool used;
        struct quire_kafka_property property;
    } all[] = {
        {true, {"bootstrap.servers", access->brokers}},
        {true, {"security.protocol", access->protocol}},
        {tls && given(access->ca), {"ssl.ca.pem", access->ca}},
        {tls && given(access->certificate), {"ssl.certificate.pem", access->certificate}},
        {tls && given(access->key), {"ssl.key.pem", access->key}},
        {sasl, {"sasl.mechanisms", access->mechanism}},
        {sasl, {"sasl.username", access->username}},
        {sasl, {"sasl.password", access->password}},
    };
    size_t count = 0;

    _Static_assert(sizeof(all) / sizeof(all[0]) <= QUIRE_KAFKA_PROPERTIES_MAX, "the caller's array holds all");
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].used)
            ret_properties[count++] = all[i].property;
    return count;
}
