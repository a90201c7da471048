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
    atomic_long held;  // of a slot that signals are routed to: records on their way through its pipe, or CLOSED
    atomic_int pipe;
    atomic_ullong wanted;
    atomic_int inside;
    atomic_ullong missed;
    struct {
        atomic_uint count;
        atomic_ullong sender;  // of the last: pid << 32 | uid
    } counts[65];
};

enum { CLOSED = -1 };

static _Atomic(struct ipc_signal_slot *) first;
static _Atomic(struct ipc_signal_slot *) only[65];
static _Atomic(struct ipc_signal_slot *) after[65];  // where signals go once the slot that they are routed to is closed

static uint64_t bit(int32_t signal) { return (uint64_t)1 << (signal - 1); }

static int write_record(struct ipc_signal_slot *slot, const struct ipc_signal_record *record) {
    return write(atomic_load(&slot->pipe), record, sizeof *record) == sizeof *record;
}

static void miss(struct ipc_signal_slot *slot, const struct ipc_signal_record *record) {
    atomic_store(&slot->counts[record->signal].sender, (uint64_t)(uint32_t)record->sender << 32 | record->user);
    atomic_fetch_add(&slot->counts[record->signal].count, 1);
    atomic_fetch_or(&slot->missed, bit(record->signal));
    // The reader looks at the counts when it has emptied the pipe. If it has just done so, this has it come once more.
    struct ipc_signal_record look = {0};
    if (!write_record(slot, &look)) return;
}

// Puts a record into a slot that holds; 0 if it is closed. Whoever would close it sees that this is under way.
static int hold(struct ipc_signal_slot *slot, const struct ipc_signal_record *record) {
    long held = atomic_load(&slot->held);
    do {
        if (held == CLOSED) return 0;
    } while (!atomic_compare_exchange_weak(&slot->held, &held, held + 1));
    if (write_record(slot, record)) return 1;
    miss(slot, record);
    atomic_fetch_sub(&slot->held, 1);
    return 1;
}

enum outcome { NOT_HELD, HELD, ROUTE_CHANGED };

// Inside a slot that is closed, while the signal is still routed to it.
static enum outcome hold_after(struct ipc_signal_slot *closed, const struct ipc_signal_record *record) {
    int32_t signal = record->signal;
    struct ipc_signal_slot *next = atomic_load(&after[signal]);
    if (next == NULL) return atomic_load(&only[signal]) == closed ? NOT_HELD : ROUTE_CHANGED;
    enum outcome outcome = ROUTE_CHANGED;
    atomic_fetch_add(&next->inside, 1);
    if (atomic_load(&only[signal]) == closed && hold(next, record)) outcome = HELD;
    atomic_fetch_sub(&next->inside, 1);
    return outcome;
}

static int put_routed(const struct ipc_signal_record *record) {
    struct ipc_signal_slot *slot;
    while ((slot = atomic_load(&only[record->signal])) != NULL) {
        enum outcome outcome = ROUTE_CHANGED;
        atomic_fetch_add(&slot->inside, 1);
        if (atomic_load(&only[record->signal]) == slot) {
            outcome = hold(slot, record) ? HELD : hold_after(slot, record);
        }
        atomic_fetch_sub(&slot->inside, 1);
        if (outcome != ROUTE_CHANGED) return outcome == HELD;
    }
    return 0;
}

static int put_wanted(const struct ipc_signal_record *record) {
    int32_t signal = record->signal, is_taken = 0;
    for (struct ipc_signal_slot *slot = atomic_load(&first); slot != NULL; slot = slot->next) {
        if ((atomic_load(&slot->wanted) & bit(signal)) == 0) continue;
        atomic_fetch_add(&slot->inside, 1);
        if ((atomic_load(&slot->wanted) & bit(signal)) != 0) {
            if (!write_record(slot, record)) miss(slot, record);
            is_taken = 1;
        }
        atomic_fetch_sub(&slot->inside, 1);
    }
    return is_taken;
}

int32_t ipc_signal_deliver(const struct ipc_signal_record *record) {
    return put_routed(record) ? 1 : put_wanted(record);
}

int32_t ipc_signal_deliver_after(const struct ipc_signal_record *record) {
    struct ipc_signal_slot *next = atomic_load(&after[record->signal]);
    if (next != NULL && hold(next, record)) return 1;
    return put_wanted(record);
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
    atomic_store(&slot->held, 0);
    ipc_slot_take_missed(slot);
    for (int i = 1; i <= 64; i++) atomic_store(&slot->counts[i].count, 0);
    atomic_store(&slot->pipe, pipe);
    return slot;
}

void ipc_slot_want(struct ipc_signal_slot *slot, uint64_t signals) { atomic_store(&slot->wanted, signals); }

void ipc_signal_route(int32_t signal, struct ipc_signal_slot *slot) { atomic_store(&only[signal], slot); }

void ipc_signal_route_after(int32_t signal, struct ipc_signal_slot *slot) { atomic_store(&after[signal], slot); }

int32_t ipc_slot_close(struct ipc_signal_slot *slot, int64_t count) {
    atomic_fetch_sub(&slot->held, count);
    long none = 0;
    if (atomic_compare_exchange_strong(&slot->held, &none, CLOSED)) return 1;
    sched_yield();  // for the handler that is about to write
    return 0;
}

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
