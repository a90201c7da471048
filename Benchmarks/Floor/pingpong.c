// pingpong unix|tcp|pipe blocking|epoll: 64 bytes to another process and back, one round trip after the other.
//
//   unix       a Unix stream socket pair
//   tcp        a TCP connection over loopback
//   pipe       two pipes, one for each direction
//   blocking   read() waits
//   epoll      non-blocking descriptors; epoll_wait (level-triggered) waits, then read()
#include "floor.h"
#include "sockets.h"
#include <sys/epoll.h>
#include <sys/socket.h>

enum { size = 64 };
static char message[size];

// One side's descriptors (the same one twice for a socket); `epoll` is -1 if reads block.
struct end {
    int input, output, epoll;
};

static void make_ends(const char *kind, struct end ends[2]) {
    int there[2], back[2];
    if (!strcmp(kind, "unix")) {
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, there), "socketpair");
        ends[PARENT] = (struct end){there[0], there[0], -1};
        ends[CHILD] = (struct end){there[1], there[1], -1};
    } else if (!strcmp(kind, "tcp")) {
        must(tcp_pair(there), "tcp_pair");
        ends[PARENT] = (struct end){there[0], there[0], -1};
        ends[CHILD] = (struct end){there[1], there[1], -1};
    } else if (!strcmp(kind, "pipe")) {
        must(pipe2(there, O_CLOEXEC), "pipe2");
        must(pipe2(back, O_CLOEXEC), "pipe2");
        ends[PARENT] = (struct end){back[0], there[1], -1};
        ends[CHILD] = (struct end){there[0], back[1], -1};
    } else usage("pingpong unix|tcp|pipe blocking|epoll");
}

static void close_end(struct end end) {
    close(end.input);
    if (end.output != end.input) close(end.output);
}

static void use_epoll(struct end *end) {
    int both[] = {end->input, end->output};
    for (int i = 0; i < 2; i++) must(fcntl(both[i], F_SETFL, fcntl(both[i], F_GETFL) | O_NONBLOCK), "O_NONBLOCK");
    end->epoll = (int)must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event event = {.events = EPOLLIN};
    must(epoll_ctl(end->epoll, EPOLL_CTL_ADD, end->input, &event), "epoll_ctl");
}

// One whole message; 0 when the other side has left.
static int receive(struct end end) {
    struct epoll_event event;
    for (size_t got = 0; got < size;) {
        if (end.epoll >= 0) must(epoll_wait(end.epoll, &event, 1, -1), "epoll_wait");
        long n = must(read(end.input, message + got, size - got), "read");
        if (n == 0) return 0;
        got += (size_t)n;
    }
    return 1;
}

// A message is far smaller than any buffer here and only one is under way, so it is always taken whole.
static void transmit(struct end end) {
    must(write(end.output, message, size) == size ? 0 : -1, "write");
}

static double round_trips_per_second(struct end end, double limit) {
    long trips = 0;
    double begin = now(), took;
    do {
        for (int i = 0; i < 16; i++, trips++) {
            transmit(end);
            if (!receive(end)) must(-1, "the other side left");
        }
        took = now() - begin;
    } while (took < limit);
    return (double)trips / took;
}

int main(int count, char **words) {
    if (count != 3) usage("pingpong unix|tcp|pipe blocking|epoll");
    int epoll = !strcmp(words[2], "epoll");
    if (!epoll && strcmp(words[2], "blocking")) usage("pingpong unix|tcp|pipe blocking|epoll");
    struct end ends[2];
    make_ends(words[1], ends);

    pid_t parent = getpid(), child = (pid_t)must(fork(), "fork");
    enum side side = child ? PARENT : CHILD;
    place(side);
    close_end(ends[!side]);
    struct end mine = ends[side];
    if (epoll) use_epoll(&mine);

    if (side == CHILD) {
        must(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
        if (getppid() != parent) _exit(0);
        while (receive(mine)) transmit(mine);
        _exit(0);
    }
    round_trips_per_second(mine, seconds() / 10); // warm
    result(words[2], round_trips_per_second(mine, seconds()), "rt/s");
    close_end(mine);
    must(waitpid(child, NULL, 0), "waitpid");
}
