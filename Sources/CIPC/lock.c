// A lock between processes that the kernel gives back when its holder dies, and a value behind it.
//
// The kernel keeps for each thread a list of the locks that it holds, and marks them when the thread ends: the robust list of
// set_robust_list(2), which glibc has registered for its own mutexes. Ours join it, by its rules:
//
// - An entry lies at a fixed distance from its lock: 32 bytes behind it, as glibc has told the kernel. An entry is two
//   pointers, one before and one at its address.
// - A mutex of pthreads has its entry in the shared memory, where whoever writes there turns this process's pointers into any
//   others. Here the lock is 24 bytes before the end of the shared page, and so the entry in the page behind it, which is
//   private: nothing that others write is followed.
// - Before a lock is taken or left, list_op_pending names the entry, for the moments in which the lock and the list differ.
//
// The lock's word is the thread that holds it, with FUTEX_WAITERS if others wait, and is FUTEX_OWNER_DIED when it died.
//
// The kernel's walk along a thread's list ends at a lock whose page is no longer there. What the thread held besides is found by
// its number, as a word is that no thread has, within a SLICE.
#define _GNU_SOURCE
#include "CIPCCalls.h"
#include "CIPCFiles.h"
#include "CIPCSharedMemory.h"
#include "regions.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(struct ipc_shared_line) == 64, "the line of the cache");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the kernel waits for the lower half of the version");
_Static_assert(offsetof(struct ipc_shared_line, lock) == 40, "24 bytes before the end of the page");

#define DISTANCE 32
#define SLICE 100000000  // nanoseconds after which a waiter looks whether what it waits for can still come

// MARK: The mapping

struct ipc_region *ipc_lock_map(int32_t fd, size_t size, int32_t *error) {
    size_t page = (size_t)ipc_page_size(), all = (size < page ? page : size) + page;
    char *address = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *error = address == MAP_FAILED ? errno : 0;
    if (address == MAP_FAILED) return NULL;
    int flags = MAP_SHARED | MAP_FIXED, access = PROT_READ | PROT_WRITE;
    if (mmap(address, page, access, flags, fd, 0) == MAP_FAILED ||
        mmap(address + page, page, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ||
        (size > page && mmap(address + 2 * page, size - page, access, flags, fd, (off_t)page) == MAP_FAILED)) {
        *error = errno;
        munmap(address, all);
        return NULL;
    }
    struct ipc_region *region = ipc_region_enter(address, all);
    if (region != NULL) return region;
    munmap(address, all);
    *error = ENOMEM;
    return NULL;
}

struct ipc_shared_line *ipc_lock_line(const struct ipc_region *region) {
    char *address = ipc_region_address(region);
    return (struct ipc_shared_line *)(void *)(address + ipc_page_size() - sizeof(struct ipc_shared_line));
}

void *ipc_lock_rest(const struct ipc_region *region) { return (char *)ipc_region_address(region) + 2 * ipc_page_size(); }

// MARK: The list

// What a thread knows of itself, so that it does not ask each time.
static __thread struct {
    struct robust_list_head *head;
    uint32_t thread, process;
} own;

// So many forks lead to this process: what was taken before the last of them is the parent's.
static uint32_t forks;

// The child of a fork is another thread of another process; only the one that forked is there.
static void forget(void) {
    own.thread = own.process = 0;
    forks++;
}
static void watch_forks(void) { pthread_atfork(NULL, NULL, forget); }

static int know_self(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    size_t size = 0;
    if (syscall(SYS_get_robust_list, 0, &own.head, &size) < 0) return -errno;
    if (own.head == NULL || size != sizeof *own.head || own.head->futex_offset != -DISTANCE) return -ENOTSUP;
    own.process = (uint32_t)getpid();
    own.thread = (uint32_t)syscall(SYS_gettid);
    return 0;
}

static struct robust_list *entry_of(struct ipc_shared_line *line) {
    return (struct robust_list *)(void *)((char *)&line->lock + DISTANCE);
}

// Behind an entry of ours, in the private page: the fork that it is of.
static uint32_t *fork_of(struct robust_list *entry) { return (uint32_t *)(void *)(entry + 1); }

// The lowest bit of a pointer says what kind of lock is there.
static struct robust_list *plain(struct robust_list *entry) { return (struct robust_list *)((uintptr_t)entry & ~(uintptr_t)1); }

static void set_former(struct robust_list *entry, struct robust_list *former) {
    if (entry != &own.head->list) ((struct robust_list **)entry)[-1] = former;
}

static void enter(struct robust_list *entry) {
    set_former(plain(own.head->list.next), entry);
    entry->next = own.head->list.next;
    ((struct robust_list **)entry)[-1] = &own.head->list;
    *fork_of(entry) = forks;
    atomic_signal_fence(memory_order_seq_cst);
    own.head->list.next = entry;
}

static void leave(struct robust_list *entry) {
    struct robust_list *former = plain(((struct robust_list **)entry)[-1]);
    set_former(plain(entry->next), former);
    former->next = entry->next;
    entry->next = NULL;
}

static void set_pending(struct robust_list *entry) {
    atomic_signal_fence(memory_order_seq_cst);
    own.head->list_op_pending = entry;
    atomic_signal_fence(memory_order_seq_cst);
}

// MARK: The lock

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *until) {
    long result = syscall(SYS_futex, word, operation, value, until, NULL, FUTEX_BITSET_MATCH_ANY);
    return result < 0 ? -errno : result;
}

