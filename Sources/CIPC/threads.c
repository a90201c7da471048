// Threads of our own and what each keeps for the event loop.
#define _GNU_SOURCE
#include "CIPCThreads.h"
#include "CIPCSignals.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static __thread struct ipc_thread_state state;

struct ipc_thread_state *ipc_thread_state(void) { return &state; }

struct start {
    void (*body)(void *);
    void *argument;
    int is_interruptible;
    char name[16];
};

static void *run(void *pointer) {
    struct start start = *(struct start *)pointer;
    free(pointer);
    pthread_setname_np(pthread_self(), start.name);
    state.blocks_sigpipe = 1;
    if (start.is_interruptible) {
        state.is_interruptible = 1;  // before the signal can come
        sigset_t urgent;
        sigemptyset(&urgent);
        sigaddset(&urgent, SIGURG);
        pthread_sigmask(SIG_UNBLOCK, &urgent, NULL);
    }
    ipc_fault_stack();
    start.body(start.argument);
    return NULL;
}

static int32_t start_thread(const char *name, void (*body)(void *), void *argument, size_t stack, int interruptible) {
    struct start *start = calloc(1, sizeof *start);
    if (start == NULL) return -ENOMEM;
    start->body = body;
    start->argument = argument;
    start->is_interruptible = interruptible;
    strncpy(start->name, name, sizeof start->name - 1);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (stack != 0) pthread_attr_setstacksize(&attributes, stack);
    sigset_t all, former;
    sigfillset(&all);
    // Not the thread's own faults: blocked, they would end the process without its handler's report.
    int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &former);  // inherited by the thread: no foreign handler ever runs on it
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, run, start);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    pthread_attr_destroy(&attributes);
    if (error != 0) free(start);
    return -error;
}

int32_t ipc_thread_start(const char *name, void (*body)(void *), void *argument) {
    return start_thread(name, body, argument, 0, 0);
}

int32_t ipc_call_thread_start(void (*body)(void *), void *argument) {
    // There may be a thousand of them. Each makes one system call at a time, and does what is to be done under a lock.
    return start_thread("ipc-call", body, argument, 1024 * 1024, 1);
}

int32_t ipc_futex_wait(const uint32_t *word, uint32_t expected, int64_t nanoseconds) {
    struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &limit, NULL, 0) < 0 ? -errno : 0;
}

int32_t ipc_futex_wake(const uint32_t *word) {
    return syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) < 0 ? -errno : 0;
}

int32_t ipc_thread_id(void) { return (int32_t)syscall(SYS_gettid); }

int32_t ipc_thread_signal(int32_t thread, int32_t signal) {
    return syscall(SYS_tgkill, getpid(), thread, signal) < 0 ? -errno : 0;
}

long ipc_write_without_sigpipe(int32_t fd, const void *bytes, uintptr_t count, int32_t rwf) {
    sigset_t both, former, pending;
    sigemptyset(&both);
    sigaddset(&both, SIGPIPE);
    sigaddset(&both, SIGXFSZ);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &both, &former);
    struct iovec piece = {(void *)bytes, count};
    long result = rwf == 0 ? write(fd, bytes, count) : pwritev2(fd, &piece, 1, -1, rwf);
    if (result < 0) result = -errno;
    int raised = result == -EPIPE ? SIGPIPE : result == -EFBIG ? SIGXFSZ : 0;
    if (raised != 0 && !sigismember(&pending, raised)) {
        // The signal of a failed write goes to the thread that wrote, so it is here, and it is ours to take.
        struct timespec none = {0, 0};
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, raised);
        while (sigtimedwait(&one, NULL, &none) < 0 && errno == EINTR) {}
    }
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    return result;
}

void ipc_pause_thread(int64_t nanoseconds) {
    struct timespec pause = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    nanosleep(&pause, NULL);
}

void ipc_yield_processor(void) { sched_yield(); }
