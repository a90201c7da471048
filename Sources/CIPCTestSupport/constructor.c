// A test runner's main function is not the tests' own: workers are entered before it, when the program has been loaded.
#include "CIPCTestSupport.h"

// The Swift runtime's own constructor, which makes the program's types known, is linked first and runs first.
__attribute__((constructor)) static void enter(void) { ipc_test_support_enter(); }
