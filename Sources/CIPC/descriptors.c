// The standard descriptors; descriptors in messages, peers, and the end of a process that was started for one job.
#define _GNU_SOURCE
#include "CIPCDescriptors.h"
#include "CIPCSockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// In a program that was started with one of 0 to 2 closed, the next file that anybody opens would be its standard output:
// a library's timer, somebody's database. So before main the number is taken by a file on which every use fails.
__attribute__((constructor)) static void occupy_standard_descriptors(void) {
    int saved = errno;
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest number that is free is this one.
        int opened = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        if (opened > 2) close(opened);
    }
    errno = saved;
}

union control {
    struct cmsghdr header;  // for its alignment
    char room[CMSG_SPACE(IPC_MOST_DESCRIPTORS * sizeof(int))];
};

long ipc_send_descriptors(
    int32_t fd, const void *bytes, size_t count, const int32_t *descriptors, int32_t number, const struct ipc_address *to) {
    if (number > IPC_MOST_DESCRIPTORS) return -E2BIG;
    struct iovec piece = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (to != NULL) {
        message.msg_name = (void *)to->bytes;
        message.msg_namelen = to->length;
    }
    union control control;
    if (number > 0) {
        size_t size = (size_t)number * sizeof(int);
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(part), descriptors, size);
    }
    long result = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return result < 0 ? -errno : result;
}

// `from` is NULL for a stream.
static long receive(
    int32_t fd, void *buffer, size_t count, int32_t *descriptors, int32_t capacity, int32_t *received,
    struct ipc_address *from) {
    struct iovec piece = {buffer, count};
    union control control;
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *received = 0;
    if (from != NULL) {
        message.msg_name = from->bytes;
        message.msg_namelen = sizeof from->bytes;
    }
    // Where none was asked for, the kernel closes what comes, and the message counts all the same.
    int takes_none = from != NULL && capacity == 0;
    if (takes_none) message.msg_controllen = 0;
    // MSG_TRUNC: the result is the size that the message had.
    long result = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | (from != NULL ? MSG_TRUNC : 0));
    if (result < 0) return -errno;
    if (from != NULL) from->length = message.msg_namelen;
    int refused = !takes_none && (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        size_t number = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < number; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof descriptor);
            if (*received < capacity) {
                descriptors[(*received)++] = descriptor;
            } else {
                close(descriptor);
                refused = 1;
            }
        }
    }
    if (!refused) return result;
    while (*received > 0) close(descriptors[--*received]);
    return -EMSGSIZE;
}

long ipc_receive_descriptors(
    int32_t fd, void *buffer, size_t count, int32_t *descriptors, int32_t capacity, int32_t *received) {
    return receive(fd, buffer, count, descriptors, capacity, received, NULL);
}

long ipc_receive_message(
    int32_t fd, void *buffer, size_t count, int32_t *descriptors, int32_t capacity, int32_t *received,
    struct ipc_address *from) {
    return receive(fd, buffer, count, descriptors, capacity, received, from);
}

int32_t ipc_is_connected_unix_stream(int32_t fd) {
    int domain, type, listens;
    socklen_t size = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && !listens;
}

int32_t ipc_peer_credentials(int32_t fd, int32_t *pid, uint32_t *user, uint32_t *group) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
    *pid = peer.pid;
    *user = peer.uid;
    *group = peer.gid;
    return 0;
}

int32_t ipc_is_hung_up(int32_t fd) {
    struct pollfd item = {fd, POLLRDHUP, 0};
    return poll(&item, 1, 0) > 0 && (item.revents & (POLLRDHUP | POLLHUP)) != 0;
}

void ipc_wait_for_hangup(int32_t fd) {
    struct pollfd item = {fd, POLLRDHUP, 0};
    while (poll(&item, 1, -1) < 0 && errno == EINTR) {}
}

void ipc_remove_environment(const char *name) { unsetenv(name); }

void ipc_exit(int32_t status) { exit(status); }
