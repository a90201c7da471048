// Sockets for floors and library alike, and who sends to what is measured.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Both ends of a TCP connection over loopback; 0, or -1.
static inline int tcp_pair(int ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 1) < 0) return -1;
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0) return -1;
    if (connect(ends[0], (struct sockaddr *)&address, length) < 0) return -1;
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
    for (int i = 0; i < 2; i++)
        if (setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) < 0) return -1;
    return 0;
}

enum { batch = 32 };

// A UDP socket that sends to a port of this machine.
static inline int connected_sender(int port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return connect(sender, (struct sockaddr *)&address, sizeof address) < 0 ? -1 : sender;
}

// Sends 32 datagrams of 64 bytes by one call.
static inline int send_batch(int sender) {
    static char bytes[64];
    struct iovec piece = {bytes, sizeof bytes};
    struct mmsghdr messages[batch];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < batch; i++) {
        messages[i].msg_hdr.msg_iov = &piece;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    return sendmmsg(sender, messages, batch, MSG_NOSIGNAL) == batch ? 0 : -1;
}

// Sends a descriptor with a byte, 0, again and again until it is killed or the other side has left.
_Noreturn static inline void send_descriptors(int sender) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte = 0;
    struct iovec piece = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(part), &file, sizeof file);
    for (;;)
        if (sendmsg(sender, &message, MSG_NOSIGNAL) < 0) _exit(1);
}
