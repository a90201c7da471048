// Files of shared memory and their mappings, which a file cut short by somebody else does not turn into a trap.
#define _GNU_SOURCE
#include "CIPCSharedMemory.h"
#include "regions.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// MARK: Files

int32_t ipc_make_nameless(const char *folder, uint32_t mode) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    // Exactly as asked, whatever the umask is.
    if (fchmod(fd, mode & 0777) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int32_t ipc_give_name(int32_t fd, const char *path) {
    char own[32];
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) return 0;
    if (errno != ENOENT) return -errno;
    // Without /proc; older kernels want a privilege for this.
    return linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int32_t ipc_set_size(int32_t fd, int64_t size) { return ftruncate(fd, size) < 0 ? -errno : 0; }
int32_t ipc_allocate(int32_t fd, int64_t offset, int64_t size) { return fallocate(fd, 0, offset, size) < 0 ? -errno : 0; }

int32_t ipc_make_memory_file(const char *name) {
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);  // before Linux 6.3
    return fd < 0 ? -errno : fd;
}

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

int32_t ipc_add_seals(int32_t fd, int32_t seals) {
    int wanted = (seals & IPC_SEAL_SIZE ? F_SEAL_SHRINK | F_SEAL_GROW : 0) |
                 (seals & IPC_SEAL_LATER_WRITING ? F_SEAL_FUTURE_WRITE : 0) | (seals & IPC_SEAL_SEALS ? F_SEAL_SEAL : 0);
    return fcntl(fd, F_ADD_SEALS, wanted) < 0 ? -errno : 0;
}

int32_t ipc_seals(int32_t fd) {
    int found = fcntl(fd, F_GET_SEALS);
    if (found < 0) return -errno;
    int both = F_SEAL_SHRINK | F_SEAL_GROW;
    return ((found & both) == both ? IPC_SEAL_SIZE : 0) |
           (found & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE) ? IPC_SEAL_LATER_WRITING : 0) |
           (found & F_SEAL_SEAL ? IPC_SEAL_SEALS : 0);
}

int32_t ipc_is_ordinary_memory(int32_t fd) {
    struct statfs status;
    return fstatfs(fd, &status) < 0 ? -errno : status.f_type == TMPFS_MAGIC;
}

// MARK: Regions

// They are never freed, only used again: the handler walks along them at any time.
static struct ipc_region *_Atomic regions;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction former;
static uintptr_t page;

int32_t ipc_region_mend(int32_t code, const void *address) {
    if (code != BUS_ADRERR) return 0;
    uintptr_t at = (uintptr_t)address;
    for (struct ipc_region *region = atomic_load(&regions); region != NULL; region = region->next) {
        uintptr_t start = atomic_load(&region->address);
        if (start == 0 || at < start || at - start >= region->size) continue;
        int saved = errno;
        // Before the page is there: whoever finds zeros in it finds this.
        atomic_store(&region->is_broken, 1);
        void *zeros = mmap((void *)(at & ~(page - 1)), page, PROT_READ | PROT_WRITE,
                           MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        errno = saved;
        return zeros != MAP_FAILED;
    }
    return 0;
}

// Whoever had the signal before is called, and not put in our place: he may mend what is his and go on.
static void handle(int signal, siginfo_t *info, void *context) {
    if (ipc_region_mend(info->si_code, info->si_addr)) return;
    if ((former.sa_flags & SA_SIGINFO) != 0) return former.sa_sigaction(signal, info, context);
    if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) return former.sa_handler(signal);
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = info->si_code > 0 ? SIG_DFL : former.sa_handler;
    sigaction(signal, &standard, NULL);
    syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), signal, info);
}

// Once, and for good: whoever comes after us may hand on to us, so that we could neither go nor come before him.
static void begin(void) {
    static int is_there;
    struct sigaction action;
    if (is_there || sigaction(SIGBUS, NULL, &former) < 0) return;
    page = (uintptr_t)sysconf(_SC_PAGESIZE);
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    is_there = sigaction(SIGBUS, &action, NULL) == 0;
}

struct ipc_region *ipc_region_enter(void *address, size_t size) {
    pthread_mutex_lock(&turn);
    struct ipc_region *region = atomic_load(&regions);
    while (region != NULL && atomic_load(&region->address) != 0) region = region->next;
    if (region == NULL && (region = calloc(1, sizeof *region)) != NULL) {
        region->next = atomic_load(&regions);
        region->size = size;
        atomic_store(&region->address, (uintptr_t)address);
        atomic_store(&regions, region);
    } else if (region != NULL) {
        region->size = size;
        atomic_store(&region->is_broken, 0);
        atomic_store(&region->address, (uintptr_t)address);
    }
    if (region != NULL) begin();
    pthread_mutex_unlock(&turn);
    return region;
}

struct ipc_region *ipc_region_map(int32_t fd, size_t size, int32_t is_read_only, int32_t *error) {
    void *address = mmap(NULL, size, PROT_READ | (is_read_only ? 0 : PROT_WRITE), MAP_SHARED, fd, 0);
    *error = address == MAP_FAILED ? errno : 0;
    if (address == MAP_FAILED) return NULL;
    struct ipc_region *region = ipc_region_enter(address, size);
    if (region != NULL) return region;
    munmap(address, size);
    *error = ENOMEM;
    return NULL;
}

void *ipc_region_address(const struct ipc_region *region) { return (void *)atomic_load(&region->address); }
int32_t ipc_region_is_broken(const struct ipc_region *region) { return atomic_load(&region->is_broken); }

void ipc_region_unmap(struct ipc_region *region) {
    pthread_mutex_lock(&turn);
    // Out of the list first: what another thread maps there next is not ours.
    void *address = (void *)atomic_exchange(&region->address, 0);
    munmap(address, region->size);
    pthread_mutex_unlock(&turn);
}
