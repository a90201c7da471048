// signals sigwaitinfo|pipe: SIGUSR1 to another process, SIGUSR2 back, one round trip after the other.
//
//   sigwaitinfo   the signals are blocked, and waited for
//   pipe          a handler writes a record to a pipe; epoll_wait (level-triggered) waits, then read()
#include "floor.h"
#include <sys/epoll.h>

struct record {
    int signal, code, sender;
    unsigned user;
    long value;
};

static int ends[2];
static sigset_t both;

static void handle(int signal, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    struct record record = {signal, info->si_code, info->si_pid, info->si_uid, (long)info->si_value.sival_ptr};
    must(write(ends[1], &record, sizeof record), "write");
    errno = saved;
}

// Blocked until then, so that a signal which comes early waits.
static int prepare(int signal) {
    must(pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe2");
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    must(sigaction(signal, &action, NULL), "sigaction");
    int epoll = (int)must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event event = {.events = EPOLLIN};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), "epoll_ctl");
    must(sigprocmask(SIG_UNBLOCK, &both, NULL), "sigprocmask");
    return epoll;
}

static void receive(int epoll, int signal) {
    if (epoll < 0) {
        sigset_t one;
        siginfo_t info;
        sigemptyset(&one);
        sigaddset(&one, signal);
        while (sigwaitinfo(&one, &info) < 0) {}
        return;
    }
    struct record records[64];
    struct epoll_event event;
    while (epoll_wait(epoll, &event, 1, -1) < 0)
        if (errno != EINTR) must(-1, "epoll_wait");
    must(read(ends[0], records, sizeof records), "read");
}

static double round_trips_per_second(int epoll, pid_t child, double limit) {
    long trips = 0;
    double begin = now(), took;
    do {
        for (int i = 0; i < 16; i++, trips++) {
            must(kill(child, SIGUSR1), "kill");
            receive(epoll, SIGUSR2);
        }
        took = now() - begin;
    } while (took < limit);
    return (double)trips / took;
}

int main(int count, char **words) {
    if (count != 2) usage("signals sigwaitinfo|pipe");
    int by_pipe = !strcmp(words[1], "pipe");
    if (!by_pipe && strcmp(words[1], "sigwaitinfo")) usage("signals sigwaitinfo|pipe");
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    must(sigprocmask(SIG_BLOCK, &both, NULL), "sigprocmask");

    pid_t parent = getpid(), child = (pid_t)must(fork(), "fork");
    place(child ? PARENT : CHILD);
    if (child == 0) {
        must(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
        if (getppid() != parent) _exit(0);
        int epoll = by_pipe ? prepare(SIGUSR1) : -1;
        for (;;) {
            receive(epoll, SIGUSR1);
            must(kill(parent, SIGUSR2), "kill");
        }
    }
    int epoll = by_pipe ? prepare(SIGUSR2) : -1;
    round_trips_per_second(epoll, child, seconds() / 10);  // warm
    result(words[1], round_trips_per_second(epoll, child, seconds()), "rt/s");
    must(kill(child, SIGKILL), "kill");
    must(waitpid(child, NULL, 0), "waitpid");
}
