import ClusterModel
import Operations
import Testing

@Suite struct CatalogueTests {
    @Test func `names, aliases and command words are unique and spelled with small letters and hyphens`() {
        let names = Catalogue.names
        #expect(Set(names).count == names.count)
        let aliases = Catalogue.operations.flatMap(\.definition.aliases)
        #expect(Set(aliases).count == aliases.count)
        for word in Catalogue.operations.flatMap(\.definition.words)
            + aliases.flatMap({ $0.split(separator: " ").map(String.init) })
        {
            #expect(word.utf8.allSatisfy { (97...122).contains($0) || $0 == UInt8(ascii: "-") }, "\(word)")
        }
        #expect(Set(aliases).isDisjoint(with: names.filter { !$0.contains(".") }))
    }

    @Test func `the catalogue holds the operations of this version in their order`() {
        #expect(
            Catalogue.names == [
                "status", "health", "leader", "version", "wait", "peer.list", "peer.add", "peer.promote", "peer.remove",
                "peer.show",
                "node.show", "node.drain", "node.undrain", "node.fence", "node.unfence", "node.restart", "node.restart-hold",
                "node.restart-release", "node.rejoin", "node.reinit", "switchover", "failover", "pause", "resume", "replication.status",
                "routes",
                "directive.list", "directive.show", "directive.cancel", "health-history", "history", "raft.status", "raft.transfer",
                "raft.snapshot",
                "op.list", "op.show", "op.wait", "op.cancel", "topology", "explain", "events", "logs", "metrics", "replication.slots",
                "slot.drop", "connections", "raft.digest", "raft.log", "postgres.checkpoint", "standby.promote", "pgconfig.get",
                "pgconfig.set",
                "pgconfig.unset", "pgconfig.diff", "pgconfig.pending-restart", "state.export", "audit.list", "audit.verify",
                "vip.status", "vip.reassert", "upgrade-check", "doctor", "config.diff", "config.reload", "token.create", "token.list",
                "token.rotate", "token.revoke",
            ])
    }

    @Test(arguments: Catalogue.operations.map(\.definition))
    func `every definition is complete`(definition: OperationDefinition) {
        #expect(!definition.summary.isEmpty && !definition.summary.hasSuffix("."))
        #expect(definition.summary.first?.isLowercase == true)
        #expect(!definition.examples.isEmpty)
        for parameter in definition.parameters {
            #expect(!parameter.help.isEmpty)
            #expect(parameter.name.utf8.allSatisfy { (97...122).contains($0) || $0 == UInt8(ascii: "_") })
            #expect(parameter.kind != .choice || !parameter.choices.isEmpty)
        }
        let positions = definition.parameters.compactMap(\.position)
        #expect(positions == Array(0..<positions.count))
        #expect(definition.risk == .reads || !definition.errorCodes.isEmpty)
    }

    /// The drift test of `architecture.md`: an example that names what does not exist would be copied by people.
    @Test(arguments: Catalogue.operations.map(\.definition))
    func `the words and options of every example exist`(definition: OperationDefinition) {
        let common = ["--yes", "--confirm", "--wait", "--no-wait", "--dry-run", "-o"]
        for example in definition.examples {
            var words = example.split(separator: " ").map(String.init)
            #expect(words.removeFirst() == "pgbastion")
            let spellings = [definition.words] + definition.aliases.map { $0.split(separator: " ").map(String.init) }
            #expect(spellings.contains { words.starts(with: $0) }, "\(example)")
            let options = definition.parameters.map { parameter in
                parameter.name.count == 1
                    ? "-" + parameter.name : "--" + parameter.name.map { $0 == "_" ? "-" : "\($0)" }.joined()
            }
            let known = options + common + (options.contains("--follow") ? ["-f"] : [])
            for word in words where word.hasPrefix("-") { #expect(known.contains(word), "\(example)") }
        }
    }

    @Test func `the kind of an envelope is the operation name in upper camel case`() {
        let kinds = Catalogue.operations.map(\.definition.resultKind)
        #expect(kinds.contains("PeerListResult"))
        #expect(kinds.contains("HealthHistoryResult"))
        #expect(kinds.contains("SwitchoverResult"))
    }

    @Test func `every read answers on the example cluster, and its data can be read back as text`() async throws {
        let inputs = [
            "peer.show": #"{"name":"node2"}"#, "directive.show": #"{"id":"d-17"}"#,
            "wait": #"{"conditions":["leader"]}"#, "op.show": #"{"id":"op-48231"}"#, "op.wait": #"{"id":"op-48231"}"#,
        ]
        for operation in Catalogue.operations where operation.definition.risk == .reads {
            let name = operation.definition.name
            let answer = try await run(name, inputs[name] ?? "{}", on: example(), wait: .seconds(1))
            #expect(answer.error == nil, "\(name)")
            let envelope = try OperationEnvelope(parsing: answer.envelope)
            #expect(envelope.kind == operation.definition.resultKind)
            #expect(envelope.requestID == "7f3a9c21")
            let rendered = try operation.render(data: try #require(envelope.data).bytes)
            #expect(!rendered.text.isEmpty && !rendered.text.hasSuffix("\n"), "\(name)")
        }
    }

    @Test func `a change is the same operation for names, checks and the dry run of each`() async throws {
        let inputs = [
            "peer.add": #"{"name":"node4","address":"10.0.1.4"}"#, "peer.promote": #"{"name":"node2"}"#,
            "peer.remove": #"{"name":"node3"}"#, "node.reinit": #"{"node":"node3"}"#,
            "node.drain": #"{"node":"node3"}"#, "node.undrain": #"{"node":"node3"}"#, "node.fence": #"{"node":"node1"}"#,
            "node.unfence": #"{"node":"node1"}"#, "node.restart": #"{"node":"node1"}"#, "node.restart-hold": #"{"node":"node1"}"#,
            "node.restart-release": #"{"node":"node1"}"#, "node.rejoin": #"{"name":"node3"}"#, "op.cancel": #"{"id":"op-9"}"#,
            "directive.cancel": #"{"id":"d-17"}"#, "slot.drop": #"{"node":"node1","slot":"leftover"}"#,
            "pgconfig.set": #"{"settings":["work_mem=64MB"]}"#, "pgconfig.unset": #"{"names":["work_mem"]}"#,
            "token.create": #"{"name":"new","role":"read"}"#, "token.rotate": #"{"name":"deploy"}"#,
            "token.revoke": #"{"name":"deploy"}"#,
        ]
        for operation in Catalogue.operations where operation.definition.risk != .reads {
            let name = operation.definition.name
            let gateway = example { view in
                if name == "slot.drop" { view.nodes[0].slots.append(SlotFacts(name: "leftover", isPhysical: false, isActive: false)) }
                view.tokens = [
                    TokenView(name: "deploy", role: .operate, createdAt: "x", createdBy: "x", rotatedAt: nil, fingerprint: "0123")
                ]
                if name == "standby.promote" {
                    view.standby = StandbyView(upstream: StandbyUpstream(host: "old", port: 5432, slot: nil), source: view.node)
                    view.standby?.best = view.node
                    view.standby?.lagBytes = 0
                }
                // What is cancelled has to run.
                guard name.hasSuffix(".cancel") else { return }
                if name == "op.cancel" { view.operation = OperationView(id: "op-9", kind: "switchover", phase: "hold", startedAt: "x") }
                view.directives[0].status = "pending"
            }
            let answer = try await run(name, inputs[name] ?? "{}", on: gateway, dryRun: true)
            #expect(answer.error == nil, "\(name): \(String(describing: answer.error))")
            #expect(await gateway.submissions.isEmpty, "\(name) changes nothing")
            let envelope = try OperationEnvelope(parsing: answer.envelope)
            #expect(envelope.data?["plan"]?["steps"]?.elements?.isEmpty == false, "\(name)")
            let rendered = try operation.render(data: try #require(envelope.data).bytes)
            #expect(rendered.text.hasSuffix("nothing was changed"), "\(name)")
        }
    }
}
