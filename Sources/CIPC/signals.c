// Sending signals, and the handlers of this library.
#define _GNU_SOURCE
#include "CIPCSignals.h"
#include "CIPCThreads.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int32_t ipc_kill(int32_t pid, int32_t signal) { return kill(pid, signal) < 0 ? -errno : 0; }

int32_t ipc_queue_signal(int32_t pid, int32_t signal, int64_t value) {
    return sigqueue(pid, signal, (union sigval){.sival_ptr = (void *)(intptr_t)value}) < 0 ? -errno : 0;
}

int32_t ipc_pidfd_open(int32_t pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int32_t)fd;
}

int32_t ipc_pidfd_send_signal(int32_t pidfd, int32_t signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

static siginfo_t queued(int32_t signal, int32_t sender, uint32_t user, int64_t value) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = sender;
    info.si_uid = user;
    info.si_value.sival_ptr = (void *)(intptr_t)value;
    return info;
}

int32_t ipc_pidfd_queue_signal(int32_t pidfd, int32_t signal, int64_t value) {
    siginfo_t info = queued(signal, getpid(), getuid(), value);
    return syscall(SYS_pidfd_send_signal, pidfd, signal, &info, 0) < 0 ? -errno : 0;
}

// To the process as a whole, as the signal had come. The kernel lets nobody say SI_USER who is not the only thread.
int32_t ipc_signal_repeat(const struct ipc_signal_record *record) {
    siginfo_t info = queued(record->signal, record->sender, record->user, record->value);
    return syscall(SYS_rt_sigqueueinfo, getpid(), record->signal, &info) < 0 ? -errno : 0;
}

static void flush(FILE *stream) {
    if (ftrylockfile(stream) != 0) return;
    fflush_unlocked(stream);
    funlockfile(stream);
}

void ipc_flush_standard_streams(void) {
    flush(stdout);
    flush(stderr);
}

void ipc_do_by_default(int32_t signal) {
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, NULL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

_Noreturn void ipc_die_by_signal(int32_t signal) {
    ipc_do_by_default(signal);
    // Still here: the signal ends nobody, or this is the first process of its namespace, which none ends.
    _exit(128 + signal);
}

// glibc says POLL where signal(7) and every shell say IO.
const char *ipc_signal_abbreviation(int32_t signal) { return signal == SIGIO ? "IO" : sigabbrev_np(signal); }
const char *ipc_signal_description(int32_t signal) { return sigdescr_np(signal); }
int32_t ipc_first_realtime_signal(void) { return SIGRTMIN; }
int32_t ipc_last_realtime_signal(void) { return SIGRTMAX; }

int32_t ipc_signal_cause(int32_t signal, int32_t code) {
    switch (code) {
    case SI_USER: case SI_TKILL: return IPC_CAUSE_PROCESS;
    case SI_QUEUE: return IPC_CAUSE_QUEUED;
    case SI_TIMER: return IPC_CAUSE_TIMER;
    case SI_MESGQ: return IPC_CAUSE_MESSAGE_QUEUE;
    case SI_KERNEL: return IPC_CAUSE_KERNEL;
    }
    if (signal == SIGCHLD && code >= CLD_EXITED && code <= CLD_CONTINUED) return IPC_CAUSE_CHILD;
    return code > 0 ? IPC_CAUSE_KERNEL : IPC_CAUSE_OTHER;
}

// MARK: The handler

// Whether this is the process that set the handlers, and not one that somebody forked off it: that one finds a page of
// zeros here. Cheaper than a look at the process's number, which is a call into the kernel.
static _Atomic(atomic_int *) is_owner;
static atomic_int owner;  // where the kernel cannot clear pages, the number after all
static struct sigaction former[65];
// Handlers that were there before, for signals that several parts of a program can share.
static _Atomic(void (*)(int)) shared_plain[65];
static _Atomic(void (*)(int, siginfo_t *, void *)) shared_full[65];

static int is_fault(int signal) {
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP ||
           signal == SIGSYS;
}

static void become_owner(void) {
    atomic_int *own = atomic_load(&is_owner);
    if (own == NULL) {
        void *page = mmap(NULL, sizeof *own, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page != MAP_FAILED && madvise(page, sizeof *own, MADV_WIPEONFORK) == 0) own = page;
    }
    atomic_store(&owner, getpid());
    if (own == NULL) return;
    atomic_store(own, 1);
    atomic_store(&is_owner, own);
}

static int is_own_process(void) {
    atomic_int *own = atomic_load_explicit(&is_owner, memory_order_acquire);
    if (own != NULL) return atomic_load_explicit(own, memory_order_relaxed);
    return getpid() == atomic_load_explicit(&owner, memory_order_relaxed);
}

// Has the signal do what it did before this library came: as soon as the handler returns, to this very thread.
static void leave_to_former(int signal, siginfo_t *info) {
    sigaction(signal, &former[signal], NULL);
    syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), signal, info);
}

static void handle(int signal, siginfo_t *info, void *context);

