#include "gateway/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static socklen_t parse_address(const char *address, uint16_t port, struct sockaddr_storage *ret_storage) {
    struct sockaddr_in *four = (struct sockaddr_in *)ret_storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret_storage;
    memset(ret_storage, 0, sizeof *ret_storage);
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof *four;
    }
    if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        return sizeof *six;
    }
    return 0;
}

int listener_open(const char *address, uint16_t port) {
    struct sockaddr_storage storage;
    socklen_t bytes = parse_address(address, port, &storage);
    if (bytes == 0)
        return -EINVAL;
    int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int on = 1, off = 0;
    /* TCP_NODELAY is inherited by accepted sockets: an answer goes out when it is written, without a system call a
     * connection. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        (storage.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) ||
        bind(fd, (const struct sockaddr *)&storage, bytes) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int listener_begin(int fd, int backlog) {
    return listen(fd, backlog) == 0 ? 0 : -errno;
}

uint16_t listener_port(int fd) {
    struct sockaddr_storage storage;
    socklen_t bytes = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &bytes) != 0)
        return 0;
    return ntohs(storage.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&storage)->sin6_port
                                               : ((struct sockaddr_in *)&storage)->sin_port);
}
