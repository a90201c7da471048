// Whether an object that processes share by its name or key is to be made.

/// Whether an object that is found by a name or a key is to be made.
public enum Opening: Hashable, Sendable {
    /// It is taken if it is there, else made.
    case createOrOpen
    /// It is made; if there is one that is an error.
    case create
    /// It has to be there.
    case open
}
