// From a request to a running program.
//
// clone with CLONE_VM|CLONE_VFORK: no page table is copied, so a spawn costs the same from a process of any size; this
// thread sleeps until the child has executed or given up, and the child reports its error straight into our memory.
// What runs in the child is in this file alone and makes raw system calls: it shares our memory with all other threads,
// so it may take no lock, allocate nothing and run nobody's handler.
#define _GNU_SOURCE
#include "CIPCSpawn.h"
#include "CIPCThreads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Instrumented code would write marks for the child's stack into tables that the parent goes on using.
#define IN_CHILD __attribute__((disable_sanitizer_instrumentation, noinline))

#define MOST_MAPPINGS 256
#define MOST_GROUPS 65536  // NGROUPS_MAX
#define STACK_BYTES (32 * 1024)

struct start {
    const struct ipc_spawn_request *request;
    volatile int stage, error;
    pid_t parent;
    volatile pid_t second;  // the process that runs the program, where the first child has only made the session
    char *second_stack;
    int lifted[MOST_MAPPINGS];
};

extern char **environ;

// clone itself. The thread sanitizer has a clone of its own, which takes every child for a copy of the process: it would
// start the copy's tables anew, and here they are the parent's.
extern int __clone(int (*body)(void *), void *stack, int flags, void *argument, ...);

// Raw, since a sanitizer has an open, a close and a dup2 of its own, which keep account of the parent's descriptors.
IN_CHILD static int open_raw(const char *path, int flags) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags); }
IN_CHILD static int close_raw(int fd) { return (int)syscall(SYS_close, fd); }
IN_CHILD static int fcntl_raw(int fd, int command, long value) { return (int)syscall(SYS_fcntl, fd, command, value); }
IN_CHILD static int duplicate_raw(int fd, int target) { return (int)syscall(SYS_dup3, fd, target, 0); }

IN_CHILD static void give_up(struct start *start, int stage) {
    start->error = errno;
    start->stage = stage;
    for (;;) syscall(SYS_exit_group, 127);
}

// Handlers first: the memory they would touch is the parent's. Ignored signals too, which would survive execve.
IN_CHILD static void reset_signals(void) {
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } standard = {0};
    for (int signal = 1; signal <= 64; signal++)
        if (signal != SIGKILL && signal != SIGSTOP) syscall(SYS_rt_sigaction, signal, &standard, NULL, sizeof standard.mask);
}

// Everything above 2 closes on exec, whoever opened it and however; what the child is to have is mapped afterwards.
IN_CHILD static int close_on_exec_from(int lowest) {
    if (syscall(SYS_close_range, lowest, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */) == 0) return 0;
    if (errno != ENOSYS && errno != EINVAL) return -1;
    int folder = open_raw("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -1;
    char buffer[2048];
    long count;
    while ((count = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < count;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + at);
            int fd = 0, digits = 0;
            for (const char *c = entry->d_name; *c >= '0' && *c <= '9'; c++, digits++) fd = fd * 10 + (*c - '0');
            if (digits > 0 && fd >= lowest) fcntl_raw(fd, F_SETFD, FD_CLOEXEC);
            at += entry->d_reclen;
        }
    }
    close_raw(folder);
    return count < 0 ? -1 : 0;
}

// A standard descriptor that is absent: the number is taken, and reading 0 or writing 1 and 2 fails with EBADF.
IN_CHILD static int occupy(int target) {
    int fd = open_raw("/dev/null", target == 0 ? O_WRONLY : O_RDONLY);
    if (fd < 0 || fd == target) return fd < 0 ? -1 : 0;
    int result = duplicate_raw(fd, target);
    close_raw(fd);
    return result < 0 ? -1 : 0;
}

// In two passes, so that no target overwrites a source that is still needed: 0 and 1 may change places.
IN_CHILD static int map_descriptors(struct start *start) {
    const struct ipc_spawn_request *request = start->request;
    int above = 3;
    for (int i = 0; i < request->mapping_count; i++)
        if (request->mappings[i].target >= above) above = request->mappings[i].target + 1;
    for (int i = 0; i < request->mapping_count; i++) {
        int source = request->mappings[i].source, is_target = 0;
        for (int j = 0; j < request->mapping_count; j++)
            if (j != i && request->mappings[j].target == source) is_target = 1;
        start->lifted[i] = source;
        if (is_target && source != request->mappings[i].target) {
            start->lifted[i] = fcntl_raw(source, F_DUPFD_CLOEXEC, above);
            if (start->lifted[i] < 0 && !(errno == EBADF && source <= 2)) return -1;
        }
    }
    for (int i = 0; i < request->mapping_count; i++) {
        int source = start->lifted[i], target = request->mappings[i].target;
        int result = source < 0 ? -1 : source == target ? fcntl_raw(target, F_SETFD, 0) : duplicate_raw(source, target);
        if (result >= 0) continue;
        if (target > 2 || (source >= 0 && errno != EBADF)) return -1;
        if (occupy(target) < 0) return -1;
    }
    return 0;
}

