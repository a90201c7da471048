// Sending signals, and the handlers of this library.
#define _GNU_SOURCE
#include "CIPCSignals.h"
#include "CIPCThreads.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int32_t ipc_kill(int32_t pid, int32_t signal) { return kill(pid, signal) < 0 ? -errno : 0; }

int32_t ipc_pidfd_open(int32_t pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int32_t)fd;
}

int32_t ipc_pidfd_send_signal(int32_t pidfd, int32_t signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

// glibc says POLL where signal(7) and every shell say IO.
const char *ipc_signal_abbreviation(int32_t signal) { return signal == SIGIO ? "IO" : sigabbrev_np(signal); }
const char *ipc_signal_description(int32_t signal) { return sigdescr_np(signal); }
int32_t ipc_first_realtime_signal(void) { return SIGRTMIN; }
int32_t ipc_last_realtime_signal(void) { return SIGRTMAX; }

static atomic_int pipe_end = -1;
static atomic_int owner;
static atomic_ullong dropped;
static struct sigaction former[65];
static atomic_int caught[65];

static void handle(int signal, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    // A child made by somebody's fork has our handler and our pipe, but its signals are not this process's.
    if (getpid() == atomic_load_explicit(&owner, memory_order_relaxed)) {
        struct ipc_signal_record record = {
            .signal = signal, .code = info->si_code, .sender = info->si_pid, .user = info->si_uid,
            .value = (int64_t)(intptr_t)info->si_value.sival_ptr};
        int fd = atomic_load_explicit(&pipe_end, memory_order_relaxed);
        if (write(fd, &record, sizeof record) != sizeof record)
            atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
    }
    errno = saved;
}

// MARK: SIGURG, which has two users: whoever subscribed to it, and threads whose blocking calls it ends.

enum { SUBSCRIBERS = 1, BLOCKING_CALLS = 2 };
static pthread_mutex_t urgent_lock = PTHREAD_MUTEX_INITIALIZER;
static int urgent_users;
static atomic_int urgent_is_subscribed;
static struct sigaction urgent_former;

static void handle_urgent(int signal, siginfo_t *info, void *context) {
    int is_our_own = info->si_code == SI_TKILL && info->si_pid == getpid();
    // The call on this thread is interrupted, and that is all.
    if (is_our_own && ipc_thread_state()->is_interruptible) return;
    if (atomic_load_explicit(&urgent_is_subscribed, memory_order_relaxed)) return handle(signal, info, context);
    // Set before this handler was, and not touched as long as it is.
    if (urgent_former.sa_flags & SA_SIGINFO) return urgent_former.sa_sigaction(signal, info, context);
    if (urgent_former.sa_handler != SIG_DFL && urgent_former.sa_handler != SIG_IGN) urgent_former.sa_handler(signal);
}

static int32_t use_urgent(int user) {
    int error = 0;
    pthread_mutex_lock(&urgent_lock);
    if (urgent_users == 0) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = handle_urgent;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;  // without SA_RESTART, or no call would end
        sigfillset(&action.sa_mask);
        // Read first: the handler may run as soon as it is set.
        if (sigaction(SIGURG, NULL, &urgent_former) < 0 || sigaction(SIGURG, &action, NULL) < 0) error = errno;
    }
    if (error == 0) urgent_users |= user;
    if (error == 0 && user == SUBSCRIBERS) atomic_store(&urgent_is_subscribed, 1);
    pthread_mutex_unlock(&urgent_lock);
    return -error;
}

static int32_t leave_urgent(int user) {
    int error = 0;
    pthread_mutex_lock(&urgent_lock);
    if (user == SUBSCRIBERS) atomic_store(&urgent_is_subscribed, 0);
    if (urgent_users == user && sigaction(SIGURG, &urgent_former, NULL) < 0) error = errno;
    urgent_users &= ~user;
    pthread_mutex_unlock(&urgent_lock);
    return -error;
}

int32_t ipc_signal_use_urgent(void) { return use_urgent(BLOCKING_CALLS); }

// MARK: Catching and releasing

void ipc_signal_set_pipe(int32_t pipe) {
    atomic_store(&owner, getpid());
    atomic_store(&pipe_end, pipe);
}

int32_t ipc_signal_catch(int32_t signal) {
    if (signal < 1 || signal > 64) return -EINVAL;
    if (signal == SIGURG) return use_urgent(SUBSCRIBERS);
    if (atomic_exchange(&caught[signal], 1)) return 0;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    if (sigaction(signal, &action, &former[signal]) == 0) return 0;
    int error = errno;
    atomic_store(&caught[signal], 0);
    return -error;
}

int32_t ipc_signal_release(int32_t signal) {
    if (signal < 1 || signal > 64) return -EINVAL;
    if (signal == SIGURG) return leave_urgent(SUBSCRIBERS);
    if (!atomic_exchange(&caught[signal], 0)) return 0;
    return sigaction(signal, &former[signal], NULL) < 0 ? -errno : 0;
}

uint64_t ipc_signal_dropped(void) { return atomic_load(&dropped); }
