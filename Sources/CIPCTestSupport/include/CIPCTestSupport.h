// Nothing to call: linking this is what it does.
#ifndef CIPC_TEST_SUPPORT_H
#define CIPC_TEST_SUPPORT_H

// Given by the Swift target IPCTestSupport.
void ipc_test_support_enter(void);

#endif
