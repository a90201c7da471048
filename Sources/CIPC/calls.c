// System calls, one to a function. The error number is taken here, in the statement after the call.
#define _GNU_SOURCE
#include "CIPCCalls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define RESULT(call)                                   \
    do {                                               \
        __auto_type result_ = (call);                  \
        return result_ < 0 ? (__typeof__(result_))-errno : result_; \
    } while (0)

int32_t ipc_open(const char *path, int32_t flags, uint32_t mode) { RESULT(open(path, flags | O_CLOEXEC, mode)); }

int32_t ipc_close(int32_t fd) {
    // Linux gives the number back whatever close says, EINTR included: closing again could close another's.
    if (close(fd) == 0 || errno == EINTR) return 0;
    return -errno;
}

long ipc_read(int32_t fd, void *buffer, size_t count) { RESULT(read(fd, buffer, count)); }
long ipc_write(int32_t fd, const void *bytes, size_t count) { RESULT(write(fd, bytes, count)); }

long ipc_read_flags(int32_t fd, void *buffer, size_t count, int32_t rwf) {
    struct iovec piece = {buffer, count};
    RESULT(preadv2(fd, &piece, 1, -1, rwf));
}

long ipc_write_flags(int32_t fd, const void *bytes, size_t count, int32_t rwf) {
    struct iovec piece = {(void *)bytes, count};
    RESULT(pwritev2(fd, &piece, 1, -1, rwf));
}

long ipc_receive(int32_t fd, void *buffer, size_t count) { RESULT(recv(fd, buffer, count, MSG_DONTWAIT)); }
long ipc_send(int32_t fd, const void *bytes, size_t count) {
    RESULT(send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL));
}

int32_t ipc_duplicate(int32_t fd, int32_t lowest) { RESULT(fcntl(fd, F_DUPFD_CLOEXEC, lowest)); }
int32_t ipc_get_status_flags(int32_t fd) { RESULT(fcntl(fd, F_GETFL)); }
int32_t ipc_set_status_flags(int32_t fd, int32_t flags) { RESULT(fcntl(fd, F_SETFL, flags)); }
int32_t ipc_get_close_on_exec(int32_t fd) {
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -errno : (flags & FD_CLOEXEC) != 0;
}
int32_t ipc_set_close_on_exec(int32_t fd, int32_t on) { RESULT(fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0)); }
int32_t ipc_synchronize(int32_t fd) { RESULT(fsync(fd)); }

int32_t ipc_pipe(int32_t *reader, int32_t *writer) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    *reader = ends[0];
    *writer = ends[1];
    return 0;
}
int32_t ipc_get_pipe_capacity(int32_t fd) { RESULT(fcntl(fd, F_GETPIPE_SZ)); }
int32_t ipc_set_pipe_capacity(int32_t fd, int32_t bytes) { RESULT(fcntl(fd, F_SETPIPE_SZ, bytes)); }
int32_t ipc_bytes_readable(int32_t fd) {
    int count = 0;
    return ioctl(fd, FIONREAD, &count) < 0 ? -errno : count;
}

int32_t ipc_socket_pair(int32_t type, int32_t *one, int32_t *other) {
    int ends[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    *one = ends[0];
    *other = ends[1];
    return 0;
}

int32_t ipc_stream_socket_pair(int32_t *one, int32_t *other) { return ipc_socket_pair(SOCK_STREAM, one, other); }
int32_t ipc_sequenced_socket_pair(int32_t *one, int32_t *other) { return ipc_socket_pair(SOCK_SEQPACKET, one, other); }
int32_t ipc_shutdown_writing(int32_t fd) { RESULT(shutdown(fd, SHUT_WR)); }

static int32_t type_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return IPC_FILE_REGULAR;
    case S_IFDIR: return IPC_FILE_DIRECTORY;
    case S_IFIFO: return IPC_FILE_FIFO;
    case S_IFSOCK: return IPC_FILE_SOCKET;
    case S_IFCHR: return IPC_FILE_CHARACTER;
    case S_IFBLK: return IPC_FILE_BLOCK;
    case S_IFLNK: return IPC_FILE_LINK;
    default: return IPC_FILE_OTHER;  // epoll, eventfd, pidfd and their like have no type bits
    }
}

static int32_t fill(int result, const struct stat *from, struct ipc_file_information *out) {
    if (result < 0) return -errno;
    *out = (struct ipc_file_information){
        .device = from->st_dev, .inode = from->st_ino, .size = (uint64_t)from->st_size,
        .mode = from->st_mode & 07777, .owner = from->st_uid, .group = from->st_gid,
        .links = (uint32_t)from->st_nlink, .type = type_of(from->st_mode)};
    return 0;
}

