// The guard: whatever ends this process, the terminal is as it was before and its sockets' files are gone.
//
// The handlers here make only calls that are safe in one: ioctl, stat, unlink, sigaction, tgkill.
#define _GNU_SOURCE
#include "CIPCGuard.h"
#include "CIPCSharedMemory.h"
#include "CIPCSignals.h"

#include <asm/termbits.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_SCOPES 16

static struct {
    atomic_int fd;     // -1: free
    atomic_int order;  // of entering: the lower is the outer one
    struct ipc_terminal_modes former, own;
} scopes[MOST_SCOPES];
static atomic_int scope_count;

#define MOST_FILES 256

static struct {
    atomic_int is_guarded;
    uint64_t device, inode;
    char *path;
} files[MOST_FILES];
static atomic_int file_count;

static atomic_int entries;
static pid_t owner;

// What ends a process by default, what stops one, what continues one.
static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF,
                             SIGXCPU, SIGXFSZ, SIGPWR, SIGIO, SIGSTKFLT};
static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
static struct sigaction former_actions[65];

#define COUNT(list) (sizeof(list) / sizeof *(list))

int32_t ipc_terminal_is_ours(int32_t fd) {
    pid_t group;
    // Not our controlling terminal: then no shell of ours is about to use it.
    if (ioctl(fd, TIOCGPGRP, &group) < 0) return 1;
    return group == getpgrp();
}

// The scope that was entered last before a given one; -1 if there is none.
static int entered_before(int order) {
    int found = -1;
    for (int i = 0; i < MOST_SCOPES; i++) {
        if (atomic_load(&scopes[i].fd) < 0 || atomic_load(&scopes[i].order) >= order) continue;
        if (found < 0 || atomic_load(&scopes[i].order) > atomic_load(&scopes[found].order)) found = i;
    }
    return found;
}

// From the innermost scope out: the outermost one's former modes are what there was before all of them.
static void restore(void) {
    if (atomic_load(&scope_count) == 0) return;
    for (int i = entered_before(INT_MAX); i >= 0; i = entered_before(atomic_load(&scopes[i].order))) {
        int fd = atomic_load(&scopes[i].fd);
        if (fd >= 0 && ipc_terminal_is_ours(fd)) ioctl(fd, TCSETS2, &scopes[i].former);
    }
}

static void remove_files(void) {
    for (int i = 0; i < MOST_FILES; i++) {
        struct stat status;
        if (!atomic_load(&files[i].is_guarded) || lstat(files[i].path, &status) < 0) continue;
        if (status.st_dev == files[i].device && status.st_ino == files[i].inode) unlink(files[i].path);
    }
}

static int is_own(const struct ipc_terminal_modes *modes) {
    for (int i = 0; i < MOST_SCOPES; i++)
        if (atomic_load(&scopes[i].fd) >= 0 && memcmp(modes, &scopes[i].own, sizeof *modes) == 0) return 1;
    return 0;
}

// From the outermost scope in.
static void apply(void) {
    if (atomic_load(&scope_count) == 0) return;
    int inner_to = -1;
    for (int n = 0; n < MOST_SCOPES; n++) {
        int next = -1;
        for (int i = 0; i < MOST_SCOPES; i++) {
            if (atomic_load(&scopes[i].fd) < 0 || atomic_load(&scopes[i].order) <= inner_to) continue;
            if (next < 0 || atomic_load(&scopes[i].order) < atomic_load(&scopes[next].order)) next = i;
        }
        if (next < 0) return;
        inner_to = atomic_load(&scopes[next].order);
        int fd = atomic_load(&scopes[next].fd);
        struct ipc_terminal_modes current;
        if (fd < 0 || !ipc_terminal_is_ours(fd) || ioctl(fd, TCGETS2, &current) < 0) continue;
        // What was there when we were stopped may have been changed since. Modes of our own are no such change.
        if (!is_own(&current)) scopes[next].former = current;
        ioctl(fd, TCSETS2, &scopes[next].own);
    }
}

static void handle_fault(int signal, siginfo_t *info, void *context) {
    static atomic_int seen[65];
    (void)context;
    if (signal == SIGBUS && ipc_region_mend(info->si_code, info->si_addr)) return;
    if (getpid() == owner) {
        restore();
        remove_files();
    }
    // The same signal once more, as it was, to whoever had it before; the second time to nobody, since whoever came after us
    // may think that we did.
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    sigaction(signal, atomic_exchange(&seen[signal], 1) ? &standard : &former_actions[signal], NULL);
    syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), signal, info);
}

static void handle_deadly(int signal) {
    if (getpid() == owner) {
        restore();
        remove_files();
    }
    ipc_die_by_signal(signal);
}

static void handle_stop(int signal);