// The numbers are set by the kernel's own calls: glibc's would set those of the parent's threads as well.
IN_CHILD static int has_groups(const struct ipc_spawn_identity *identity) {
    gid_t groups[256];
    long count = syscall(SYS_getgroups, 0, NULL);
    if (count != identity->group_count) return 0;
    if (count > 256) return 1;  // the kernel has just taken exactly these
    if (syscall(SYS_getgroups, 256, groups) != count) return 0;
    for (long i = 0; i < count; i++) {
        int found = 0;  // the kernel sorts them
        for (long j = 0; j < count; j++)
            if (groups[j] == identity->groups[i]) found = 1;
        if (!found) return 0;
    }
    return 1;
}

// Groups, then group, then user: after the user nothing else could be changed. Believed only when read back, and when the
// way back fails.
IN_CHILD static int take_identity(const struct ipc_spawn_identity *identity) {
    if (syscall(SYS_setgroups, identity->group_count, identity->groups) < 0 && !(errno == EPERM && has_groups(identity)))
        return -1;
    if (syscall(SYS_setresgid, identity->group, identity->group, identity->group) < 0) return -1;
    if (syscall(SYS_setresuid, identity->user, identity->user, identity->user) < 0) return -1;

    uid_t real, effective, saved;
    int kept = syscall(SYS_getresuid, &real, &effective, &saved) < 0 || real != identity->user ||
               effective != identity->user || saved != identity->user;
    kept |= syscall(SYS_getresgid, &real, &effective, &saved) < 0 || real != identity->group ||
            effective != identity->group || saved != identity->group;
    kept |= !has_groups(identity);
    if (!kept && identity->user != 0) {
        kept = syscall(SYS_setresuid, -1, 0, -1) == 0 || syscall(SYS_setuid, 0) == 0;
        if (identity->group != 0) kept |= syscall(SYS_setresgid, -1, 0, -1) == 0 || syscall(SYS_setgid, 0) == 0;
    }
    errno = EPERM;
    return kept ? -1 : 0;
}

IN_CHILD static int set_limits(const struct ipc_spawn_request *request) {
    for (int i = 0; i < request->limit_count; i++) {
        uint64_t pair[2] = {request->limits[i].soft, request->limits[i].hard};
        if (syscall(SYS_prlimit64, 0, request->limits[i].resource, pair, NULL) < 0) return -1;
    }
    return 0;
}