int32_t ipc_file_status(const char *path, struct ipc_file_information *out) {
    struct stat status;
    return fill(stat(path, &status), &status, out);
}

int32_t ipc_descriptor_status(int32_t fd, struct ipc_file_information *out) {
    struct stat status;
    return fill(fstat(fd, &status), &status, out);
}

int32_t ipc_may_execute(const char *path) { RESULT(faccessat(AT_FDCWD, path, X_OK, AT_EACCESS)); }

int32_t ipc_is_mounted_no_execute(const char *path) {
    struct statvfs status;
    if (statvfs(path, &status) < 0) return -errno;
    return (status.f_flag & ST_NOEXEC) != 0;
}

int32_t ipc_limits_file_size(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

int32_t ipc_is_anonymous_pipe(int32_t fd) {
    struct statfs status;
    return fstatfs(fd, &status) == 0 && status.f_type == PIPEFS_MAGIC;
}

int32_t ipc_epoll_create(void) { RESULT(epoll_create1(EPOLL_CLOEXEC)); }

int32_t ipc_epoll_control(int32_t epoll, int32_t operation, int32_t fd, uint32_t events, uint32_t generation) {
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd};
    RESULT(epoll_ctl(epoll, operation, fd, &event));
}

int32_t ipc_epoll_wait(int32_t epoll, struct ipc_event *out, int32_t capacity, int32_t may_wait) {
    struct epoll_event events[256];
    if (capacity > 256) capacity = 256;
    int count = epoll_wait(epoll, events, capacity, may_wait ? -1 : 0);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++)
        out[i] = (struct ipc_event){events[i].events, (uint32_t)(events[i].data.u64 >> 32), (int32_t)events[i].data.u64};
    return count;
}

int32_t ipc_timerfd(void) { RESULT(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)); }

int32_t ipc_timerfd_set(int32_t fd, uint64_t nanoseconds) {
    if (nanoseconds == 0) nanoseconds = 1;  // 0 would disarm it
    struct itimerspec when = {.it_value = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)}};
    RESULT(timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL));
}

int32_t ipc_is_always_ready(int32_t fd) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0) return 0;
    struct epoll_event event = {.events = EPOLLIN};
    int refused = epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) < 0 && errno == EPERM;
    close(set);
    return refused;
}

int32_t ipc_eventfd(void) { RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int32_t ipc_poll_once(int32_t fd, uint32_t events) {
    struct pollfd item = {fd, (short)((events & EPOLLIN ? POLLIN : 0) | (events & EPOLLOUT ? POLLOUT : 0)), 0};
    RESULT(poll(&item, 1, 0));
}

int32_t ipc_poll_wait(int32_t fd, int32_t writable, int64_t nanoseconds) {
    struct pollfd item = {fd, (short)(writable ? POLLOUT : POLLIN), 0};
    struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    RESULT(ppoll(&item, 1, nanoseconds < 0 ? NULL : &limit, NULL));
}

uint64_t ipc_monotonic_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int32_t ipc_is_terminal(int32_t fd) {
    struct termios modes;
    return tcgetattr(fd, &modes) == 0;
}

int32_t ipc_is_terminal_master(int32_t fd) {
    int number;
    return ioctl(fd, TIOCGPTN, &number) == 0;
}

int32_t ipc_get_foreground_group(int32_t fd) { RESULT(tcgetpgrp(fd)); }

int32_t ipc_set_foreground_group(int32_t fd, int32_t group) {
    sigset_t stop, former;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &stop, &former);
    int result = tcsetpgrp(fd, group) < 0 ? -errno : 0;
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    return result;
}

int32_t ipc_process_id(void) { return getpid(); }
int32_t ipc_parent_process_id(void) { return getppid(); }
int32_t ipc_process_group(int32_t pid) { RESULT(getpgid(pid)); }
int32_t ipc_session(int32_t pid) { RESULT(getsid(pid)); }
uint32_t ipc_user_id(void) { return getuid(); }
uint32_t ipc_effective_user_id(void) { return geteuid(); }

const char *ipc_error_name(int32_t error) { return strerrorname_np(error); }
const char *ipc_error_text(int32_t error) { return strerrordesc_np(error); }

extern char **environ;
const char *const *ipc_environment(void) { return (const char *const *)environ; }
const char *ipc_environment_value(const char *name) { return getenv(name); }
const char *ipc_secure_environment(const char *name) { return secure_getenv(name); }
