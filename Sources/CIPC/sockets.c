// Sockets: addresses, names, connecting, listening, options.
#define _GNU_SOURCE
#include "CIPCSockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RESULT(call)                                   \
    do {                                               \
        int result_ = (call);                          \
        return result_ < 0 ? -errno : result_;         \
    } while (0)

_Static_assert(sizeof(struct sockaddr_storage) == 128, "room for every address");

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

// MARK: Addresses

static const struct sockaddr *of(const struct ipc_address *address) { return (const void *)address->bytes; }
static sa_family_t family(const struct ipc_address *address) {
    sa_family_t family;
    memcpy(&family, address->bytes, sizeof family);
    return address->length >= sizeof family ? family : AF_UNSPEC;
}

int32_t ipc_address_family(const struct ipc_address *address) {
    switch (family(address)) {
    case AF_UNIX: return IPC_FAMILY_UNIX;
    case AF_INET: return IPC_FAMILY_4;
    case AF_INET6: return IPC_FAMILY_6;
    default: return IPC_FAMILY_OTHER;
    }
}

uint32_t ipc_address_port(const struct ipc_address *address) {
    struct sockaddr_in inet;
    if (family(address) != AF_INET && family(address) != AF_INET6) return 0;
    memcpy(&inet, address->bytes, sizeof inet);
    return ntohs(inet.sin_port);
}

void ipc_address_set_port(struct ipc_address *address, uint32_t port) {
    uint16_t number = htons((uint16_t)port);
    memcpy(address->bytes + offsetof(struct sockaddr_in, sin_port), &number, sizeof number);
}

const uint8_t *ipc_address_octets(const struct ipc_address *address, int32_t *count) {
    switch (family(address)) {
    case AF_INET: *count = 4; return address->bytes + offsetof(struct sockaddr_in, sin_addr);
    case AF_INET6: *count = 16; return address->bytes + offsetof(struct sockaddr_in6, sin6_addr);
    default: *count = 0; return NULL;
    }
}

void ipc_address_make(struct ipc_address *out, const uint8_t *octets, int32_t count, uint32_t port, uint32_t scope) {
    memset(out, 0, sizeof *out);
    if (count == 4) {
        struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        memcpy(&inet.sin_addr, octets, 4);
        memcpy(out->bytes, &inet, sizeof inet);
        out->length = sizeof inet;
    } else {
        struct sockaddr_in6 inet = {
            .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_scope_id = scope};
        memcpy(&inet.sin6_addr, octets, 16);
        memcpy(out->bytes, &inet, sizeof inet);
        out->length = sizeof inet;
    }
}

int32_t ipc_address_unix(struct ipc_address *out, const uint8_t *name, size_t count, int32_t is_abstract) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    // With room for the NUL behind a path and before an abstract name.
    if (count > sizeof address.sun_path - 1) return -ENAMETOOLONG;
    memset(out, 0, sizeof *out);
    if (count > 0) memcpy(address.sun_path + (is_abstract ? 1 : 0), name, count);
    memcpy(out->bytes, &address, sizeof address);
    out->length = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + count + 1);
    return 0;
}

size_t ipc_address_unix_name(const struct ipc_address *address, const uint8_t **name) {
    size_t start = offsetof(struct sockaddr_un, sun_path);
    *name = address->bytes + start;
    if (family(address) != AF_UNIX || address->length <= start) return 0;
    size_t count = address->length - start;
    if (**name == 0) {
        *name += 1;
        return count - 1;
    }
    return strnlen((const char *)*name, count);
}

int32_t ipc_address_is_abstract(const struct ipc_address *address) {
    size_t start = offsetof(struct sockaddr_un, sun_path);
    return family(address) == AF_UNIX && address->length > start + 1 && address->bytes[start] == 0;
}

int32_t ipc_address_text(const struct ipc_address *address, char *out, size_t capacity) {
    out[0] = 0;
    if (getnameinfo(of(address), address->length, out, (socklen_t)capacity, NULL, 0, NI_NUMERICHOST) != 0) return 0;
    return (int32_t)strlen(out);
}

uint32_t ipc_interface_index(const char *name) { return if_nametoindex(name); }

// MARK: Names

