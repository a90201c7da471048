// What can be an argument of a program: text, a path, a number, or plain bytes. To the kernel all of it is bytes.
public import SystemPackage

/// A value that a program can be given as an argument or as part of its environment: bytes without NUL.
///
/// No shell looks at them: a program gets exactly these bytes as one argument, whatever characters they are.
public protocol ProgramArgument: Sendable {
    /// The bytes, without the NUL that ends them for C.
    var argumentBytes: [UInt8] { get }
}

extension String: ProgramArgument {
    /// The text in UTF-8.
    public var argumentBytes: [UInt8] { Array(utf8) }
}

extension Substring: ProgramArgument {
    /// The text in UTF-8.
    public var argumentBytes: [UInt8] { Array(utf8) }
}

extension FilePath: ProgramArgument {
    /// The path as the file system has it, UTF-8 or not.
    public var argumentBytes: [UInt8] {
        withPlatformString { pointer in
            var bytes: [UInt8] = []
            var at = pointer
            while at.pointee != 0 {
                bytes.append(UInt8(bitPattern: at.pointee))
                at += 1
            }
            return bytes
        }
    }
}

extension Int: ProgramArgument {
    /// The number in decimal digits.
    public var argumentBytes: [UInt8] { Array(String(self).utf8) }
}

extension Array: ProgramArgument where Element == UInt8 {
    /// The bytes themselves.
    public var argumentBytes: [UInt8] { self }
}
