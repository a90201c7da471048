// echo: a server on 127.0.0.1 that sends every client what it sends; says `port N` and runs until it is killed.
//
// One thread and epoll: read, write what was read, wait when there is nothing.
#include "floor.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { chunk = 64 << 10 };
static char buffer[chunk];

static void serve(int client) {
    for (;;) {
        long got = recv(client, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            close(client);
            return;
        }
        // The load never has more under way than a socket's buffer takes.
        for (long done = 0; done < got;) {
            long sent = send(client, buffer + done, (size_t)(got - done), MSG_NOSIGNAL);
            if (sent < 0) {
                close(client);
                return;
            }
            done += sent;
        }
        if (got < chunk) return;  // level-triggered: what comes meanwhile is told
    }
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket"), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    must(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    must(listen(listener, 4096), "listen");
    socklen_t size = sizeof address;
    must(getsockname(listener, (struct sockaddr *)&address, &size), "getsockname");
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    int epoll = (int)must(epoll_create1(0), "epoll_create1");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != listener) {
                serve(events[i].data.fd);
                continue;
            }
            int client;
            while ((client = accept4(listener, NULL, NULL, 0)) >= 0) {
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                event.data.fd = client;
                must(epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event), "epoll_ctl");
            }
        }
    }
}