static int install(int signal, void (*handler)(int)) {
    struct sigaction action, current;
    if (sigaction(signal, NULL, &current) < 0) return -errno;
    if ((current.sa_flags & SA_SIGINFO) != 0 || current.sa_handler != SIG_DFL) return 0;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    return sigaction(signal, &action, NULL) < 0 ? -errno : 0;
}

static void handle_continue(int signal) {
    (void)signal;
    int saved = errno;
    if (getpid() == owner) apply();
    errno = saved;
}

static void handle_stop(int signal) {
    int saved = errno;
    if (getpid() == owner) restore();
    ipc_do_by_default(signal);
    // Here again: continued, or the default does not stop whom nobody could continue.
    if (atomic_load(&scope_count) > 0) {
        install(signal, handle_stop);
        if (getpid() == owner) apply();
    }
    errno = saved;
}

static void remove_handler(int signal, void (*handler)(int)) {
    struct sigaction standard, current;
    if (sigaction(signal, NULL, &current) < 0) return;
    if ((current.sa_flags & SA_SIGINFO) != 0 || current.sa_handler != handler) return;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, NULL);
}

static void end(void) {
    if (getpid() != owner) return;
    if (atomic_load(&scope_count) > 0) restore();
    remove_files();
}

static void install_all(void) {
    static int is_registered;
    if (!is_registered) is_registered = atexit(end) == 0;
    for (size_t i = 0; i < COUNT(deadly); i++) install(deadly[i], handle_deadly);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++) install(signal, handle_deadly);
    install(SIGTSTP, handle_stop);
    install(SIGCONT, handle_continue);
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct sigaction action, current;
        if (sigaction(faults[i], NULL, &current) < 0) continue;
        if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == handle_fault) continue;
        if ((current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler == SIG_IGN) continue;
        former_actions[faults[i]] = current;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = handle_fault;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigfillset(&action.sa_mask);
        sigaction(faults[i], &action, NULL);
    }
}

static void remove_all(void) {
    for (size_t i = 0; i < COUNT(deadly); i++) remove_handler(deadly[i], handle_deadly);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++) remove_handler(signal, handle_deadly);
    remove_handler(SIGTSTP, handle_stop);
    remove_handler(SIGCONT, handle_continue);
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct sigaction current;
        if (sigaction(faults[i], NULL, &current) < 0) continue;
        if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == handle_fault)
            sigaction(faults[i], &former_actions[faults[i]], NULL);
    }
}

// What is guarded from now on, the first of all or not.
static void begin(int is_first) {
    if (!is_first) return;
    owner = getpid();
    install_all();
}

static int is_idle(void) { return atomic_load(&scope_count) == 0 && atomic_load(&file_count) == 0; }

int32_t ipc_guard_terminal_enter(
    int32_t fd, const struct ipc_terminal_modes *former, const struct ipc_terminal_modes *own) {
    int is_first = is_idle(), place = 0;
    if (atomic_load(&scope_count) == 0)
        for (int i = 0; i < MOST_SCOPES; i++) atomic_store(&scopes[i].fd, -1);
    while (place < MOST_SCOPES && atomic_load(&scopes[place].fd) >= 0) place++;
    if (place == MOST_SCOPES) return -EBUSY;
    scopes[place].former = *former;
    scopes[place].own = *own;
    atomic_store(&scopes[place].order, atomic_fetch_add(&entries, 1));
    atomic_store(&scopes[place].fd, fd);
    atomic_fetch_add(&scope_count, 1);
    begin(is_first);
    return place;
}

void ipc_guard_terminal_update(int32_t scope, const struct ipc_terminal_modes *own) { scopes[scope].own = *own; }

void ipc_guard_terminal_leave(int32_t scope) {
    atomic_store(&scopes[scope].fd, -1);
    atomic_fetch_sub(&scope_count, 1);
    if (is_idle()) remove_all();
}

int32_t ipc_guard_file_enter(const char *path, uint64_t device, uint64_t inode) {
    int is_first = is_idle(), place = 0;
    while (place < MOST_FILES && atomic_load(&files[place].is_guarded)) place++;
    if (place == MOST_FILES) return -EBUSY;
    char *copy = strdup(path);
    if (copy == NULL) return -ENOMEM;
    files[place].path = copy;
    files[place].device = device;
    files[place].inode = inode;
    atomic_store(&files[place].is_guarded, 1);
    atomic_fetch_add(&file_count, 1);
    begin(is_first);
    return place;
}

void ipc_guard_file_leave(int32_t file) {
    atomic_store(&files[file].is_guarded, 0);
    free(files[file].path);
    atomic_fetch_sub(&file_count, 1);
    if (is_idle()) remove_all();
}