// All that the program is to find when it begins. What needs rights comes before they are given up.
IN_CHILD static int become(void *pointer) {
    struct start *start = pointer;
    const struct ipc_spawn_request *request = start->request;
    int group = request->session == IPC_SESSION_LEAD ? -1 : request->process_group;
    if (group >= 0 && syscall(SYS_setpgid, 0, group) < 0) give_up(start, IPC_STAGE_GROUP);
    if (request->terminal >= 0) {
        // All signals are held, SIGTTOU among them: a background process may ask.
        group = (int)syscall(SYS_getpgid, 0);
        if (syscall(SYS_ioctl, request->terminal, TIOCSPGRP, &group) < 0) give_up(start, IPC_STAGE_TERMINAL);
    }
    if (close_on_exec_from(3) < 0 || map_descriptors(start) < 0) give_up(start, IPC_STAGE_DESCRIPTORS);
    if (set_limits(request) < 0) give_up(start, IPC_STAGE_LIMITS);
    if (request->sets_priority && syscall(SYS_setpriority, PRIO_PROCESS, 0, request->priority) < 0)
        give_up(start, IPC_STAGE_PRIORITY);
    if (request->sets_mode_mask) syscall(SYS_umask, request->mode_mask);
    if (request->identity != NULL && take_identity(request->identity) < 0) give_up(start, IPC_STAGE_IDENTITY);
    if (request->directory != NULL && syscall(SYS_chdir, request->directory) < 0) give_up(start, IPC_STAGE_DIRECTORY);
    if (request->no_new_privileges && syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        give_up(start, IPC_STAGE_PRIVILEGES);
    if (request->signal_of_parents_death > 0) {
        // After the change of user, which takes it back; and then the parent may be gone already.
        if (syscall(SYS_prctl, PR_SET_PDEATHSIG, request->signal_of_parents_death, 0, 0, 0) < 0)
            give_up(start, IPC_STAGE_PARENT);
        if (syscall(SYS_getppid) != start->parent) syscall(SYS_exit_group, 127);
    }
    uint64_t none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
    char *const *environment = request->environment != NULL ? request->environment : environ;
    syscall(SYS_execve, request->path, request->arguments, environment);
    give_up(start, IPC_STAGE_EXECUTE);
    return 0;
}

IN_CHILD static int child(void *pointer) {
    struct start *start = pointer;
    reset_signals();
    if (start->request->session != IPC_SESSION_STAY && syscall(SYS_setsid) < 0) give_up(start, IPC_STAGE_SESSION);
    if (start->request->controlling_terminal >= 0 && syscall(SYS_ioctl, start->request->controlling_terminal, TIOCSCTTY, 0) < 0)
        give_up(start, IPC_STAGE_TERMINAL);
    if (start->request->session != IPC_SESSION_JOIN) return become(start);
    // Who leads a session may get a terminal by opening one. So the program runs in a second child, which the kernel counts
    // as a child of our parent, and this one ends.
    start->second = __clone(become, start->second_stack, CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD, start);
    if (start->second < 0) give_up(start, IPC_STAGE_CLONE);
    for (;;) syscall(SYS_exit_group, 0);
}

static void reap(int kind, int number) {
    siginfo_t information;
    while (waitid((idtype_t)kind, (id_t)number, &information, WEXITED) < 0 && errno == EINTR) {}
}

int32_t ipc_spawn(const struct ipc_spawn_request *request, struct ipc_spawn_result *result) {
    *result = (struct ipc_spawn_result){.pid = -1, .pidfd = -1};
    if (request->mapping_count > MOST_MAPPINGS || (request->identity && request->identity->group_count > MOST_GROUPS)) {
        result->error = E2BIG;
        result->stage = request->mapping_count > MOST_MAPPINGS ? IPC_STAGE_DESCRIPTORS : IPC_STAGE_IDENTITY;
        return -E2BIG;
    }
    // The stacks of the children lie on ours, which stands still meanwhile.
    char stack[STACK_BYTES] __attribute__((aligned(64))), second_stack[STACK_BYTES] __attribute__((aligned(64)));
    struct start start = {
        .request = request, .parent = getpid(), .second = -1, .second_stack = second_stack + sizeof second_stack};
    // The kernel's own call: glibc's leaves out two signals, and no signal at all may be delivered to the child.
    uint64_t all = ~(uint64_t)0, former;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &former, sizeof all);
    int pidfd = -1;
    int pid = __clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &pidfd);
    int error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &former, NULL, sizeof former);

    if (pid < 0) {
        result->error = error;
        result->stage = IPC_STAGE_CLONE;
        return -error;
    }
    if (start.error == 0 && request->session == IPC_SESSION_JOIN) {
        // The first child has ended. The second cannot be mistaken: nobody has waited for it yet.
        reap(3 /* P_PIDFD */, pidfd);
        close(pidfd);
        pid = start.second;
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (pidfd >= 0 && pidfd <= 2) {
            int lifted = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
            close(pidfd);
            pidfd = lifted;
        }
        if (pidfd < 0) {
            start.error = errno;
            start.stage = IPC_STAGE_CLONE;
            syscall(SYS_kill, pid, SIGKILL);
            reap(P_PID, pid);
        }
    } else if (start.error != 0) {
        reap(3 /* P_PIDFD */, pidfd);
        close(pidfd);
        if (start.second > 0) reap(P_PID, start.second);
    }
    if (start.error != 0) {
        result->error = start.error;
        result->stage = start.stage;
        return -start.error;
    }
    result->pid = pid;
    result->pidfd = pidfd;
    return 0;
}

// The thread that starts what is to die with this process: to the kernel the parent that dies is a thread, so it must be
// one that never ends.
static pthread_mutex_t lasting_turn = PTHREAD_MUTEX_INITIALIZER, lasting_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t lasting_change = PTHREAD_COND_INITIALIZER;
static const struct ipc_spawn_request *lasting_request;
static struct ipc_spawn_result *lasting_result;

static void start_for_others(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lasting_lock);
    for (;;) {
        while (lasting_request == NULL) pthread_cond_wait(&lasting_change, &lasting_lock);
        ipc_spawn(lasting_request, lasting_result);
        lasting_request = NULL;
        pthread_cond_broadcast(&lasting_change);
    }
}

