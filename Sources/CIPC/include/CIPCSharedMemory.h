// Memory that processes share: files without a name until they are whole, mappings that survive a file cut short, a lock
// that survives its holder, and a value that is changed in one step.
#ifndef CIPC_SHARED_MEMORY_H
#define CIPC_SHARED_MEMORY_H

#include <stddef.h>
#include <stdint.h>

// Files
int32_t ipc_make_nameless(const char *_Nonnull folder, uint32_t mode);         // open O_TMPFILE, fchmod
int32_t ipc_give_name(int32_t fd, const char *_Nonnull path);                  // linkat; -EEXIST: the name is taken
int32_t ipc_set_size(int32_t fd, int64_t size);                                // ftruncate
int32_t ipc_allocate(int32_t fd, int64_t offset, int64_t size);                // fallocate: memory now, or -ENOSPC now
int32_t ipc_make_memory_file(const char *_Nonnull name);                       // memfd_create, to be sealed
enum ipc_seal { IPC_SEAL_SIZE = 1, IPC_SEAL_LATER_WRITING = 2, IPC_SEAL_SEALS = 4 };
int32_t ipc_add_seals(int32_t fd, int32_t seals);                              // fcntl F_ADD_SEALS
int32_t ipc_seals(int32_t fd);                                                 // F_GET_SEALS; -EINVAL: it can have none
int32_t ipc_is_ordinary_memory(int32_t fd);  // fstatfs: 1 of tmpfs, in pages of the usual size; 0 of anything else

// Mappings. A page that is no longer the file's, because somebody has cut it short, is replaced by one of zeros when it is
// touched, and the region says so from then on: no SIGBUS. The guard for that stays from the first region on.
struct ipc_region;
struct ipc_region *_Nullable ipc_region_map(int32_t fd, size_t size, int32_t is_read_only, int32_t *_Nonnull error);
void *_Nonnull ipc_region_address(const struct ipc_region *_Nonnull region);
int32_t ipc_region_is_broken(const struct ipc_region *_Nonnull region);
void ipc_region_unmap(struct ipc_region *_Nonnull region);
// For handlers of SIGBUS: 1 if it was such a page, and the thread may go on.
int32_t ipc_region_mend(int32_t code, const void *_Nullable address);

// The last 64 bytes of the first page of an object with a lock: what changes, in one line of the cache.
struct ipc_shared_line {
    uint64_t version;   // of the value: its last bit says in which half it is
    uint64_t small[2];  // both halves of a value of at most eight bytes
    uint32_t check[2];  // a sum of each half and its version
    uint32_t waiters;   // the version that somebody waits to see changed, twice and one; 0: nobody waits
    uint32_t state;     // of what the lock protects: IPC_LOCK_SOUND, IPC_LOCK_UNREPAIRED
    uint32_t lock;      // the thread that holds it, and the kernel's bits; 24 bytes before the page's end: see the rules in lock.c
    uint32_t holder;    // the process that has it, or died with it
    uint32_t has_strangers;  // whether a process of another pid namespace uses it: then the number of a thread says nothing
    uint32_t spare[3];
};
enum ipc_lock_state { IPC_LOCK_SOUND, IPC_LOCK_UNREPAIRED };

// An object with a lock: the file's first page, a private one with the lock's place in the list of its thread, the rest.
struct ipc_region *_Nullable ipc_lock_map(int32_t fd, size_t size, int32_t *_Nonnull error);
struct ipc_shared_line *_Nonnull ipc_lock_line(const struct ipc_region *_Nonnull region);
void *_Nonnull ipc_lock_rest(const struct ipc_region *_Nonnull region);  // what the file has from its second page on

// Takes the lock for this thread. 0: it is ours; 1: it is, and its former holder died with it; -EBUSY, -ETIMEDOUT, -EINTR,
// -EDEADLK: this thread has it. `until` is of CLOCK_MONOTONIC in nanoseconds; 0: do not wait, -1: as long as need be.
int32_t ipc_lock_take(struct ipc_shared_line *_Nonnull line, int64_t until);
void ipc_lock_leave(struct ipc_shared_line *_Nonnull line);
int32_t ipc_lock_thread(const struct ipc_shared_line *_Nonnull line);    // the holding thread; 0: nobody
int32_t ipc_lock_process(const struct ipc_shared_line *_Nonnull line);   // the process that has it or died with it; 0: none
int32_t ipc_lock_state(const struct ipc_shared_line *_Nonnull line);
void ipc_lock_set_state(struct ipc_shared_line *_Nonnull line, int32_t state);
int32_t ipc_lock_has_strangers(const struct ipc_shared_line *_Nonnull line);
void ipc_lock_add_stranger(struct ipc_shared_line *_Nonnull line);

// A value in two halves, one of which counts. Its halves and their sizes are where the caller says.
struct ipc_shared_halves {
    struct ipc_shared_line *_Nonnull line;
    void *_Nonnull half[2];
    size_t size;                       // of a half
    uint64_t *_Nullable length;        // two lengths, for values that do not fill their half
    const struct ipc_region *_Nonnull region;
};
// Copies the value without taking the lock. -EAGAIN: it changed each time; -EBADMSG: it is damaged; -ENOBUFS: it is longer.
long ipc_shared_read(
    const struct ipc_shared_halves *_Nonnull value, void *_Nonnull out, size_t room, uint64_t *_Nonnull version);
size_t ipc_shared_length(const struct ipc_shared_halves *_Nonnull value);  // of the value at the moment, at most a half's
uint64_t ipc_shared_version(const struct ipc_shared_halves *_Nonnull value);
// With the lock held: makes other bytes the value, in one step; the same bytes are no change.
void ipc_shared_commit(const struct ipc_shared_halves *_Nonnull value, const void *_Nonnull bytes, size_t count);
// The value that a new object begins with, which nobody else has yet.
void ipc_shared_begin(const struct ipc_shared_halves *_Nonnull value, const void *_Nonnull bytes, size_t count);
// Takes the lock, and a value of at most eight bytes, as ipc_lock_take does; -EBADMSG: it is damaged, and the lock not ours.
int32_t ipc_shared_take_word(const struct ipc_shared_halves *_Nonnull value, uint64_t *_Nonnull word, int64_t until);
// Makes a word the value and leaves the lock. -1: the region is broken.
int32_t ipc_shared_leave_word(const struct ipc_shared_halves *_Nonnull value, uint64_t word);
// Waits until the version is another. 0: it is, -ETIMEDOUT, -EINTR. `until` as above.
int32_t ipc_shared_wait(const struct ipc_shared_halves *_Nonnull value, uint64_t version, int64_t until);

#endif
