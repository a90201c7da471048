// What the benchmarks need of the system before any Swift task runs.
#define _GNU_SOURCE
#include "CBench.h"
#include "../../Floor/sockets.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int32_t bench_socket_pair(int32_t *one, int32_t *other) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) return -1;
    *one = ends[0];
    *other = ends[1];
    return 0;
}

int32_t bench_tcp_pair(int32_t *one, int32_t *other) {
    int ends[2];
    if (tcp_pair(ends) < 0) return -1;
    *one = ends[0];
    *other = ends[1];
    return 0;
}

int32_t bench_connected_sender(int32_t port) { return connected_sender(port); }
void bench_send_batch(int32_t sender) {
    if (send_batch(sender) < 0) exit(3);
}
void bench_send_descriptors(int32_t socket) { send_descriptors(socket); }

int32_t bench_pipe(int32_t *reader, int32_t *writer) {
    int ends[2];
    if (pipe(ends) < 0) return -1;
    *reader = ends[0];
    *writer = ends[1];
    return 0;
}

static void place(int side) {
    const char *cpus = getenv("BENCH_CPUS");
    if (cpus == NULL || strlen(cpus) != 3) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpus[side * 2] - '0', &set);
    sched_setaffinity(0, sizeof set, &set);
}

void bench_pin(void) { place(0); }

int32_t bench_fork(void) {
    pid_t pid = fork();
    if (pid == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    place(pid == 0);
    return pid;
}

void bench_hold_signals(int32_t hold) {
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &both, NULL);
}

void bench_end(int32_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

double bench_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void bench_touch(int64_t mebibytes) {
    if (mebibytes <= 0) return;
    size_t size = (size_t)mebibytes << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) exit(3);
    madvise(memory, size, MADV_NOHUGEPAGE);  // as a heap of small objects would be
    for (size_t at = 0; at < size; at += 4096) memory[at] = 1;
}