int32_t ipc_spawn_from_lasting_thread(const struct ipc_spawn_request *request, struct ipc_spawn_result *result) {
    static int is_running;
    pthread_mutex_lock(&lasting_turn);
    int error = is_running ? 0 : ipc_thread_start("ipc-parent", start_for_others, NULL);
    if (error == 0) {
        is_running = 1;
        pthread_mutex_lock(&lasting_lock);
        lasting_request = request;
        lasting_result = result;
        pthread_cond_broadcast(&lasting_change);
        while (lasting_request != NULL) pthread_cond_wait(&lasting_change, &lasting_lock);
        pthread_mutex_unlock(&lasting_lock);
    } else {
        *result = (struct ipc_spawn_result){.pid = -1, .pidfd = -1, .stage = IPC_STAGE_CLONE, .error = -error};
    }
    pthread_mutex_unlock(&lasting_turn);
    return -result->error;
}

static void describe(struct ipc_end *end, int code, int status) {
    end->kind = code == CLD_EXITED ? IPC_END_EXITED : code == CLD_DUMPED ? IPC_END_DUMPED : IPC_END_KILLED;
    end->status = status;
}

int32_t ipc_reap(int32_t pidfd, struct ipc_end *end) {
    siginfo_t information;
    struct rusage usage;
    memset(&information, 0, sizeof information);
    memset(&usage, 0, sizeof usage);
    // glibc's waitid has no room for the resource usage; the kernel's has.
    if (syscall(SYS_waitid, 3 /* P_PIDFD */, pidfd, &information, WEXITED | WNOHANG, &usage) < 0) return -errno;
    if (information.si_pid == 0) return 0;
    *end = (struct ipc_end){
        .user_microseconds = (uint64_t)usage.ru_utime.tv_sec * 1000000u + (uint64_t)usage.ru_utime.tv_usec,
        .system_microseconds = (uint64_t)usage.ru_stime.tv_sec * 1000000u + (uint64_t)usage.ru_stime.tv_usec,
        .peak_memory_kibibytes = (uint64_t)usage.ru_maxrss};
    describe(end, information.si_code, information.si_status);
    return 1;
}

int32_t ipc_has_ended(int32_t pidfd) {
    siginfo_t information;
    memset(&information, 0, sizeof information);
    if (syscall(SYS_waitid, 3 /* P_PIDFD */, pidfd, &information, WEXITED | WNOHANG | WNOWAIT, NULL) < 0) return -errno;
    return information.si_pid != 0;
}

int32_t ipc_wait_for_stop(int32_t pidfd) {
    siginfo_t information;
    for (;;) {
        memset(&information, 0, sizeof information);
        if (syscall(SYS_waitid, 3 /* P_PIDFD */, pidfd, &information, WSTOPPED | WEXITED | WNOWAIT, NULL) < 0) {
            if (errno == EINTR) continue;
            return 0;
        }
        if (information.si_code != CLD_STOPPED && information.si_code != CLD_TRAPPED) return 0;
        syscall(SYS_waitid, 3, pidfd, &information, WSTOPPED | WNOHANG, NULL);
        return 1;
    }
}

int32_t ipc_wait_for_stop_in_group(int32_t group) {
    siginfo_t information;
    for (;;) {
        if (waitid(P_PGID, (id_t)group, &information, WSTOPPED) == 0) return 1;
        if (errno != EINTR) return 0;
    }
}

int32_t ipc_stop_own_group(void) {
    pid_t parent = getppid();
    if (getsid(parent) != getsid(0) || getpgid(parent) == getpgrp()) return 0;
    // The others of the group only: a signal that stopped this process here would be followed by the next, after it has
    // been continued.
    struct sigaction ignored, former;
    memset(&ignored, 0, sizeof ignored);
    ignored.sa_handler = SIG_IGN;
    sigaction(SIGTSTP, &ignored, &former);
    kill(0, SIGTSTP);
    sigaction(SIGTSTP, &former, NULL);
    // To this very thread, so that it is stopped here, and goes on only when the whole process does.
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), SIGSTOP);
    return 1;
}

void ipc_reap_by_number(int32_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

int32_t ipc_end_of_reaped(int32_t pidfd, struct ipc_end *end) {
    struct {
        uint64_t mask, control_group;
        uint32_t ids[11];
        int32_t exit_code;
    } information = {.mask = 8 /* PIDFD_INFO_EXIT */};
    _Static_assert(sizeof information == 64, "the first published size of struct pidfd_info");
    if (ioctl(pidfd, _IOC(_IOC_READ | _IOC_WRITE, 0xFF, 11, sizeof information), &information) < 0) return 0;
    if ((information.mask & 8) == 0) return 0;
    int status = information.exit_code;
    *end = (struct ipc_end){0};
    if (WIFEXITED(status)) describe(end, CLD_EXITED, WEXITSTATUS(status));
    else describe(end, WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED, WTERMSIG(status));
    return 1;
}
