// What a daemon needs: its pid file, its successor in the same process, the word to its supervisor.
#ifndef CIPC_DAEMON_H
#define CIPC_DAEMON_H

#include <stddef.h>
#include <stdint.h>

// Whether another open file has locked the bytes (fcntl F_OFD_GETLK): 1, 0, or the error number negated.
int32_t ipc_record_is_locked(int32_t fd, int64_t start, int64_t length);
// ftruncate and pwrite.
int32_t ipc_replace_contents(int32_t fd, const void *_Nonnull bytes, size_t count);
long ipc_read_at(int32_t fd, void *_Nonnull buffer, size_t count, int64_t offset);  // pread
int32_t ipc_remove_file(const char *_Nonnull path);                         // unlink
long ipc_current_directory(char *_Nonnull buffer, size_t count);            // getcwd: the length
// execve, with an empty signal mask and the kept descriptors open in the new image. Returns only an error, negated.
int32_t ipc_replace_process(
    const char *_Nonnull path, char *_Nullable const *_Nonnull arguments,
    char *_Nullable const *_Nonnull environment, const int32_t *_Nullable kept, int32_t kept_count);
// One datagram to the address that NOTIFY_SOCKET has, a path or an abstract name with @; never waits.
int32_t ipc_notify(const char *_Nonnull address, const void *_Nonnull bytes, size_t count);

#endif
