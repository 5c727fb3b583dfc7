import ClusterModel

/// What an operation that is carried out on this machine, without a daemon's catalogue, gives back.
package struct LocalAnswer: Sendable {
    /// `data` of the envelope.
    package var data: JSONValue
    package var text: String
    package var names: [String]
    package var warnings: [String]
    package var exitStatus: Int32

    package init(_ output: some OperationOutput) throws(BastionError) {
        data = try JSONParser.parse(try JSONText.encode(output))
        text = output.text
        names = output.names
        warnings = output.warnings
        exitStatus = output.exitStatus
    }

    /// For `--dry-run`: what would be done.
    package init(text: String, data: JSONValue, warnings: [String] = []) {
        self.text = text
        self.data = data
        self.warnings = warnings
        names = []
        exitStatus = 0
    }
}
