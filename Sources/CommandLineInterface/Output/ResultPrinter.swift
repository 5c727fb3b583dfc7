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

    var output: OutputSettings
    var fields: [FieldPath] = []
    var filters: [RowFilter] = []
    /// A snapshot of `--watch`, of which more follow.
    var isSnapshot = false
    var terminal: Terminal

    var format: OutputFormat { output.format }

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
        case .jsonl:
            terminal.say(isSnapshot ? JSONLine.record(selected(envelope)) : JSONLine.result(selected(envelope)))
        case .yaml: terminal.say((isSnapshot ? "---\n" : "") + YAMLText.text(selected(envelope).value))
        case .table, .wide, .name: showText(envelope, rendered, status: status)
        }
        return status
    }

    private func showText(_ envelope: ResultEnvelope, _ rendered: Rendering?, status: Int32) {
        if !output.isQuiet {
            for warning in envelope.warnings {
                terminal.note(ErrorText.warning(warning, usesColor: output.usesErrorColor))
            }
        }
        if let error = envelope.error {
            note(error, status: status, of: envelope)
        } else if !fields.isEmpty {
            showFields(of: envelope.data)
        } else if let rendered {
            let text =
                format == .name
                ? rendered.names.joined(separator: "\n")
                : painted(format == .wide ? rendered.wideText : rendered.text)
            if !text.isEmpty { terminal.say(text) }
        }
    }

    private func painted(_ text: String) -> String {
        let shown = isSnapshot ? fittedToScreen(text) : text
        return output.usesColor ? StateColor.painted(shown) : shown
    }

    /// `--watch` paints one screen: what is below it would push the top out.
    private func fittedToScreen(_ text: String) -> String {
        guard terminal.isOutputTerminal, let rows = terminal.size()?.rows else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false).prefix(max(1, rows - 1))
            .joined(separator: "\n")
    }

    private func note(_ error: BastionError, status: Int32, of envelope: ResultEnvelope) {
        terminal.note(
            ErrorText.lines(
                error, exitStatus: status, requestID: envelope.requestID, usesColor: output.usesErrorColor))
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
            let columns = output.columns
            let rendered = TextTable.$fittingColumns.withValue(columns) {
                Result { () throws(BastionError) in try operation.render(data: data.bytes) }
            }
            let shown = try rendered.get()
            return Rendering(
                text: shown.text, wideText: shown.wideText, names: shown.names, exitStatus: shown.exitStatus)
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
        switch format {
        case .json: terminal.say(envelope.json)
        case .jsonl: terminal.say(JSONLine.result(envelope))
        case .yaml: terminal.say(YAMLText.text(envelope.value))
        case .table, .wide, .name: note(error, status: error.code.exitStatus, of: envelope)
        }
        guard format.isText else { return 0 }
        return error.code.exitStatus
    }
}
