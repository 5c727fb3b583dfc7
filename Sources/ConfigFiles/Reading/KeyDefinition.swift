/// One key of the file as the reader asks for it. The reader is the table: reading an empty file lists every key
/// (`ConfigurationFile.keys`), so that the JSON Schema cannot say anything else than the program does.
package struct KeyDefinition: Sendable, Hashable {
    /// `section.key`
    package let name: String
    package var form = ValueForm.text
    /// What a value is, such as `a port from 1 to 65535`.
    package var expected = "a text"
    /// A list, or one value instead of a list of one.
    package var isList = false
    package var isRequired = false
    /// Never printed, logged or put into a backup.
    package var isSecret = false
    /// Accepted without effect: what to use instead.
    package var replacement: String?

    init(name: String) { self.name = name }
}

/// How a value is written, as far as one value alone can tell.
package enum ValueForm: Sendable, Hashable {
    case text
    case flag
    /// The only flag that is accepted.
    case constantFlag(Bool)
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Int>)
    case duration
    case size
    /// A size, or `unlimited`.
    case rate
    case choice([String])
    /// A text that matches this regular expression (ECMA 262).
    case pattern(String)

    static let path = ValueForm.pattern("^/")
    static let port = ValueForm.integer(1...65535)
    /// `vip.address`, `api.bind_address`: the characters of an IP address, with `/PREFIX` where it is allowed.
    static let ipAddress = ValueForm.pattern(#"^[0-9A-Fa-f:.%a-z]+(/[0-9]{1,3})?$"#)
}
