// A thread whose only use is that signals can be handled on it.
//
// A signal to the process is handled by any thread that does not block it. There may be none: a program can be started
// with signals blocked, the runtime's own threads block nearly all, and the main thread can have ended.
#define _GNU_SOURCE
#include "CIPCSignals.h"
#include "CIPCThreads.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static uint64_t accepted, wanted;  // under the lock
static int event = -1;

static void serve(void *argument) {
    (void)argument;
    for (;;) {
        sigset_t mask;
        sigfillset(&mask);
        pthread_mutex_lock(&lock);
        accepted = wanted;
        for (int signal = 1; signal <= 64; signal++)
            if (accepted & (uint64_t)1 << (signal - 1)) sigdelset(&mask, signal);
        pthread_cond_broadcast(&change);
        pthread_mutex_unlock(&lock);
        // Outside this one call the thread blocks them all: what it has said to leave to others, it leaves.
        struct pollfd item = {.fd = event, .events = POLLIN};
        uint64_t count;
        if (ppoll(&item, 1, NULL, &mask) > 0 && read(event, &count, sizeof count) < 0) continue;
    }
}

static int32_t start(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd >= 0 && fd <= 2) {  // a program without standard streams: the number is not ours to take
        int lifted = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        close(fd);
        fd = lifted;
    }
    if (fd < 0) return -errno;
    event = fd;
    int32_t result = ipc_thread_start("ipc-signals", serve, NULL);
    if (result == 0) return 0;
    close(fd);
    event = -1;
    return result;
}

int32_t ipc_signal_thread_accept(uint64_t signals) {
    pthread_mutex_lock(&lock);
    int32_t result = event < 0 ? start() : 0;
    if (result == 0 && wanted != signals) {
        wanted = signals;
        uint64_t one = 1;
        if (write(event, &one, sizeof one) < 0) result = -errno;
        while (result == 0 && accepted != wanted) pthread_cond_wait(&change, &lock);
    }
    pthread_mutex_unlock(&lock);
    return result;
}
