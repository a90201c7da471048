// descriptors: those that another process sends as fast as it can over a Unix socket; how many are received and closed.
#include "floor.h"
#include "sockets.h"

int main(void) {
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    pid_t child = (pid_t)must(fork(), "fork");
    place(child ? PARENT : CHILD);
    if (child == 0) {
        must(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
        send_descriptors(ends[1]);
    }
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    double begin = now(), limit = seconds(), took;
    long received = 0;
    do {
        for (int i = 0; i < 16; i++, received++) {
            message.msg_control = &control;
            message.msg_controllen = sizeof control;
            must(recvmsg(ends[0], &message, MSG_CMSG_CLOEXEC), "recvmsg");
            int fd;
            memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
            close(fd);
        }
        took = now() - begin;
    } while (took < limit);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    result("descriptors", (double)received / took, "descriptors/s");
}
