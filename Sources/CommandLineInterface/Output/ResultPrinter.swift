import ClusterModel
import Operations

/// Prints the result of a command in the format asked for, and says with which status it ends.
struct ResultPrinter: Sendable {
    enum Form: Sendable {
        case operation(AnyOperation)
        case local(LocalOutcome)
    }

    /// The text forms of a result.
    private struct Rendering {
        var text: String
        var wideText: String
        var names: [String]
        var exitStatus: Int32
    }

    var format: OutputFormat
    var fields: [FieldPath] = []
    var filters: [RowFilter] = []
    var isQuiet = false
    var terminal: Terminal

    /// Prints `envelope` once; the exit status of the command.
    func show(_ envelope: ResultEnvelope, as form: Form) -> Int32 {
        var envelope = envelope
        for filter in filters where envelope.error == nil { envelope.replaceData(filter.applied(to: envelope.data)) }
        var status = envelope.exitStatus
        var rendered: Rendering?
        if envelope.error == nil {
            do {
                rendered = try render(envelope.data, form)
                status = rendered?.exitStatus ?? 0
            } catch {
                return show(failure: error, of: envelope)
            }
        }
        switch format {
        case .json: terminal.say(selected(envelope).json)
        case .jsonl: terminal.say(#"{"type":"result","envelope":\#(selected(envelope).json)}"#)
        case .table, .wide, .name: showText(envelope, rendered, status: status)
        }
        return status
    }

    private func showText(_ envelope: ResultEnvelope, _ rendered: Rendering?, status: Int32) {
        if !isQuiet { for warning in envelope.warnings { terminal.note("pgbastion: warning: \(warning)") } }
        if let error = envelope.error {
            terminal.note(ErrorText.lines(error, exitStatus: status, requestID: envelope.requestID))
        } else if !fields.isEmpty {
            showFields(of: envelope.data)
        } else if let rendered {
            let text =
                format == .name
                ? rendered.names.joined(separator: "\n")
                : format == .wide ? rendered.wideText : rendered.text
            if !text.isEmpty { terminal.say(text) }
        }
    }

    /// One path prints its bare values; several print a line `PATH  VALUE` each.
    private func showFields(of data: JSONValue) {
        let width = fields.map(\.text.count).max() ?? 0
        for field in fields {
            for value in field.values(in: data) {
                let text = FieldPath.plainText(value)
                guard fields.count > 1 else {
                    terminal.say(text)
                    continue
                }
                let padding = String(repeating: " ", count: width - field.text.count + 2)
                terminal.say(field.text + padding + text)
            }
        }
    }

    private func selected(_ envelope: ResultEnvelope) -> ResultEnvelope {
        guard !fields.isEmpty, envelope.error == nil else { return envelope }
        var copy = envelope
        copy.replaceData(FieldPath.pruned(envelope.data, to: fields))
        return copy
    }

    private func render(_ data: JSONValue, _ form: Form) throws(BastionError) -> Rendering {
        switch form {
        case .operation(let operation):
            let output = try operation.render(data: data.bytes)
            return Rendering(
                text: output.text, wideText: output.wideText, names: output.names, exitStatus: output.exitStatus)
        case .local(let outcome):
            let text = outcome.text ?? ""
            return Rendering(text: text, wideText: text, names: outcome.names, exitStatus: outcome.exitStatus)
        }
    }

    /// The daemon answered something this release cannot read.
    private func show(failure: BastionError, of envelope: ResultEnvelope) -> Int32 {
        let error = BastionError(
            .internal, "cannot read the daemon's answer", detail: failure.description,
            hint: "compare the versions with `pgbastion version --cluster`; `-o json` prints the answer as it came")
        if format == .json || format == .jsonl {
            terminal.say(format == .json ? envelope.json : #"{"type":"result","envelope":\#(envelope.json)}"#)
            return 0
        }
        terminal.note(ErrorText.lines(error, exitStatus: error.code.exitStatus, requestID: envelope.requestID))
        return error.code.exitStatus
    }
}
