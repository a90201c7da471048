// datagrams plain|many: 32 UDP datagrams of 64 bytes, sent to itself by one call and then received, again and again.
//
//   plain   recvfrom, one at a time
//   many    recvmmsg, all at once
//
// One process, so that only the calls count, and not who waits for whom.
#include "floor.h"
#include "sockets.h"

int main(int count, char **words) {
    int many = count == 2 && !strcmp(words[1], "many");
    if (!many && (count != 2 || strcmp(words[1], "plain"))) usage("datagrams plain|many");
    place(PARENT);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, from;
    socklen_t length = sizeof address;
    int receiver = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    must(bind(receiver, (struct sockaddr *)&address, length), "bind");
    must(getsockname(receiver, (struct sockaddr *)&address, &length), "getsockname");
    int sender = must(connected_sender(ntohs(address.sin_port)), "connect");

    static char buffers[batch][2048];
    struct iovec pieces[batch];
    struct mmsghdr messages[batch];
    struct sockaddr_in names[batch];
    memset(messages, 0, sizeof messages);
    double begin = now(), limit = seconds(), took;
    long packets = 0;
    do {
        must(send_batch(sender), "sendmmsg");
        for (int i = 0; many && i < batch; i++) {
            pieces[i] = (struct iovec){buffers[i], sizeof buffers[i]};
            messages[i].msg_hdr = (struct msghdr){
                .msg_iov = &pieces[i], .msg_iovlen = 1, .msg_name = &names[i], .msg_namelen = sizeof names[i]};
        }
        if (many) must(recvmmsg(receiver, messages, batch, MSG_DONTWAIT, NULL) == batch ? 0 : -1, "recvmmsg");
        for (int i = 0; !many && i < batch; i++) {
            length = sizeof from;
            must(recvfrom(receiver, buffers[0], sizeof buffers[0], MSG_DONTWAIT, (struct sockaddr *)&from, &length), "recvfrom");
        }
        packets += batch;
        took = now() - begin;
    } while (took < limit);
    result(words[1], (double)packets / took, "packets/s");
}
