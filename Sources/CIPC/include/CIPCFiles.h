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

// What the kernel's tables of processes count in.
int64_t ipc_page_size(void);
int64_t ipc_clock_ticks_per_second(void);

#endif
