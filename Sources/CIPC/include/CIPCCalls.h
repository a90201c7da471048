// System calls, one to a function: the result, or the error number negated.
#ifndef CIPC_CALLS_H
#define CIPC_CALLS_H

#include <stddef.h>
#include <stdint.h>

// Descriptors
int32_t ipc_open(const char *_Nonnull path, int32_t flags, uint32_t mode);
int32_t ipc_close(int32_t fd);
long ipc_read(int32_t fd, void *_Nullable buffer, size_t count);
long ipc_write(int32_t fd, const void *_Nullable bytes, size_t count);
long ipc_read_flags(int32_t fd, void *_Nullable buffer, size_t count, int32_t rwf);         // preadv2, offset -1
long ipc_write_flags(int32_t fd, const void *_Nullable bytes, size_t count, int32_t rwf);   // pwritev2, offset -1
long ipc_receive(int32_t fd, void *_Nullable buffer, size_t count);                         // recv MSG_DONTWAIT
long ipc_send(int32_t fd, const void *_Nullable bytes, size_t count);                       // send MSG_DONTWAIT|MSG_NOSIGNAL
int32_t ipc_duplicate(int32_t fd, int32_t lowest);                                          // F_DUPFD_CLOEXEC
int32_t ipc_get_status_flags(int32_t fd);                                                   // F_GETFL
int32_t ipc_set_status_flags(int32_t fd, int32_t flags);                                    // F_SETFL
int32_t ipc_get_close_on_exec(int32_t fd);                                                  // F_GETFD
int32_t ipc_set_close_on_exec(int32_t fd, int32_t on);                                      // F_SETFD
int32_t ipc_synchronize(int32_t fd);                                                        // fsync
int32_t ipc_pipe(int32_t *_Nonnull reader, int32_t *_Nonnull writer);                       // pipe2 O_CLOEXEC
int32_t ipc_get_pipe_capacity(int32_t fd);                                                  // F_GETPIPE_SZ
int32_t ipc_set_pipe_capacity(int32_t fd, int32_t bytes);                                   // F_SETPIPE_SZ
int32_t ipc_bytes_readable(int32_t fd);                                                     // FIONREAD
int32_t ipc_socket_pair(int32_t type, int32_t *_Nonnull one, int32_t *_Nonnull other);      // AF_UNIX, SOCK_CLOEXEC
int32_t ipc_stream_socket_pair(int32_t *_Nonnull one, int32_t *_Nonnull other);             // SOCK_STREAM
int32_t ipc_sequenced_socket_pair(int32_t *_Nonnull one, int32_t *_Nonnull other);          // SOCK_SEQPACKET
int32_t ipc_shutdown_writing(int32_t fd);                                                   // shutdown SHUT_WR

// Files
enum ipc_file_type {
    IPC_FILE_OTHER, IPC_FILE_REGULAR, IPC_FILE_DIRECTORY, IPC_FILE_FIFO, IPC_FILE_SOCKET, IPC_FILE_CHARACTER,
    IPC_FILE_BLOCK, IPC_FILE_LINK
};
struct ipc_file_information {
    uint64_t device, inode, size;
    uint32_t mode, owner, group, links;
    int32_t type;  // enum ipc_file_type
};
int32_t ipc_file_status(const char *_Nonnull path, struct ipc_file_information *_Nonnull out);  // stat
int32_t ipc_descriptor_status(int32_t fd, struct ipc_file_information *_Nonnull out);           // fstat
int32_t ipc_may_execute(const char *_Nonnull path);          // faccessat X_OK AT_EACCESS
int32_t ipc_is_mounted_no_execute(const char *_Nonnull path);  // statvfs ST_NOEXEC: 1 yes, 0 no

int32_t ipc_limits_file_size(void);         // getrlimit RLIMIT_FSIZE: 1 there is a limit
int32_t ipc_is_anonymous_pipe(int32_t fd);  // by its file system: 1 a pipe(2), 0 anything else, a named FIFO included

// epoll, eventfd
struct ipc_event {
    uint32_t events;
    uint32_t generation;
    int32_t fd;
};
int32_t ipc_epoll_create(void);
int32_t ipc_epoll_control(int32_t epoll, int32_t operation, int32_t fd, uint32_t events, uint32_t generation);
// Waits if it may, else only looks; fills `events`, gives their number.
int32_t ipc_epoll_wait(int32_t epoll, struct ipc_event *_Nonnull events, int32_t capacity, int32_t mayWait);
// A descriptor that becomes readable at a time of the monotonic clock, and setting that time.
int32_t ipc_timerfd(void);
int32_t ipc_timerfd_set(int32_t fd, uint64_t nanoseconds);
int32_t ipc_is_always_ready(int32_t fd);  // 1: epoll refuses the file, since it never makes anybody wait
int32_t ipc_eventfd(void);
int32_t ipc_poll_once(int32_t fd, uint32_t events);  // poll without waiting: 1 ready, 0 not
int32_t ipc_poll_wait(int32_t fd, int32_t writable, int64_t nanoseconds);

// Time: CLOCK_MONOTONIC in nanoseconds.
uint64_t ipc_monotonic_now(void);

// Terminals
int32_t ipc_is_terminal(int32_t fd);
int32_t ipc_is_terminal_master(int32_t fd);
int32_t ipc_get_foreground_group(int32_t fd);
// Gives the terminal to a group with SIGTTOU held, so that a background caller is not stopped by asking.
int32_t ipc_set_foreground_group(int32_t fd, int32_t group);

// Identity
int32_t ipc_process_id(void);
int32_t ipc_parent_process_id(void);
int32_t ipc_process_group(int32_t pid);
int32_t ipc_session(int32_t pid);
uint32_t ipc_user_id(void);
uint32_t ipc_effective_user_id(void);

// Names of errors: static strings, never localised.
const char *_Nullable ipc_error_name(int32_t error);
const char *_Nullable ipc_error_text(int32_t error);

const char *_Nullable const *_Nullable ipc_environment(void);
const char *_Nullable ipc_environment_value(const char *_Nonnull name);
const char *_Nullable ipc_secure_environment(const char *_Nonnull name);

// Searching memory: the first `byte` (-1: none), and whether all bytes are ASCII.
static inline long ipc_find_byte(const void *_Nonnull bytes, int32_t byte, long count) {
    const char *found = (const char *)__builtin_memchr(bytes, byte, (size_t)count);
    return found == NULL ? -1 : found - (const char *)bytes;
}

static inline int32_t ipc_is_ascii(const void *_Nullable bytes, long count) {
    const unsigned char *at = (const unsigned char *)bytes;
    uint64_t word, seen = 0;
    for (; count >= 8; at += 8, count -= 8) {
        __builtin_memcpy(&word, at, 8);
        seen |= word;
    }
    for (; count > 0; at++, count--) seen |= *at;
    return (seen & 0x8080808080808080u) == 0;
}

#endif