static int64_t now(void) { return (int64_t)ipc_monotonic_now(); }

// Waits until the word is woken, at most a slice.
static long wait_slice(uint32_t *word, uint32_t value, int64_t until) {
    int64_t end = now() + SLICE;
    if (until >= 0 && until < end) end = until;
    struct timespec limit = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    return futex(word, FUTEX_WAIT_BITSET, value, &limit);
}

static int is_gone(uint32_t thread) { return syscall(SYS_tkill, (pid_t)thread, 0) < 0 && errno == ESRCH; }

// Takes it if it is free: 0 or 1; -1: it is not, and `seen` says whose it is.
static int32_t take_free(struct ipc_shared_line *line, uint32_t bits, uint32_t *seen) {
    *seen = 0;
    do {
        if ((*seen & FUTEX_TID_MASK) != 0 && (*seen & FUTEX_OWNER_DIED) == 0) return -1;
        uint32_t ours = own.thread | (*seen & FUTEX_WAITERS) | bits;
        if (__atomic_compare_exchange_n(&line->lock, seen, ours, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            enter(entry_of(line));
            return (*seen & FUTEX_OWNER_DIED) != 0;
        }
    } while (1);
}

// Who was woken and goes away hands that on.
static void pass_on(struct ipc_shared_line *line) {
    uint32_t seen = __atomic_load_n(&line->lock, __ATOMIC_RELAXED);
    while ((seen & FUTEX_TID_MASK) != 0 && (seen & FUTEX_WAITERS) == 0)
        if (__atomic_compare_exchange_n(&line->lock, &seen, seen | FUTEX_WAITERS, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return;
    if ((seen & FUTEX_TID_MASK) == 0) futex(&line->lock, FUTEX_WAKE, 1, NULL);
}

static int32_t take(struct ipc_shared_line *line, int64_t until) {
    uint32_t seen, bits = 0;
    while (1) {
        int32_t result = take_free(line, bits, &seen);
        if (result >= 0) return result;
        // In another pid namespace another thread has our number.
        if ((seen & FUTEX_TID_MASK) == own.thread && (!ipc_lock_has_strangers(line) || entry_of(line)->next != NULL))
            return -EDEADLK;
        if (until == 0) return -EBUSY;
        if (until > 0 && now() >= until) {
            if (bits != 0) pass_on(line);
            return -ETIMEDOUT;
        }
        uint32_t awaited = seen | FUTEX_WAITERS;
        if (seen != awaited &&
            !__atomic_compare_exchange_n(&line->lock, &seen, awaited, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            continue;
        long woken = wait_slice(&line->lock, awaited, until);
        if (woken == -EINTR) return -EINTR;
        // Others may wait as we did.
        if (woken == 0) bits = FUTEX_WAITERS;
        // No thread has that number: what was written there is nobody's lock, and nobody would ever leave it.
        if (woken == -ETIMEDOUT && !ipc_lock_has_strangers(line) &&
            is_gone(awaited & FUTEX_TID_MASK))
            __atomic_compare_exchange_n(
                &line->lock, &awaited, FUTEX_OWNER_DIED | FUTEX_WAITERS, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
}

int32_t ipc_lock_state(const struct ipc_shared_line *line) {
    return (int32_t)__atomic_load_n(&line->state, __ATOMIC_RELAXED);
}

// As long as nobody has repaired what a dead holder left, it stays his.
static inline void set_holder(struct ipc_shared_line *line) {
    if (ipc_lock_state(line) == IPC_LOCK_SOUND) __atomic_store_n(&line->holder, own.process, __ATOMIC_RELAXED);
}

static int32_t take_slowly(struct ipc_shared_line *line, int64_t until) {
    if (own.thread == 0) {
        int32_t status = know_self();
        if (status < 0) return status;
    }
    set_pending(entry_of(line));
    int32_t result = take(line, until);
    set_pending(NULL);
    if (result == 0) set_holder(line);
    return result;
}

// The usual way: it is free, and this thread has had a lock before.
static inline int32_t take_quickly(struct ipc_shared_line *line, int64_t until) {
    uint32_t seen = 0;
    if (__builtin_expect(own.thread == 0, 0)) return take_slowly(line, until);
    set_pending(entry_of(line));
    if (!__atomic_compare_exchange_n(&line->lock, &seen, own.thread, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return take_slowly(line, until);
    enter(entry_of(line));
    set_pending(NULL);
    set_holder(line);
    return 0;
}

static inline void leave_quickly(struct ipc_shared_line *line) {
    if (*fork_of(entry_of(line)) != forks) return;
    if (ipc_lock_state(line) == IPC_LOCK_SOUND) __atomic_store_n(&line->holder, 0, __ATOMIC_RELAXED);
    set_pending(entry_of(line));
    leave(entry_of(line));
    uint32_t former = __atomic_exchange_n(&line->lock, 0, __ATOMIC_SEQ_CST);
    if (former & FUTEX_WAITERS) futex(&line->lock, FUTEX_WAKE, 1, NULL);
    set_pending(NULL);
}

int32_t ipc_lock_take(struct ipc_shared_line *line, int64_t until) { return take_quickly(line, until); }
void ipc_lock_leave(struct ipc_shared_line *line) { leave_quickly(line); }

int32_t ipc_lock_thread(const struct ipc_shared_line *line) {
    return (int32_t)(__atomic_load_n(&line->lock, __ATOMIC_RELAXED) & FUTEX_TID_MASK);
}
int32_t ipc_lock_process(const struct ipc_shared_line *line) {
    return (int32_t)__atomic_load_n(&line->holder, __ATOMIC_RELAXED);
}
void ipc_lock_set_state(struct ipc_shared_line *line, int32_t state) {
    __atomic_store_n(&line->state, (uint32_t)state, __ATOMIC_RELEASE);
    // Whoever repairs it has it.
    if (state == IPC_LOCK_SOUND) __atomic_store_n(&line->holder, own.process, __ATOMIC_RELAXED);
}
int32_t ipc_lock_has_strangers(const struct ipc_shared_line *line) {
    return __atomic_load_n(&line->has_strangers, __ATOMIC_RELAXED) != 0;
}
void ipc_lock_add_stranger(struct ipc_shared_line *line) { __atomic_store_n(&line->has_strangers, 1, __ATOMIC_RELAXED); }

// MARK: The value

static inline int is_broken(const struct ipc_shared_halves *value) {
    return atomic_load_explicit(&value->region->is_broken, memory_order_relaxed);
}

// Bytes are copied by words, each at once: others may read and write there at the same time, and then what was read is not used.
static void copy_out(void *to, const void *from, size_t count) {
    const uint64_t *words = from;
    size_t whole = count / 8;
    for (size_t i = 0; i < whole; i++) {
        uint64_t word = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
        memcpy((char *)to + i * 8, &word, 8);
    }
    if (count % 8 == 0) return;
    uint64_t word = __atomic_load_n(&words[whole], __ATOMIC_RELAXED);
    memcpy((char *)to + whole * 8, &word, count % 8);
}

static void copy_in(void *to, const void *from, size_t count) {
    uint64_t *words = to, word;
    size_t whole = count / 8;
    for (size_t i = 0; i < whole; i++) {
        memcpy(&word, (const char *)from + i * 8, 8);
        __atomic_store_n(&words[i], word, __ATOMIC_RELAXED);
    }
    if (count % 8 == 0) return;
    word = 0;
    memcpy(&word, (const char *)from + whole * 8, count % 8);
    __atomic_store_n(&words[whole], word, __ATOMIC_RELAXED);
}

static inline uint64_t sum_with(uint64_t sum, uint64_t word) { return ((sum ^ (sum >> 29)) + word) * 0xBF58476D1CE4E5B9; }

// Tells a half from one that something else has been written over; no protection against those who want to.
static inline uint32_t sum_of(const void *bytes, size_t count, uint64_t version) {
    uint64_t sum = version ^ (uint64_t)count << 32, word;
    for (size_t i = 0; i + 8 <= count; i += 8) {
        memcpy(&word, (const char *)bytes + i, 8);
        sum = sum_with(sum, word);
    }
    if (count % 8 != 0) {
        word = 0;
        memcpy(&word, (const char *)bytes + count / 8 * 8, count % 8);
        sum = sum_with(sum, word);
    }
    return (uint32_t)(sum_with(sum, 1) >> 32);
}

uint64_t ipc_shared_version(const struct ipc_shared_halves *value) {
    return __atomic_load_n(&value->line->version, __ATOMIC_ACQUIRE);
}

static uint64_t length_of(const struct ipc_shared_halves *value, int half) {
    return value->length == NULL ? value->size : __atomic_load_n(&value->length[half], __ATOMIC_RELAXED);
}

size_t ipc_shared_length(const struct ipc_shared_halves *value) {
    uint64_t length = length_of(value, (int)(ipc_shared_version(value) & 1));
    return length < value->size ? length : value->size;
}

long ipc_shared_read(const struct ipc_shared_halves *value, void *out, size_t room, uint64_t *version) {
    for (int attempt = 0; attempt < 1000; attempt++) {
        uint64_t before = ipc_shared_version(value);
        int half = (int)(before & 1);
        uint32_t check = __atomic_load_n(&value->line->check[half], __ATOMIC_RELAXED);
        uint64_t count = length_of(value, half);
        if (count <= room) copy_out(out, value->half[half], count);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        // The half is written again only after another version has become the value.
        if (__atomic_load_n(&value->line->version, __ATOMIC_RELAXED) != before) continue;
        if (count > value->size) return -EBADMSG;
        if (count > room) return -ENOBUFS;
        if (sum_of(out, count, before) != check) return -EBADMSG;
        *version = before;
        return (long)count;
    }
    return -EAGAIN;
}

static void fill(const struct ipc_shared_halves *value, const void *bytes, size_t count, uint64_t version) {
    int half = (int)(version & 1);
    copy_in(value->half[half], bytes, count);
    if (value->length != NULL) __atomic_store_n(&value->length[half], count, __ATOMIC_RELAXED);
    __atomic_store_n(&value->line->check[half], sum_of(bytes, count, version), __ATOMIC_RELAXED);
}

void ipc_shared_begin(const struct ipc_shared_halves *value, const void *bytes, size_t count) {
    fill(value, bytes, count, __atomic_load_n(&value->line->version, __ATOMIC_RELAXED));
}

static int is_value(const struct ipc_shared_halves *value, const void *bytes, size_t count, uint64_t version) {
    int half = (int)(version & 1);
    if (value->length != NULL && value->length[half] != count) return 0;
    return value->line->check[half] == sum_of(bytes, count, version) && memcmp(value->half[half], bytes, count) == 0;
}

// What a waiter writes down: another word for each version, and never 0.
static inline uint32_t mark_of(uint64_t version) { return (uint32_t)version << 1 | 1; }

// Who waits writes down for which version before it looks at that again; so we look at what it wrote after the version is
// another, and a barrier. Of the new version somebody may wait already: he is woken for nothing, and his word stays.
static inline void tell(struct ipc_shared_line *line, uint64_t version) {
    uint32_t mark = __atomic_load_n(&line->waiters, __ATOMIC_SEQ_CST);
    if (mark == 0) return;
    if (mark != mark_of(version)) __atomic_compare_exchange_n(&line->waiters, &mark, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    futex((uint32_t *)(void *)&line->version, FUTEX_WAKE, INT_MAX, NULL);
}

void ipc_shared_commit(const struct ipc_shared_halves *value, const void *bytes, size_t count) {
    uint64_t version = __atomic_load_n(&value->line->version, __ATOMIC_RELAXED), next = version + 1;
    if (is_value(value, bytes, count, version)) return;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    fill(value, bytes, count, next);
    __atomic_store_n(&value->line->version, next, __ATOMIC_SEQ_CST);
    tell(value->line, next);
}

int32_t ipc_shared_take_word(const struct ipc_shared_halves *value, uint64_t *word, int64_t until) {
    struct ipc_shared_line *line = value->line;
    int32_t result = take_quickly(line, until);
    if (result < 0) return result;
    uint64_t version = __atomic_load_n(&line->version, __ATOMIC_RELAXED);
    int half = (int)(version & 1);
    *word = __atomic_load_n(&line->small[half], __ATOMIC_RELAXED);
    int is_right = sum_of(word, 8, version) == __atomic_load_n(&line->check[half], __ATOMIC_RELAXED);
    if (__builtin_expect(is_right && !is_broken(value), 1)) return result;
    leave_quickly(line);
    return -EBADMSG;
}

int32_t ipc_shared_leave_word(const struct ipc_shared_halves *value, uint64_t word) {
    struct ipc_shared_line *line = value->line;
    uint64_t version = __atomic_load_n(&line->version, __ATOMIC_RELAXED), next = version + 1;
    int half = (int)(next & 1);
    if (__atomic_load_n(&line->small[half ^ 1], __ATOMIC_RELAXED) == word) {
        leave_quickly(line);
        return -is_broken(value);
    }
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&line->small[half], word, __ATOMIC_RELAXED);
    __atomic_store_n(&line->check[half], sum_of(&word, 8, next), __ATOMIC_RELAXED);
    __atomic_store_n(&line->version, next, __ATOMIC_RELEASE);
    leave_quickly(line);  // a barrier
    tell(line, next);
    return -is_broken(value);
}

int32_t ipc_shared_wait(const struct ipc_shared_halves *value, uint64_t version, int64_t until) {
    uint32_t *word = (uint32_t *)(void *)&value->line->version;
    while (1) {
        // A page of zeros has a version too.
        if (ipc_shared_version(value) != version || is_broken(value)) return 0;
        if (until == 0 || (until > 0 && now() >= until)) return -ETIMEDOUT;
        __atomic_store_n(&value->line->waiters, mark_of(version), __ATOMIC_SEQ_CST);
        // A slice, since whoever made the change may have died before it told us.
        if (wait_slice(word, (uint32_t)version, until) == -EINTR) return -EINTR;
    }
}
