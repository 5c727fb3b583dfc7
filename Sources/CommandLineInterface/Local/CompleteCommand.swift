import ClusterModel
import Operations

/// The hidden `__complete SOURCE [WORDS...]`: names for the shell, one a line (`cli.md` section 12).
///
/// It asks the daemon for at most 300 ms, else gives what it was told in the last day. It never asks anything, never says
/// what went wrong, and always ends with 0.
struct CompleteCommand: TreeCommand, ConnectedLocalCommand {
    static let limit: Duration = .milliseconds(300)

    var tree = CommandTree.empty
    var surroundings: ClientSurroundings?

    let definition = LocalCommandDefinition(
        words: ["__complete"], summary: "names for completion in the shell", isHidden: true, takesRawArguments: true)

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let words = arguments.list("arguments")
        guard let source = words.first.flatMap(ValueSource.Names.init(rawValue:)), let surroundings else {
            return .finished(0)
        }
        let line = Self.connection(Array(words.dropFirst()), surroundings.environment)
        let cache = CompletionCache(source, line, surroundings.environment)
        let quiet = Self.silent(terminal)
        if let fresh = await within(Self.limit, terminal, { await names(source, line, quiet) }) {
            cache?.write(fresh)
            offer(fresh, terminal)
        } else {
            offer(cache?.read() ?? [], terminal)
        }
        return .finished(0)
    }

    /// Shells expand candidates: only names without a meaning for them pass.
    private func offer(_ names: [String], _ terminal: Terminal) {
        let safe = names.filter { name in
            !name.isEmpty
                && name.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || "._-:@+".utf8.contains($0)
                }
        }
        terminal.write(safe.map { $0 + "\n" }.joined())
    }

    private func names(_ source: ValueSource.Names, _ line: ParsedArguments, _ terminal: Terminal) async -> [String]? {
        guard let entry = tree.entry(source.words) else { return nil }
        do throws(BastionError) {
            switch entry.action {
            case .local(let command): return try await command.run(line, terminal: terminal).names
            case .operation(let operation): return try await names(operation, line, terminal)
            }
        } catch {
            return nil
        }
    }

    private func names(
        _ operation: AnyOperation, _ line: ParsedArguments, _ terminal: Terminal
    ) async throws(BastionError) -> [String]? {
        guard let surroundings, let id = RequestID(terminal.randomID()) else { return nil }
        let call = OperationCall(
            operation: operation.definition.name, input: Array("{}".utf8), requestID: id, timeout: Self.limit)
        let envelope = try ResultEnvelope(parsing: try await surroundings.invoker(line).invoke(call))
        guard envelope.error == nil else { return nil }
        return try operation.render(data: envelope.data.bytes).names
    }

    /// What the line says about where to ask, as far as it can be told from an unfinished line.
    private static func connection(_ words: [String], _ environment: [String: String]) -> ParsedArguments {
        var parsed = ParsedArguments()
        let names = ["addr", "context", "config", "token-file", "ca", "cert", "key"]
        for (word, next) in zip(words, words.dropFirst() + [""]) {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = names.first(where: { "--\($0)" == parts.first }) else { continue }
            let value = parts.count == 2 ? parts[1] : next
            let key = name.replacing("-", with: "_")
            if !value.isEmpty { parsed.set(key, parsed.list(key) + [value]) }
        }
        _ = parsed.fill(CommonArguments.arguments(of: StatusOperation.definition), from: environment)
        return parsed
    }

    private static func silent(_ terminal: Terminal) -> Terminal {
        var copy = terminal
        copy.write = { _ in }
        copy.writeError = { _ in }
        copy.readLine = { nil }
        copy.isInputTerminal = false
        return copy
    }

    /// What `body` gives when it is ready in time. The process ends soon after, so what is late is left alone.
    private func within<Value: Sendable>(
        _ limit: Duration, _ terminal: Terminal, _ body: @escaping @Sendable () async -> Value?
    ) async -> Value? {
        let (results, continuation) = AsyncStream.makeStream(of: Value?.self)
        let working = Task { continuation.yield(await body()) }
        let waiting = Task {
            await terminal.pause(limit)
            continuation.yield(nil)
        }
        var first: Value?
        for await result in results {
            first = result
            break
        }
        working.cancel()
        waiting.cancel()
        return first
    }
}
