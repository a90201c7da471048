// One line on standard error about what kills the program, then the death itself.
//
// Everything here runs in a signal handler: nothing is allocated, no lock is taken, numbers are written by hand.
#define _GNU_SOURCE
#include "CIPCSharedMemory.h"
#include "CIPCSignals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static struct sigaction former[65];

struct line {
    char text[512];
    size_t length;
};

static void add(struct line *line, const char *text) {
    for (; *text != '\0' && line->length < sizeof line->text - 1; text++) line->text[line->length++] = *text;
}

static void add_number(struct line *line, uint64_t number, unsigned base) {
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do digits[--at] = "0123456789abcdef"[number % base];
    while ((number /= base) != 0);
    add(line, digits + at);
}

static uintptr_t stack_pointer(const ucontext_t *context) {
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.sp;
#else
    (void)context;
    return 0;
#endif
}

// The memory next to the stack's end is the one that a stack grows into and nobody may touch.
static int is_stack_overflow(int signal, const siginfo_t *info, const ucontext_t *context) {
    if (signal != SIGSEGV || (info->si_code != SEGV_MAPERR && info->si_code != SEGV_ACCERR)) return 0;
    uintptr_t address = (uintptr_t)info->si_addr, top = stack_pointer(context);
    uintptr_t distance = address > top ? address - top : top - address;
    return distance < 256 * 1024;
}

static void report(int signal, siginfo_t *info, void *context) {
    static atomic_int seen[65];
    if (signal == SIGBUS && ipc_region_mend(info->si_code, info->si_addr)) return;
    if (atomic_exchange(&seen[signal], 1)) {
        // Whoever we handed it on to handed it back: nobody is left to.
        struct sigaction standard = {.sa_handler = SIG_DFL};
        sigaction(signal, &standard, NULL);
        syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), signal, info);
        return;
    }
    int saved = errno;
    struct line line = {.length = 0};
    const char *name = sigabbrev_np(signal), *meaning = sigdescr_np(signal);
    char thread[16] = "";
    prctl(PR_GET_NAME, thread);
    add(&line, program_invocation_short_name);
    add(&line, ": ended by SIG");
    add(&line, name != NULL ? name : "?");
    if (meaning != NULL) {
        add(&line, " (");
        add(&line, meaning);
        add(&line, ")");
    }
    if (info->si_code > 0 && info->si_code != SI_KERNEL && signal != SIGSYS) {
        add(&line, is_stack_overflow(signal, info, context) ? ", stack overflow at 0x" : " at 0x");
        add_number(&line, (uintptr_t)info->si_addr, 16);
    } else if (info->si_code <= 0 && info->si_pid == getpid()) {
        add(&line, ", by its own call");
    } else if (info->si_code <= 0) {
        add(&line, ", sent by process ");
        add_number(&line, (uint64_t)info->si_pid, 10);
        add(&line, " of user ");
        add_number(&line, info->si_uid, 10);
    }
    add(&line, ", in thread ");
    add_number(&line, (uint64_t)syscall(SYS_gettid), 10);
    add(&line, " (");
    add(&line, thread);
    add(&line, ") of process ");
    add_number(&line, (uint64_t)getpid(), 10);
    line.text[line.length++] = '\n';
    long written = write(2, line.text, line.length);
    (void)written;
    // The same signal once more, as it was: held until the handler returns, it then does what it did before.
    sigaction(signal, &former[signal], NULL);
    syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), signal, info);
    errno = saved;
}

int32_t ipc_fault_reports(uint64_t signals) {
    for (int signal = 1; signal <= 64; signal++) {
        if ((signals & (uint64_t)1 << (signal - 1)) == 0) continue;
        struct sigaction action, current;
        if (sigaction(signal, NULL, &current) < 0) return -errno;
        if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == report) continue;
        former[signal] = current;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = report;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigfillset(&action.sa_mask);
        if (sigaction(signal, &action, NULL) < 0) return -errno;
    }
    return 0;
}

// MARK: Stacks

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t size(void) {
    size_t least = getauxval(AT_MINSIGSTKSZ) + 32 * 1024;  // what the kernel itself puts there grows with the processor
    return least < 64 * 1024 ? 64 * 1024 : (least + 4095) & ~(size_t)4095;
}

static void give_back(void *stack) {
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    munmap(stack, size());
}

static void make_key(void) { pthread_key_create(&key, give_back); }

int32_t ipc_fault_stack(void) {
    stack_t current;
    if (sigaltstack(NULL, &current) < 0) return -errno;
    if ((current.ss_flags & SS_DISABLE) == 0) return 1;
    pthread_once(&once, make_key);
    void *memory = mmap(NULL, size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return -errno;
    stack_t stack = {.ss_sp = memory, .ss_size = size()};
    if (sigaltstack(&stack, NULL) < 0) {
        int error = errno;
        munmap(memory, size());
        return -error;
    }
    pthread_setspecific(key, memory);
    return 0;
}
