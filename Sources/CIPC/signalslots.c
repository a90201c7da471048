// Where the handler writes: a list of slots, each with a pipe and the signals that its owner wants.
//
// The handler takes no lock. A slot is never freed, only used again, so that the handler may follow the list at any time;
// it says that it is inside a slot before it looks whether the slot still wants the signal, and who takes the slot out of
// use waits until nobody is inside. All atomics are sequentially consistent: one of the two sees the other.
#define _GNU_SOURCE
#include "CIPCSignals.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct ipc_signal_slot {
    struct ipc_signal_slot *next;
    atomic_int is_used;
    atomic_int pipe;
    atomic_ullong wanted;
    atomic_int inside;
    atomic_ullong missed;
    struct {
        atomic_uint count;
        atomic_ullong sender;  // of the last: pid << 32 | uid
    } counts[65];
};

static _Atomic(struct ipc_signal_slot *) first;
static _Atomic(struct ipc_signal_slot *) only[65];

static uint64_t bit(int32_t signal) { return (uint64_t)1 << (signal - 1); }

static void put(struct ipc_signal_slot *slot, const struct ipc_signal_record *record) {
    int pipe = atomic_load(&slot->pipe);
    if (write(pipe, record, sizeof *record) == sizeof *record) return;
    atomic_store(&slot->counts[record->signal].sender, (uint64_t)(uint32_t)record->sender << 32 | record->user);
    atomic_fetch_add(&slot->counts[record->signal].count, 1);
    atomic_fetch_or(&slot->missed, bit(record->signal));
    // The reader looks at the counts when it has emptied the pipe. If it has just done so, this has it come once more.
    struct ipc_signal_record look = {0};
    if (write(pipe, &look, sizeof look) < 0) return;
}

int32_t ipc_signal_deliver(const struct ipc_signal_record *record) {
    int32_t signal = record->signal, is_taken = 0;
    struct ipc_signal_slot *slot;
    while ((slot = atomic_load(&only[signal])) != NULL) {
        atomic_fetch_add(&slot->inside, 1);
        int is_still = atomic_load(&only[signal]) == slot;
        if (is_still) put(slot, record);
        atomic_fetch_sub(&slot->inside, 1);
        if (is_still) return 1;
    }
    for (slot = atomic_load(&first); slot != NULL; slot = slot->next) {
        if ((atomic_load(&slot->wanted) & bit(signal)) == 0) continue;
        atomic_fetch_add(&slot->inside, 1);
        if ((atomic_load(&slot->wanted) & bit(signal)) != 0) {
            put(slot, record);
            is_taken = 1;
        }
        atomic_fetch_sub(&slot->inside, 1);
    }
    return is_taken;
}

struct ipc_signal_slot *ipc_slot_take(int32_t pipe) {
    struct ipc_signal_slot *slot = atomic_load(&first);
    int unused = 0;
    while (slot != NULL && !atomic_compare_exchange_strong(&slot->is_used, &unused, 1)) {
        unused = 0;
        slot = slot->next;
    }
    if (slot == NULL) {
        slot = calloc(1, sizeof *slot);
        if (slot == NULL) return NULL;
        atomic_store(&slot->is_used, 1);
        slot->next = atomic_load(&first);
        while (!atomic_compare_exchange_weak(&first, &slot->next, slot)) {}
    }
    ipc_slot_take_missed(slot);
    for (int i = 1; i <= 64; i++) atomic_store(&slot->counts[i].count, 0);
    atomic_store(&slot->pipe, pipe);
    return slot;
}

void ipc_slot_want(struct ipc_signal_slot *slot, uint64_t signals) { atomic_store(&slot->wanted, signals); }

void ipc_signal_route(int32_t signal, struct ipc_signal_slot *slot) { atomic_store(&only[signal], slot); }

void ipc_slot_settle(struct ipc_signal_slot *slot) {
    while (atomic_load(&slot->inside) != 0) sched_yield();
}

void ipc_slot_give_back(struct ipc_signal_slot *slot) { atomic_store(&slot->is_used, 0); }

uint64_t ipc_slot_take_missed(struct ipc_signal_slot *slot) {
    return atomic_load(&slot->missed) == 0 ? 0 : atomic_exchange(&slot->missed, 0);
}

uint32_t ipc_slot_take_missed_count(struct ipc_signal_slot *slot, int32_t signal, int32_t *sender, uint32_t *user) {
    uint32_t count = atomic_exchange(&slot->counts[signal].count, 0);
    uint64_t last = atomic_load(&slot->counts[signal].sender);
    *sender = (int32_t)(last >> 32);
    *user = (uint32_t)last;
    return count;
}
