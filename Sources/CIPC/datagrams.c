// Datagrams: each sent and received whole, one at a time or many in a call; and what the network says of them.
#define _GNU_SOURCE
#include "CIPCSockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/errqueue.h>

#define MOST_AT_ONCE 64

static struct sockaddr *of(struct ipc_address *address) { return (struct sockaddr *)(void *)address->bytes; }

long ipc_send_to(int32_t fd, const void *bytes, size_t count, const struct ipc_address *to) {
    const struct sockaddr *name = to == NULL ? NULL : (const void *)to->bytes;
    long result = sendto(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL, name, to == NULL ? 0 : to->length);
    return result < 0 ? -errno : result;
}

long ipc_receive_from(int32_t fd, void *buffer, size_t count, struct ipc_address *from, size_t *whole) {
    socklen_t length = sizeof from->bytes;
    // MSG_TRUNC: the result is the size that the datagram had. There is no room for control data, so the kernel closes descriptors that come.
    long result = recvfrom(
        fd, buffer, count, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)(void *)from->bytes, &length);
    if (result < 0) return -errno;
    from->length = length;
    *whole = (size_t)result;
    return result > (long)count ? (long)count : result;
}

int32_t ipc_receive_error(int32_t fd, struct ipc_address *to) {
    char byte;
    struct iovec piece = {&byte, 1};
    union {
        struct cmsghdr header;  // for its alignment
        char room[512];
    } control;
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_name = to->bytes, .msg_namelen = sizeof to->bytes,
        .msg_control = &control, .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return -errno;
    to->length = message.msg_namelen;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
        int is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                       (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
        if (!is_error) continue;
        struct sock_extended_err error;
        memcpy(&error, CMSG_DATA(part), sizeof error);
        // What this machine itself would not send is the call's own error.
        if (error.ee_origin == SO_EE_ORIGIN_LOCAL) return 0;
        return (int32_t)error.ee_errno;
    }
    return 0;
}

int32_t ipc_multicast(int32_t fd, const struct ipc_address *group, uint32_t interface, int32_t joins) {
    struct group_req request = {.gr_interface = interface};
    memcpy(&request.gr_group, group->bytes, sizeof request.gr_group);
    int level = ipc_address_family(group) == IPC_FAMILY_4 ? IPPROTO_IP : IPPROTO_IPV6;
    int name = joins ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP;
    return setsockopt(fd, level, name, &request, sizeof request) < 0 ? -errno : 0;
}

int32_t ipc_multicast_interface(int32_t fd, int32_t family, uint32_t interface) {
    if (family == IPC_FAMILY_4) {
        struct ip_mreqn request = {.imr_ifindex = (int)interface};
        return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) < 0 ? -errno : 0;
    }
    return setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &interface, sizeof interface) < 0 ? -errno : 0;
}

int32_t ipc_send_many(int32_t fd, struct ipc_datagram *datagrams, int32_t count, int32_t with_addresses) {
    struct mmsghdr messages[MOST_AT_ONCE];
    struct iovec pieces[MOST_AT_ONCE];
    if (count > MOST_AT_ONCE) count = MOST_AT_ONCE;
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < count; i++) {
        pieces[i] = (struct iovec){datagrams[i].bytes, datagrams[i].count};
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        if (!with_addresses) continue;
        messages[i].msg_hdr.msg_name = of(&datagrams[i].address);
        messages[i].msg_hdr.msg_namelen = datagrams[i].address.length;
    }
    int sent = sendmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

int32_t ipc_receive_many(int32_t fd, struct ipc_datagram *datagrams, int32_t count) {
    struct mmsghdr messages[MOST_AT_ONCE];
    struct iovec pieces[MOST_AT_ONCE];
    if (count > MOST_AT_ONCE) count = MOST_AT_ONCE;
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < count; i++) {
        pieces[i] = (struct iovec){datagrams[i].bytes, datagrams[i].count};
        messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &pieces[i], .msg_iovlen = 1, .msg_name = of(&datagrams[i].address),
            .msg_namelen = sizeof datagrams[i].address.bytes};
    }
    int came = recvmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC, NULL);
    if (came < 0) return -errno;
    for (int i = 0; i < came; i++) {
        datagrams[i].whole = messages[i].msg_len;
        if (messages[i].msg_len < datagrams[i].count) datagrams[i].count = messages[i].msg_len;
        datagrams[i].address.length = messages[i].msg_hdr.msg_namelen;
    }
    return came;
}
