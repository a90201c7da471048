// A descriptor in a value that can be copied: it closes when the last copy goes.

final class DescriptorBox: Sendable {
    let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    var number: Int32 { descriptor.number }
}
