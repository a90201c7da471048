// One import for users: `import IPC` brings Errno, FilePath and FilePermissions along.
@_exported public import SystemPackage
