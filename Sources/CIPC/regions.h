// What the files of shared memory have in common, and nobody else sees.
#ifndef IPC_REGIONS_H
#define IPC_REGIONS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct ipc_region {
    _Atomic uintptr_t address;  // 0: not in use
    size_t size;
    atomic_int is_broken;
    struct ipc_region *next;
};

// Has a mapping guarded; NULL if there is no memory for that.
struct ipc_region *ipc_region_enter(void *address, size_t size);

#endif