static int is_handle(const struct sigaction *action) {
    return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == handle;
}

// A thread can be given a signal just before the disposition is put back, and come to the handler just after: then the
// signal is for that disposition. Not where the handler is still there, to which it would only come again.
static void pass_on(const struct ipc_signal_record *record) {
    struct sigaction current;
    if (record->signal == SIGURG || sigaction(record->signal, NULL, &current) < 0 || is_handle(&current)) return;
    ipc_signal_repeat(record);
}

static struct ipc_thread_state *main_thread;
static atomic_uint taken_by_main;

__attribute__((constructor)) static void know_main_thread(void) { main_thread = ipc_thread_state(); }

uint32_t ipc_signals_of_main_thread(void) { return atomic_load(&taken_by_main); }

static void handle(int signal, siginfo_t *info, void *context) {
    int saved = errno;
    if (signal >= 32 && ipc_thread_state() == main_thread) atomic_fetch_add(&taken_by_main, 1);
    // A child made by somebody's fork has our handler and our pipes, but its signals are not this process's. And a
    // fault of the program's own would come again for ever, since nobody mends it.
    if (!is_own_process() || (is_fault(signal) && info->si_code > 0)) {
        leave_to_former(signal, info);
    } else {
        struct ipc_signal_record record = {
            .signal = signal, .code = info->si_code, .sender = info->si_pid, .user = info->si_uid,
            .value = (int64_t)(intptr_t)info->si_value.sival_ptr};
        int is_taken = ipc_signal_deliver(&record);
        if (!is_taken) pass_on(&record);
        void (*plain)(int) = atomic_load_explicit(&shared_plain[signal], memory_order_relaxed);
        void (*full)(int, siginfo_t *, void *) = atomic_load_explicit(&shared_full[signal], memory_order_relaxed);
        if (plain != NULL) plain(signal);
        if (full != NULL) full(signal, info, context);
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
    if (atomic_load_explicit(&urgent_is_subscribed, memory_order_relaxed)) handle(signal, info, context);
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

// MARK: Dispositions

enum { FORMER, CAUGHT, IGNORED, STANDARD };
static int states[65];

// Whether the disposition is the one that was set here last.
static int is_ours(int signal, const struct sigaction *action) {
    switch (states[signal]) {
    case CAUGHT: return is_handle(action);
    case IGNORED: return action->sa_handler == SIG_IGN;
    case STANDARD: return action->sa_handler == SIG_DFL;
    default: return 0;
    }
}

// Several may wait for what would do nothing to a program that does not wait for it: a handler that was there is called too.
static void share_with_former(int signal) {
    int does_nothing = signal == SIGCHLD || signal == SIGWINCH || signal == SIGCONT;  // and SIGURG, see above
    void (*plain)(int) = NULL;
    void (*full)(int, siginfo_t *, void *) = NULL;
    if (does_nothing && (former[signal].sa_flags & SA_SIGINFO)) full = former[signal].sa_sigaction;
    else if (does_nothing && former[signal].sa_handler != SIG_IGN && former[signal].sa_handler != SIG_DFL)
        plain = former[signal].sa_handler;
    atomic_store(&shared_plain[signal], plain);
    atomic_store(&shared_full[signal], full);
}

static int32_t set(int signal, int state) {
    struct sigaction current, action;
    if (sigaction(signal, NULL, &current) < 0) return -errno;
    if (!is_ours(signal, &current)) {
        former[signal] = current;
        // Somebody who had saved ours has put it back after our time.
        if (is_handle(&current)) memset(&former[signal], 0, sizeof former[signal]);
        share_with_former(signal);
    }
    memset(&action, 0, sizeof action);
    if (state == CAUGHT) {
        action.sa_sigaction = handle;
        action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
        sigfillset(&action.sa_mask);
    } else action.sa_handler = state == IGNORED ? SIG_IGN : SIG_DFL;
    if (sigaction(signal, &action, NULL) < 0) return -errno;
    states[signal] = state;
    return 0;
}

int32_t ipc_signal_catch(int32_t signal) {
    if (signal < 1 || signal > 64) return -EINVAL;
    become_owner();
    if (signal == SIGURG) return use_urgent(SUBSCRIBERS);
    return set(signal, CAUGHT);
}

int32_t ipc_signal_ignore(int32_t signal) {
    if (signal < 1 || signal > 64) return -EINVAL;
    return set(signal, IGNORED);
}

int32_t ipc_signal_standard(int32_t signal) {
    if (signal < 1 || signal > 64) return -EINVAL;
    return set(signal, STANDARD);
}

int32_t ipc_signal_release(int32_t signal) {
    if (signal < 1 || signal > 64) return -EINVAL;
    if (signal == SIGURG) return leave_urgent(SUBSCRIBERS);
    struct sigaction current;
    if (sigaction(signal, NULL, &current) < 0) return -errno;
    int was_ours = is_ours(signal, &current);
    states[signal] = FORMER;
    return was_ours && sigaction(signal, &former[signal], NULL) < 0 ? -errno : 0;
}
