// Sockets over which descriptors travel, who is at their other end, and how a process that was started for one job ends.
#ifndef CIPC_DESCRIPTORS_H
#define CIPC_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

#define IPC_MOST_DESCRIPTORS 253  // SCM_MAX_FD: so many go with one message

struct ipc_address;

// sendmsg with SCM_RIGHTS, MSG_DONTWAIT and MSG_NOSIGNAL: the descriptors go with the first of the bytes, to an address
// unless the socket is connected.
long ipc_send_descriptors(
    int32_t fd, const void *_Nullable bytes, size_t count, const int32_t *_Nullable descriptors, int32_t number,
    const struct ipc_address *_Nullable to);

// recvmsg with MSG_DONTWAIT and MSG_CMSG_CLOEXEC: the count of the bytes, and in `received` how many descriptors came with
// them. -EMSGSIZE: there were more than `capacity`, or they did not fit into this process; then none is left open.
long ipc_receive_descriptors(
    int32_t fd, void *_Nonnull buffer, size_t count, int32_t *_Nullable descriptors, int32_t capacity,
    int32_t *_Nonnull received);

// The same for sockets with messages: the result is the size that the message had, which may be more than `count`, and with a
// capacity of 0 descriptors that come are never this process's. `from` says who sent it.
long ipc_receive_message(
    int32_t fd, void *_Nonnull buffer, size_t count, int32_t *_Nullable descriptors, int32_t capacity,
    int32_t *_Nonnull received, struct ipc_address *_Nonnull from);
// Whether the other end of a connected socket writes no more: poll with POLLRDHUP. 1 yes
int32_t ipc_is_hung_up(int32_t fd);

int32_t ipc_is_connected_unix_stream(int32_t fd);  // 1 yes, 0 anything else: SO_DOMAIN, SO_TYPE, SO_ACCEPTCONN
// SO_PEERCRED: who made the pair, or connected.
int32_t ipc_peer_credentials(int32_t fd, int32_t *_Nonnull pid, uint32_t *_Nonnull user, uint32_t *_Nonnull group);

// Waits, blocking, until the other end of a socket is gone. poll with POLLRDHUP.
void ipc_wait_for_hangup(int32_t fd);

void ipc_remove_environment(const char *_Nonnull name);  // unsetenv
_Noreturn void ipc_exit(int32_t status);  // exit: buffers of the C library are written, its handlers run

#endif
