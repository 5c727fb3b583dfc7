import Bastion
import Glibc
import PostgresTestKit
import Testing

extension ScenarioTests.ThreeNodes {
    /// How the client finds a daemon and a token (`cli.md`, section 1), with the real program and a real API.
    @Suite(.serialized) struct Connections {
        @Test func `addresses are tried in order, and a dead one does not keep the next from answering`() async throws {
            let (sandbox, node) = try await place()
            let dead = "--addr http://127.0.0.1:1 --addr unix:///nowhere/api.sock"
            let line = "leader \(dead) --addr \(address(node)) -v"
            let answered = ClientProgram.run(line, on: node, of: sandbox, environment: token(sandbox))
            #expect(answered.status == 0, "\(answered)")
            #expect(answered.errors.contains("http://127.0.0.1:1: connection refused"), "\(answered)")
            #expect(answered.errors.contains("\(address(node)): answered 200 in "), "\(answered)")
            let nobody = ClientProgram.run("leader \(dead)", on: node, of: sandbox)
            #expect(nobody.status == 5, "\(nobody)")
            let tried = nobody.errors.split(separator: "\n").filter { $0.contains("detail: ") }
            #expect(tried.count == 2 && tried[0].contains("http://127.0.0.1:1:") && tried[1].contains("unix:///nowhere"), "\(nobody)")
        }

        @Test func `a rejected token is exit 4 and its source is named, never the token`() async throws {
            let (sandbox, node) = try await place()
            let file = "\(sandbox.layout.directory)/wrong-token"
            _ = Shell.run("umask 077; echo wr0ng > '\(file)'")
            defer { unlink(file) }
            let line = "pause --addr \(address(node))"
            let byVariable = ClientProgram.run(line, on: node, of: sandbox, environment: ["PGBASTION_TOKEN": "wr0ng"])
            #expect(byVariable.status == 4 && byVariable.errors.contains("the token from PGBASTION_TOKEN was rejected"), "\(byVariable)")
            // The file stands before the variable, so the right one there does not help.
            let byFile = ClientProgram.run("\(line) --token-file '\(file)'", on: node, of: sandbox, environment: token(sandbox))
            #expect(byFile.status == 4 && byFile.errors.contains("the token from \(file) was rejected"), "\(byFile)")
            #expect(!(byVariable.errors + byFile.errors).contains("wr0ng"))
            let missing = ClientProgram.run("\(line) --token-file /nowhere/token", on: node, of: sandbox)
            #expect(missing.status == 4 && missing.errors.contains("\"/nowhere/token\" cannot be read"), "\(missing)")
        }

        @Test func `a token file that everybody can read gives a warning`() async throws {
            let (sandbox, node) = try await place()
            let file = "\(sandbox.layout.directory)/open-token"
            _ = Shell.run("echo '\(sandbox.layout.token)' > '\(file)'; chmod 644 '\(file)'")
            defer { unlink(file) }
            let line = "leader --addr \(address(node)) --token-file '\(file)'"
            let open = ClientProgram.run(line, on: node, of: sandbox)
            #expect(open.status == 0 && open.errors.contains("warning: the token file \"\(file)\" can be read by every user"), "\(open)")
            chmod(file, 0o600)
            let closed = ClientProgram.run(line, on: node, of: sandbox)
            #expect(closed.status == 0 && closed.errors.isEmpty, "\(closed)")
        }

        @Test func `contexts are added, used, and removed; a protected one asks for the name`() async throws {
            let (sandbox, node) = try await place()
            let home = "\(sandbox.layout.directory)/contexts-home"
            defer { _ = Shell.run("rm -rf '\(home)'") }
            func run(_ line: String) -> Shell.Result {
                var variables = token(sandbox)
                variables["XDG_CONFIG_HOME"] = home
                return ClientProgram.run(line, on: node, of: sandbox, environment: variables)
            }
            #expect(run("context list").output == "no contexts\n")
            let added = run("context add trial --addr \(address(node)) --protected --default-output name")
            #expect(added.status == 0, "\(added)")
            #expect(run("context add trial --addr \(address(node)) --protected --default-output name").status == 0)
            #expect(run("context add trial --addr http://127.0.0.1:1").status == 3)
            #expect(run("context add trial2 --addr nonsense").status == 64)
            #expect(run("context list -o name").output == "trial\n")
            #expect(Shell.run("stat -c %a '\(home)/pgbastion/contexts.yaml'").output == "600\n")
            #expect(run("peers --context trial").output.split(separator: "\n").count == 3)
            #expect(run("peers --context trail").status == 10)
            let asked = run("switchover --yes --context trial")
            #expect(asked.status == 64 && asked.errors.contains("pass --confirm NAME"), "\(asked)")
            let wrong = run("switchover --confirm other --context trial")
            #expect(wrong.status == 3 && wrong.errors.contains("not_confirmed"), "\(wrong)")
            #expect(run("context use trial").status == 0)
            #expect(run("peers").output.split(separator: "\n").count == 3)
            #expect(run("context use nothing").status == 10)
            #expect(run("context remove trial").status == 0)
            #expect(run("context list").output == "no contexts\n")
            // Without a context the daemon of the configuration file answers again, as a table.
            #expect(run("peers").output.hasPrefix("NODE"))
        }

        @Test func `names for the shell come from the real daemon within their limit`() async throws {
            let (sandbox, node) = try await place()
            let names = ClientProgram.run("__complete nodes switchover", on: node, of: sandbox, environment: ["XDG_CACHE_HOME": "/nowhere"])
            #expect(names.status == 0 && names.errors.isEmpty, "\(names)")
            #expect(names.output == "node1\nnode2\nnode3\n" || names.output.isEmpty, "\(names)")
        }

        private func place() async throws -> (Sandbox, SandboxNode) {
            let sandbox = try await SuiteCluster.required().sandbox()
            try await sandbox.settled()
            return (sandbox, sandbox.layout.nodes[0])
        }

        private func address(_ node: SandboxNode) -> String { "http://127.0.0.1:\(node.apiPort)" }
        private func token(_ sandbox: Sandbox) -> [String: String] { ["PGBASTION_TOKEN": sandbox.layout.token] }
    }
}
