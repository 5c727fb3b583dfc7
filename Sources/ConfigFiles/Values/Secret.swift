/// A text that is never printed: not by `description`, not by `dump`, not in a difference.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself. Hand it to what needs it, and to nothing that prints.
    package let revealed: String
    package init(_ text: String) { revealed = text }

    package var isEmpty: Bool { revealed.isEmpty }
    package var description: String { isEmpty ? "\"\"" : "(hidden)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
