// Sending signals, and the one handler of this library.
#define _GNU_SOURCE
#include "CIPCSignals.h"

#include <errno.h>
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

void ipc_signal_set_pipe(int32_t pipe) {
    atomic_store(&owner, getpid());
    atomic_store(&pipe_end, pipe);
}

int32_t ipc_signal_catch(int32_t signal) {
    if (signal < 1 || signal > 64) return -EINVAL;
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
    if (!atomic_exchange(&caught[signal], 0)) return 0;
    return sigaction(signal, &former[signal], NULL) < 0 ? -errno : 0;
}

uint64_t ipc_signal_dropped(void) { return atomic_load(&dropped); }