int32_t ipc_resolve(
    const char *host, int32_t type, int32_t is_numeric, struct ipc_address *out, int32_t capacity, int32_t *error) {
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = type == IPC_SOCKET_DATAGRAM ? SOCK_DGRAM : SOCK_STREAM,
        .ai_flags = is_numeric ? AI_NUMERICHOST : AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    *error = getaddrinfo(host, NULL, &hints, &list);
    if (*error == EAI_NONAME && !is_numeric) {
        // A machine without a network knows no address but those of its own: ask again for them.
        hints.ai_flags = 0;
        *error = getaddrinfo(host, NULL, &hints, &list);
    }
    if (*error != 0) return -1;
    int32_t count = 0;
    for (struct addrinfo *item = list; item != NULL && count < capacity; item = item->ai_next) {
        if (item->ai_addrlen > sizeof out->bytes || (item->ai_family != AF_INET && item->ai_family != AF_INET6)) continue;
        memset(&out[count], 0, sizeof *out);
        memcpy(out[count].bytes, item->ai_addr, item->ai_addrlen);
        out[count++].length = item->ai_addrlen;
    }
    freeaddrinfo(list);
    return count;
}

int32_t ipc_name_error_kind(int32_t error) {
    switch (error) {
    case EAI_NONAME: case EAI_NODATA: case EAI_ADDRFAMILY: return IPC_NAME_UNKNOWN;
    case EAI_AGAIN: return IPC_NAME_LATER;
    case EAI_MEMORY: return IPC_NAME_NO_MEMORY;
    default: return IPC_NAME_FAILED;
    }
}

const char *ipc_name_error_text(int32_t error) { return gai_strerror(error); }

