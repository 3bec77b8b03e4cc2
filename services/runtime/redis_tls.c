#include "runtime/redis_tls.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define MS_NS UINT64_C(1000000)

struct quire_redis_tls {
    SSL_CTX *context;
};

static void tell(char ret_error[QUIRE_TLS_ERROR_CHARACTERS], const char *what) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    (void)snprintf(ret_error, QUIRE_TLS_ERROR_CHARACTERS, "%s%s%s", what, reason == NULL ? "" : ": ",
                   reason == NULL ? "" : reason);
    ERR_clear_error();
}

/* Every certificate of the text; false when there is none, or what comes after the last is no certificate. */
static bool add_authorities(X509_STORE *store, const char *ca) {
    BIO *text = BIO_new_mem_buf(ca, -1);
    bool fine = text != NULL;
    size_t count = 0;
    X509 *certificate;

    while (fine && (certificate = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL) {
        fine = X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
        count++;
    }
    if (fine && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
        ERR_clear_error(); /* the end of the text */
    else
        fine = false;
    BIO_free(text);
    return fine && count > 0;
}

struct quire_redis_tls *quire_redis_tls_create(const char *ca, char ret_error[QUIRE_TLS_ERROR_CHARACTERS]) {
    struct quire_redis_tls *tls = calloc(1, sizeof(*tls));
    const char *fault = "no memory";

    ERR_clear_error();
    if (tls == NULL || (tls->context = SSL_CTX_new(TLS_client_method())) == NULL)
        goto fail;
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    fault = "TLS 1.2 is refused";
    if (SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1)
        goto fail;
    fault = "the authorities can't be read";
    if (ca[0] == '\0' ? SSL_CTX_set_default_verify_paths(tls->context) == 1
                      : add_authorities(SSL_CTX_get_cert_store(tls->context), ca))
        return tls;
fail:
    tell(ret_error, fault);
    quire_redis_tls_destroy(tls);
    return NULL;
}

void quire_redis_tls_destroy(struct quire_redis_tls *tls) {
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

/* An address is looked for among the certificate's addresses, a name among its names, and only a name is sent along. */
static bool expect_host(SSL *ssl, const char *host) {
    struct in6_addr address;

    if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static bool handshake(SSL *ssl, int fd, uint64_t deadline_ns, char ret_error[QUIRE_TLS_ERROR_CHARACTERS]) {
    for (;;) {
        const int result = SSL_connect(ssl);
        if (result == 1)
            return true;
        const int wanted = SSL_get_error(ssl, result);
        const uint64_t now_ns = quire_monotonic_ns();
        if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) {
            const long verdict = SSL_get_verify_result(ssl);
            tell(ret_error, verdict == X509_V_OK ? "the handshake failed" : X509_verify_cert_error_string(verdict));
            return false;
        }
        struct pollfd waiting = {.fd = fd, .events = wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
        if (now_ns >= deadline_ns || poll(&waiting, 1, (int)((deadline_ns - now_ns) / MS_NS) + 1) < 1) {
            tell(ret_error, "no handshake in time");
            return false;
        }
    }
}

/* hiredis begins the handshake, and would go on with it in its reads and writes, where nobody could tell when to poll
 * for what; so it is completed here. From then on it reads 16 KiB at a time, which is the longest record: nothing that
 * has arrived stays behind in the library where poll() can't see it. */
bool quire_redis_tls_start(const struct quire_redis_tls *tls, redisContext *context, const char *host,
                           uint64_t deadline_ns, char ret_error[QUIRE_TLS_ERROR_CHARACTERS]) {
    ERR_clear_error();
    SSL *ssl = SSL_new(tls->context);

    if (ssl != NULL && expect_host(ssl, host) && redisInitiateSSL(context, ssl) == REDIS_OK)
        return handshake(ssl, context->fd, deadline_ns, ret_error); /* the SSL is the context's in any case */
    tell(ret_error, "the connection can't be begun");
    SSL_free(ssl);
    return false;
}
