// load echo|p50|p99|idle CLIENTS BYTES SERVER... | load churn SERVER...: starts a server, and has it answer.
//
//   echo     each client sends so many bytes and waits for them to come back, again and again
//   p50      the same; how often an answer as late as the middle one would come in a second
//   p99      the same of the one that 99 of 100 are faster than
//   idle     each client sends once, gets its bytes back, and stays: how many of them there are to a MiB of the server's memory
//   churn    a connection, 64 bytes there and back, its end; 16 at a time
//
// The server says its port behind a word, as in `port 4242`, and runs until it is killed.
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
    double sent;
};

// How many answers took so many microseconds.
enum { longest = 1 << 20 };
static long took[longest];

static double quantile(long rounds, double share) {
    long wanted = (long)((double)rounds * share), seen = 0;
    for (int i = 0; i < longest; i++)
        if ((seen += took[i]) > wanted) return i + 0.5;
    return longest;
}

// VmRSS, in MiB.
static double memory(pid_t pid) {
    char path[64], line[256];
    double kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %lf", &kib) == 1) break;
    if (file != NULL) fclose(file);
    return kib / 1024;
}

static void start(struct client *client, long bytes) {
    int yes = 1;
    client->fd = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    must(connect(client->fd, (struct sockaddr *)&address, sizeof address), "connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event), "epoll_ctl");
    client->missing = bytes;
    client->sent = now();
    must(send(client->fd, buffer, (size_t)bytes, MSG_NOSIGNAL), "send");
}

int main(int count, char **words) {
    int churns = count > 2 && !strcmp(words[1], "churn");
    const char *wanted = count > 4 ? words[1] : "";
    int echoes = !strcmp(wanted, "echo"), idles = !strcmp(wanted, "idle"), times = !strcmp(wanted, "p50") || !strcmp(wanted, "p99");
    if (!churns && !echoes && !idles && !times)
        usage("load echo|p50|p99|idle CLIENTS BYTES SERVER... | load churn SERVER...");
    int clients = churns ? 16 : atoi(words[2]);
    long bytes = churns ? 64 : atol(words[3]);
    if (clients < 1 || clients > 20000 || bytes < 1 || bytes > most) usage("load: 1 to 20000 clients, 1 to 65536 bytes");
    buffer[bytes - 1] = '\n';
    struct rlimit files = {30000, 30000};
    setrlimit(RLIMIT_NOFILE, &files);

    struct source server = start_source(words + (churns ? 2 : 4), 0);
    char line[64] = "";
    must(read(server.output, line, sizeof line - 1), "read");
    address.sin_port = htons((uint16_t)atoi(strchr(line, ' ') == NULL ? "" : strchr(line, ' ')));
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
            if (idles) continue;
            if (times) {
                double then = now();
                long microseconds = (long)((then - client->sent) * 1e6);
                took[microseconds < longest ? microseconds : longest - 1]++;
                client->sent = then;
            }
            if (churns) {
                close(client->fd);
                start(client, bytes);
            } else {
                client->missing = bytes;
                must(send(client->fd, buffer, (size_t)bytes, MSG_NOSIGNAL), "send");
            }
        }
        end = now();
    } while (idles ? rounds < clients : end - begin < limit);
    double size = memory(server.pid);
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
    if (idles) result("idle", clients / size, "clients/MiB");
    else if (times) result(wanted, 1e6 / quantile(rounds, strcmp(wanted, "p99") ? 0.5 : 0.99), "/s");
    else result(words[1], (double)rounds / (end - begin), churns ? "connections/s" : "answers/s");
}
