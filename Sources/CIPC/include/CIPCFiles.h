// Locks on files, and reading folders and links: what locks and the list of processes need.
#ifndef CIPC_FILES_H
#define CIPC_FILES_H

#include <stddef.h>
#include <stdint.h>

// Advisory locks
enum ipc_lock { IPC_LOCK_SHARED, IPC_LOCK_EXCLUSIVE, IPC_LOCK_NONE };
// flock, which waits or says -EWOULDBLOCK.
int32_t ipc_flock(int32_t fd, int32_t lock, int32_t may_wait);
// fcntl F_OFD_SETLKW, or F_OFD_SETLK, which says -EAGAIN; a length of 0 reaches to the end, wherever that comes to be.
int32_t ipc_record_lock(int32_t fd, int32_t lock, int64_t start, int64_t length, int32_t may_wait);

int32_t ipc_open_at(int32_t folder, const char *_Nonnull path, int32_t flags);                        // openat O_CLOEXEC
long ipc_read_folder(int32_t fd, void *_Nonnull buffer, size_t count);                                 // getdents64
long ipc_read_link_at(int32_t folder, const char *_Nonnull path, void *_Nonnull buffer, size_t count);  // readlinkat

// FIFOs and their names
int32_t ipc_make_fifo(const char *_Nonnull path, uint32_t mode);    // mkfifo, less the umask
int32_t ipc_change_mode(const char *_Nonnull path, uint32_t mode);  // chmod
enum ipc_renaming { IPC_RENAME_REPLACE, IPC_RENAME_NEW, IPC_RENAME_EXCHANGE };
int32_t ipc_rename(const char *_Nonnull from, const char *_Nonnull to, int32_t how);  // renameat2

// What becomes of an open file's name: a descriptor that is readable when something has. inotify, IN_ATTRIB, IN_MOVE_SELF
int32_t ipc_watch_name(const char *_Nonnull path);
// Who opens and closes a file and reads from it, a process an event: a descriptor that is readable when there are events;
// -EPERM, -EINVAL, -ENOSYS where the kernel does not tell us. fanotify: FAN_OPEN, FAN_ACCESS, FAN_CLOSE_NOWRITE
int32_t ipc_watch_use(const char *_Nonnull path);
// How many processes other than this have opened and closed it since the last look; -EAGAIN: nothing has come.
int32_t ipc_count_use(int32_t watch, int32_t *_Nonnull openings, int32_t *_Nonnull closings);

// The first place of some bytes in others, -1: none. memmem
long ipc_find_bytes(const void *_Nonnull bytes, long count, const void *_Nonnull wanted, long length);

// What the kernel's tables of processes count in.
int64_t ipc_page_size(void);
int64_t ipc_clock_ticks_per_second(void);

#endif
