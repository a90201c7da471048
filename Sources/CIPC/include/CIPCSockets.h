// Sockets: addresses, names, connecting, listening, options, datagrams.
#ifndef CIPC_SOCKETS_H
#define CIPC_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

// struct sockaddr_storage.
struct ipc_address {
    uint8_t bytes[128];
    uint32_t length;
};

enum ipc_family { IPC_FAMILY_OTHER, IPC_FAMILY_UNIX, IPC_FAMILY_4, IPC_FAMILY_6 };
enum ipc_socket_type { IPC_SOCKET_STREAM, IPC_SOCKET_DATAGRAM, IPC_SOCKET_SEQUENCED };

int32_t ipc_address_family(const struct ipc_address *_Nonnull address);  // enum ipc_family
// Where the parts lie: the port, the 4 or 16 octets; 0 or NULL for other families.
uint32_t ipc_address_port(const struct ipc_address *_Nonnull address);
void ipc_address_set_port(struct ipc_address *_Nonnull address, uint32_t port);
const uint8_t *_Nullable ipc_address_octets(const struct ipc_address *_Nonnull address, int32_t *_Nonnull count);
void ipc_address_make(
    struct ipc_address *_Nonnull out, const uint8_t *_Nonnull octets, int32_t count, uint32_t port, uint32_t scope);
// A path, or a name in the abstract namespace. -ENAMETOOLONG beyond 107 bytes, which are never cut.
int32_t ipc_address_unix(
    struct ipc_address *_Nonnull out, const uint8_t *_Nullable name, size_t count, int32_t is_abstract);
// The name of a Unix address, without the first NUL of an abstract one; its length, 0 for one without a name.
size_t ipc_address_unix_name(const struct ipc_address *_Nonnull address, const uint8_t *_Nullable *_Nonnull name);
int32_t ipc_address_is_abstract(const struct ipc_address *_Nonnull address);
// As text, without the port; the length.
int32_t ipc_address_text(const struct ipc_address *_Nonnull address, char *_Nonnull out, size_t capacity);
uint32_t ipc_interface_index(const char *_Nonnull name);  // 0: none

// Names. Both may wait for a server, blocking. `is_numeric`: only text that is an address is understood.
// The number of addresses, at most `capacity`; or -1 with the reason in `error`.
int32_t ipc_resolve(
    const char *_Nullable host, int32_t type, int32_t is_numeric, struct ipc_address *_Nonnull out, int32_t capacity,
    int32_t *_Nonnull error);
enum ipc_name_error { IPC_NAME_UNKNOWN, IPC_NAME_LATER, IPC_NAME_FAILED, IPC_NAME_NO_MEMORY };
int32_t ipc_name_error_kind(int32_t error);  // enum ipc_name_error
const char *_Nonnull ipc_name_error_text(int32_t error);
int32_t ipc_service_port(const char *_Nonnull name, const char *_Nonnull protocol);  // -1: none of that name
// The name of an address, verified by nobody; 0, or an error for ipc_name_error_kind.
int32_t ipc_name_of(const struct ipc_address *_Nonnull address, char *_Nonnull out, size_t capacity);

// Sockets, close-on-exec.
int32_t ipc_socket(int32_t family, int32_t type, int32_t is_nonblocking);
int32_t ipc_bind(int32_t fd, const struct ipc_address *_Nonnull address);
int32_t ipc_listen(int32_t fd, int32_t backlog);
int32_t ipc_connect(int32_t fd, const struct ipc_address *_Nonnull address);
int32_t ipc_take_error(int32_t fd);       // SO_ERROR: 0 or the error number, not negated
int32_t ipc_accept(int32_t fd, struct ipc_address *_Nonnull peer);  // accept4
int32_t ipc_local_address(int32_t fd, struct ipc_address *_Nonnull out);
int32_t ipc_peer_address(int32_t fd, struct ipc_address *_Nonnull out);
int32_t ipc_socket_kind(int32_t fd);      // enum ipc_socket_type
int32_t ipc_is_listening(int32_t fd);     // SO_ACCEPTCONN: 1 yes
int32_t ipc_peer_process(int32_t fd);     // SO_PEERPIDFD: a descriptor of the peer's process

// Options with a number; names of our own, so that their values need no header of the system's.
enum ipc_option {
    IPC_OPTION_REUSE_ADDRESS, IPC_OPTION_REUSE_PORT, IPC_OPTION_KEEP_ALIVE, IPC_OPTION_KEEP_IDLE, IPC_OPTION_KEEP_INTERVAL,
    IPC_OPTION_KEEP_COUNT, IPC_OPTION_NO_DELAY, IPC_OPTION_SEND_BUFFER, IPC_OPTION_RECEIVE_BUFFER, IPC_OPTION_ONLY_6,
    IPC_OPTION_BROADCAST, IPC_OPTION_USER_TIMEOUT, IPC_OPTION_BUSY_POLL, IPC_OPTION_DEFER_ACCEPT, IPC_OPTION_RECEIVE_ERRORS_4,
    IPC_OPTION_RECEIVE_ERRORS_6, IPC_OPTION_TTL_4, IPC_OPTION_HOPS_6, IPC_OPTION_MULTICAST_TTL_4, IPC_OPTION_MULTICAST_HOPS_6,
    IPC_OPTION_MULTICAST_LOOP_4, IPC_OPTION_MULTICAST_LOOP_6, IPC_OPTION_PASS_CREDENTIALS
};
int32_t ipc_get_option(int32_t fd, int32_t option, int32_t *_Nonnull value);
int32_t ipc_set_option(int32_t fd, int32_t option, int32_t value);
// A socket's own level and name, for what is not listed.
int32_t ipc_get_raw_option(int32_t fd, int32_t level, int32_t name, void *_Nonnull value, uint32_t *_Nonnull size);
int32_t ipc_set_raw_option(int32_t fd, int32_t level, int32_t name, const void *_Nonnull value, uint32_t size);
// SO_LINGER: closing waits for nothing and resets the connection.
int32_t ipc_reset_on_close(int32_t fd);

// Datagrams, without waiting and without SIGPIPE. The count, or the error number negated. `whole`: the size that the datagram
// had, which may be more than the buffer's.
long ipc_send_to(int32_t fd, const void *_Nullable bytes, size_t count, const struct ipc_address *_Nullable to);
long ipc_receive_from(
    int32_t fd, void *_Nonnull buffer, size_t count, struct ipc_address *_Nonnull from, size_t *_Nonnull whole);
// The next error that the network has reported for a datagram (IP_RECVERR): its number, and to whom that was sent;
// -EAGAIN if there is none.
int32_t ipc_receive_error(int32_t fd, struct ipc_address *_Nonnull to);
int32_t ipc_multicast(int32_t fd, const struct ipc_address *_Nonnull group, uint32_t interface, int32_t joins);
int32_t ipc_multicast_interface(int32_t fd, int32_t family, uint32_t interface);

// Several datagrams in one call: sendmmsg and recvmmsg.
struct ipc_datagram {
    void *_Nullable bytes;
    size_t count;        // of the room, then of what came
    size_t whole;        // the size that it had
    struct ipc_address address;
};
int32_t ipc_send_many(int32_t fd, struct ipc_datagram *_Nonnull datagrams, int32_t count, int32_t with_addresses);
int32_t ipc_receive_many(int32_t fd, struct ipc_datagram *_Nonnull datagrams, int32_t count);

#endif
