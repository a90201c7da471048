// load echo CLIENTS BYTES SERVER... | load churn SERVER...: starts a server that says `port N`, and has it answer.
//
//   echo     each client sends so many bytes and waits for them to come back, again and again
//   churn    a connection, 64 bytes there and back, its end; 16 at a time
//
// With BENCH_CPUS the server runs on the second CPU.
#include "floor.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { most = 64 << 10 };
static char buffer[most];
static struct sockaddr_in address = {.sin_family = AF_INET};
static int epoll;

struct client {
    int fd;
    long missing;
};

static void start(struct client *client, long bytes) {
    int yes = 1;
    client->fd = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    must(connect(client->fd, (struct sockaddr *)&address, sizeof address), "connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event), "epoll_ctl");
    client->missing = bytes;
    must(send(client->fd, buffer, (size_t)bytes, MSG_NOSIGNAL), "send");
}

int main(int count, char **words) {
    int churns = count > 2 && !strcmp(words[1], "churn");
    if (!churns && (count < 5 || strcmp(words[1], "echo"))) usage("load echo CLIENTS BYTES SERVER... | load churn SERVER...");
    int clients = churns ? 16 : atoi(words[2]);
    long bytes = churns ? 64 : atol(words[3]);
    if (clients < 1 || clients > 20000 || bytes < 1 || bytes > most) usage("load: 1 to 20000 clients, 1 to 65536 bytes");
    struct rlimit files = {30000, 30000};
    setrlimit(RLIMIT_NOFILE, &files);

    struct source server = start_source(words + (churns ? 2 : 4), 0);
    char line[64] = "";
    must(read(server.output, line, sizeof line - 1), "read");
    address.sin_port = htons((uint16_t)atoi(line + 5));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    epoll = (int)must(epoll_create1(0), "epoll_create1");

    struct client *all = calloc((size_t)clients, sizeof *all);
    for (int i = 0; i < clients; i++) start(&all[i], bytes);
    struct epoll_event events[256];
    double begin = now(), limit = seconds(), end;
    long rounds = 0;
    do {
        int ready = (int)must(epoll_wait(epoll, events, 256, 5000), "epoll_wait");
        if (ready == 0) return 1;
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;
            long got = recv(client->fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (got <= 0) {
                if (got < 0 && errno == EAGAIN) continue;
                return 1;
            }
            client->missing -= got;
            if (client->missing > 0) continue;
            rounds++;
            if (churns) {
                close(client->fd);
                start(client, bytes);
            } else {
                client->missing = bytes;
                must(send(client->fd, buffer, (size_t)bytes, MSG_NOSIGNAL), "send");
            }
        }
        end = now();
    } while (end - begin < limit);
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
    result(words[1], (double)rounds / (end - begin), churns ? "connections/s" : "answers/s");
}
