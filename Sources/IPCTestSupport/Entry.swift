// Workers in test bundles: a target that links this product enters its workers before the test runner begins.
import IPC

/// Called by the constructor in C, when the program has been loaded and before `main`.
@_cdecl("ipc_test_support_enter")
func enter() { Workers.runIfRequested() }
