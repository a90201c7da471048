// The one doorway to the kernel: retries what a signal interrupted, takes the error number at once, throws it typed.
import CIPC
import SystemPackage

enum SystemCall {
    /// Calls until the call is not interrupted; gives its result, or the error number negated.
    ///
    /// The functions of CIPC return errors that way, so no code can come between a call and its `errno`.
    @inline(__always)
    static func retrying<Number: FixedWidthInteger & SignedInteger>(_ call: () -> Number) -> Number {
        while true {
            let result = call()
            if result != -4 { return result }  // -EINTR
        }
    }

    /// Calls and throws what the kernel refused, saying the operation and its subject.
    @inline(__always)
    @discardableResult
    static func perform<Number: FixedWidthInteger & SignedInteger>(
        _ operation: @autoclosure () -> String,
        on subject: @autoclosure () -> String,
        _ call: () -> Number
    ) throws(SystemError) -> Number {
        let result = retrying(call)
        guard result < 0 else { return result }
        throw SystemError(operation(), on: subject(), Errno(rawValue: Int32(-result)))
    }
}
