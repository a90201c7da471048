// The environment of a program to be started: names and values, as bytes.
import CIPC

/// The environment that a program is started with.
///
/// ```swift
/// try await Command("make").environment(.inherited.setting("LANG", to: "C")).run()
/// ```
///
/// Names and values are bytes without NUL; a name is not empty and has no `=`. What breaks that is reported when the
/// program is started, as ``StartError`` with `invalidArgument`. Of several values for a name the last one counts.
public struct Environment: Sendable {
    private enum Base {
        case inherited
        case own
    }

    private var base: Base
    private var changes: [(name: [UInt8], value: [UInt8]?)] = []

    /// This process's environment, as it is when the program is started.
    public static let inherited = Environment(base: .inherited)

    /// No variable at all.
    public static let empty = Environment(base: .own)

    /// The variables of this process that a program needs and that carry no secrets: `PATH`, `HOME`, `USER`, `LANG`,
    /// `LC_*` and `TZ`, as far as they are set.
    public static var minimal: Environment {
        var environment = Environment.empty
        for (name, value) in current() where isHarmless(name) { environment.changes.append((name, value)) }
        return environment
    }

    /// The environment with one variable more, or with another value for it.
    public func setting(_ name: any ProgramArgument, to value: any ProgramArgument) -> Environment {
        var environment = self
        environment.changes.append((name.argumentBytes, value.argumentBytes))
        return environment
    }

    /// The environment without a variable.
    public func removing(_ name: any ProgramArgument) -> Environment {
        var environment = self
        environment.changes.append((name.argumentBytes, nil))
        return environment
    }

    /// Whether the child simply gets what this process has.
    var isUnchanged: Bool {
        if case .inherited = base { changes.isEmpty } else { false }
    }

    /// The variables, each once, in the order in which they came.
    func resolved() -> [(name: [UInt8], value: [UInt8])] {
        var values: [[UInt8]: [UInt8]] = [:]
        var order: [[UInt8]] = []
        func set(_ name: [UInt8], _ value: [UInt8]?) {
            if values[name] == nil, value != nil { order.append(name) }
            values[name] = value
            if value == nil { order.removeAll { $0 == name } }
        }
        if case .inherited = base { for (name, value) in Environment.current() { set(name, value) } }
        for (name, value) in changes { set(name, value) }
        return order.compactMap { name in values[name].map { (name, $0) } }
    }

    /// The first name or value that no environment can hold, described.
    var defect: String? {
        for (name, value) in changes {
            if name.isEmpty { return "environment variable with an empty name" }
            let shown = String(decoding: name, as: UTF8.self)
            if name.contains(UInt8(ascii: "=")) { return "environment variable \(shown): a name has no =" }
            if name.contains(0) || value?.contains(0) == true { return "environment variable \(shown): NUL inside" }
        }
        return nil
    }

    /// The value that a child with this environment would see.
    func value(of name: String) -> [UInt8]? {
        let wanted = Array(name.utf8)
        if let change = changes.last(where: { $0.name == wanted }) { return change.value }
        guard case .inherited = base, let value = ipc_environment_value(name) else { return nil }
        return Array(UnsafeRawBufferPointer(start: value, count: Environment.length(value)))
    }

    private static func isHarmless(_ name: [UInt8]) -> Bool {
        let text = String(decoding: name, as: UTF8.self)
        return ["PATH", "HOME", "USER", "LANG", "TZ"].contains(text) || text.hasPrefix("LC_")
    }

    /// This process's variables. What has no `=` is no variable and is left out.
    private static func current() -> [(name: [UInt8], value: [UInt8])] {
        guard var entry = ipc_environment() else { return [] }
        var variables: [(name: [UInt8], value: [UInt8])] = []
        while let text = entry.pointee {
            let bytes = UnsafeBufferPointer(
                start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: length(text))
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0 {
                variables.append((Array(bytes[..<equals]), Array(bytes[(equals + 1)...])))
            }
            entry += 1
        }
        return variables
    }

    private static func length(_ text: UnsafePointer<CChar>) -> Int {
        var count = 0
        while text[count] != 0 { count += 1 }
        return count
    }
}
