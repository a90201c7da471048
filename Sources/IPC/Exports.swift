// One import for users: `import IPC` brings Errno, FilePath and FilePermissions along.
@_exported public import SystemPackage

#if !os(Linux) || !canImport(Glibc)
#error("swift-ipc is for Linux with glibc: nothing of it is tested elsewhere")
#endif