int32_t ipc_service_port(const char *name, const char *protocol) {
    struct servent entry, *found = NULL;
    char buffer[4096];
    if (getservbyname_r(name, protocol, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL) return -1;
    return ntohs((uint16_t)found->s_port);
}

int32_t ipc_name_of(const struct ipc_address *address, char *out, size_t capacity) {
    return getnameinfo(of(address), address->length, out, (socklen_t)capacity, NULL, 0, NI_NAMEREQD);
}

// MARK: Sockets

static int system_family(int32_t family) {
    return family == IPC_FAMILY_UNIX ? AF_UNIX : family == IPC_FAMILY_4 ? AF_INET : AF_INET6;
}

int32_t ipc_socket(int32_t family, int32_t type, int32_t is_nonblocking) {
    int kind = type == IPC_SOCKET_DATAGRAM ? SOCK_DGRAM : type == IPC_SOCKET_SEQUENCED ? SOCK_SEQPACKET : SOCK_STREAM;
    RESULT(socket(system_family(family), kind | SOCK_CLOEXEC | (is_nonblocking ? SOCK_NONBLOCK : 0), 0));
}

int32_t ipc_bind(int32_t fd, const struct ipc_address *address) { RESULT(bind(fd, of(address), address->length)); }
int32_t ipc_listen(int32_t fd, int32_t backlog) { RESULT(listen(fd, backlog)); }
int32_t ipc_connect(int32_t fd, const struct ipc_address *address) { RESULT(connect(fd, of(address), address->length)); }

int32_t ipc_take_error(int32_t fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

int32_t ipc_accept(int32_t fd, struct ipc_address *peer) {
    socklen_t size = sizeof peer->bytes;
    int client = accept4(fd, (struct sockaddr *)(void *)peer->bytes, &size, SOCK_CLOEXEC);
    peer->length = size > sizeof peer->bytes ? sizeof peer->bytes : size;
    return client < 0 ? -errno : client;
}

int32_t ipc_local_address(int32_t fd, struct ipc_address *out) {
    socklen_t size = sizeof out->bytes;
    memset(out, 0, sizeof *out);
    if (getsockname(fd, (struct sockaddr *)(void *)out->bytes, &size) < 0) return -errno;
    out->length = size > sizeof out->bytes ? sizeof out->bytes : size;
    return 0;
}

int32_t ipc_peer_address(int32_t fd, struct ipc_address *out) {
    socklen_t size = sizeof out->bytes;
    memset(out, 0, sizeof *out);
    if (getpeername(fd, (struct sockaddr *)(void *)out->bytes, &size) < 0) return -errno;
    out->length = size > sizeof out->bytes ? sizeof out->bytes : size;
    return 0;
}

static int number_of(int fd, int name, int *value) {
    socklen_t size = sizeof *value;
    return getsockopt(fd, SOL_SOCKET, name, value, &size) < 0 ? -errno : 0;
}

int32_t ipc_socket_kind(int32_t fd) {
    int type, status = number_of(fd, SO_TYPE, &type);
    if (status < 0) return status;
    return type == SOCK_DGRAM ? IPC_SOCKET_DATAGRAM : type == SOCK_SEQPACKET ? IPC_SOCKET_SEQUENCED : IPC_SOCKET_STREAM;
}

int32_t ipc_is_listening(int32_t fd) {
    int listens, status = number_of(fd, SO_ACCEPTCONN, &listens);
    return status < 0 ? status : listens != 0;
}

int32_t ipc_peer_process(int32_t fd) {
    int pidfd, status = number_of(fd, SO_PEERPIDFD, &pidfd);
    return status < 0 ? status : pidfd;
}

// MARK: Options

static const struct {
    int level, name;
} options[] = {
    [IPC_OPTION_REUSE_ADDRESS] = {SOL_SOCKET, SO_REUSEADDR},
    [IPC_OPTION_REUSE_PORT] = {SOL_SOCKET, SO_REUSEPORT},
    [IPC_OPTION_KEEP_ALIVE] = {SOL_SOCKET, SO_KEEPALIVE},
    [IPC_OPTION_KEEP_IDLE] = {IPPROTO_TCP, TCP_KEEPIDLE},
    [IPC_OPTION_KEEP_INTERVAL] = {IPPROTO_TCP, TCP_KEEPINTVL},
    [IPC_OPTION_KEEP_COUNT] = {IPPROTO_TCP, TCP_KEEPCNT},
    [IPC_OPTION_NO_DELAY] = {IPPROTO_TCP, TCP_NODELAY},
    [IPC_OPTION_SEND_BUFFER] = {SOL_SOCKET, SO_SNDBUF},
    [IPC_OPTION_RECEIVE_BUFFER] = {SOL_SOCKET, SO_RCVBUF},
    [IPC_OPTION_ONLY_6] = {IPPROTO_IPV6, IPV6_V6ONLY},
    [IPC_OPTION_BROADCAST] = {SOL_SOCKET, SO_BROADCAST},
    [IPC_OPTION_USER_TIMEOUT] = {IPPROTO_TCP, TCP_USER_TIMEOUT},
    [IPC_OPTION_BUSY_POLL] = {SOL_SOCKET, SO_BUSY_POLL},
    [IPC_OPTION_DEFER_ACCEPT] = {IPPROTO_TCP, TCP_DEFER_ACCEPT},
    [IPC_OPTION_RECEIVE_ERRORS_4] = {IPPROTO_IP, IP_RECVERR},
    [IPC_OPTION_RECEIVE_ERRORS_6] = {IPPROTO_IPV6, IPV6_RECVERR},
    [IPC_OPTION_TTL_4] = {IPPROTO_IP, IP_TTL},
    [IPC_OPTION_HOPS_6] = {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    [IPC_OPTION_MULTICAST_TTL_4] = {IPPROTO_IP, IP_MULTICAST_TTL},
    [IPC_OPTION_MULTICAST_HOPS_6] = {IPPROTO_IPV6, IPV6_MULTICAST_HOPS},
    [IPC_OPTION_MULTICAST_LOOP_4] = {IPPROTO_IP, IP_MULTICAST_LOOP},
    [IPC_OPTION_MULTICAST_LOOP_6] = {IPPROTO_IPV6, IPV6_MULTICAST_LOOP},
    [IPC_OPTION_PASS_CREDENTIALS] = {SOL_SOCKET, SO_PASSCRED},
};

int32_t ipc_get_option(int32_t fd, int32_t option, int32_t *value) {
    uint32_t size = sizeof *value;
    return ipc_get_raw_option(fd, options[option].level, options[option].name, value, &size);
}

int32_t ipc_set_option(int32_t fd, int32_t option, int32_t value) {
    return ipc_set_raw_option(fd, options[option].level, options[option].name, &value, sizeof value);
}

int32_t ipc_get_raw_option(int32_t fd, int32_t level, int32_t name, void *value, uint32_t *size) {
    RESULT(getsockopt(fd, level, name, value, size));
}

int32_t ipc_set_raw_option(int32_t fd, int32_t level, int32_t name, const void *value, uint32_t size) {
    RESULT(setsockopt(fd, level, name, value, size));
}

int32_t ipc_reset_on_close(int32_t fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    RESULT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}
