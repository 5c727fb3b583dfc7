import Bastion
import FoundationEssentials
import Glibc
import Testing

extension ScenarioTests.Monitoring {
    /// The page at `/ui/` in a real browser, on a real cluster.
    @Suite(.serialized) struct StatusPage {
        @Test func `the page shows the cluster as it is, without a complaint of the browser`() async throws {
            try await browsed("status page") { sandbox, browser, node in
                let primary = try await sandbox.primary()
                try await sandbox.wait("the page to be healthy", seconds: 30) { try browser.text("#verdict") == "Healthy" }
                try hold(try browser.text("#cluster") == "sandbox", "the cluster's name")
                try hold(try browser.text("[data-card=Primary] .value") == primary.name, "the primary")
                try hold(try browser.text("[data-card=Quorum] .value") == "3 of 3", "the quorum")
                try hold(try browser.evaluate("document.querySelectorAll('#topology [data-node]').length") == "3", "boxes")
                try hold(
                    try browser.evaluate("document.querySelector('#topology [data-role=primary]').dataset.node") == primary.name,
                    "the primary's box")
                try hold(try browser.evaluate("document.querySelectorAll('#topology .edge:not(.broken)').length") == "2", "edges")
                try hold(try browser.evaluate("document.querySelectorAll('#nodes tbody tr').length") == "3", "rows")
                try hold(!(try browser.isShown("#findings")) && !(try browser.isShown("#running")), "nothing is wrong or runs")
                try hold(!(try browser.isShown("#actions")), "without a token nothing can be changed")
                try await sandbox.wait("events", seconds: 10) {
                    try browser.evaluate("document.querySelectorAll('#events li[data-event]').length") != "0"
                }
                try hold(try browser.text("#node") == node.name, "who answers")
                try keep(browser, "healthy")
                try hold(browser.complaints.isEmpty, browser.complaints.joined(separator: "; "))
            }
        }

        @Test func `backups and runbooks are on it, the running one with its step`() async throws {
            try await browsed("status page runs") { sandbox, browser, node in
                let directory = "/tmp/pgbastion-test-\(getpid())-page-backups"
                defer { _ = Shell.run("rm -rf '\(directory)'") }
                _ = try ClientProgram.json("backup create --series paged --dir '\(directory)'", on: node, of: sandbox)
                try await sandbox.wait("the backup on the page", seconds: 90) {
                    try browser.text("#backups").contains("paged") && browser.text("#backups").contains("verified")
                }
                try hold(!(try browser.isShown("#runbook")), "no runbook runs")
                func call(_ operation: String, _ input: String) throws {
                    let answer = Shell.run(
                        "curl -s -X POST -H 'Authorization: Bearer \(sandbox.layout.token)' -H 'Content-Type: application/json' -d '\(input)' "
                            + "http://127.0.0.1:\(node.apiPort)/v1/operations/\(operation)")
                    try hold(answer.output.contains(#""ok":true"#), "\(operation): \(answer.output)")
                }
                // What a runner does: the lock, then how far it is.
                try call("run.lock", #"{"run_id":"run-page","runbook":"patch-replica","holder":"alice@\#(node.name)"}"#)
                func summary(_ status: String, _ more: String) -> String {
                    #"{"id":"run-page","runbook":"patch-replica","sha256":"","status":"\#(status)","user":"alice","#
                        + #""started_at":1771293600000,"params":{},"message":"install the updates","steps":["drain succeeded"]\#(more)}"#
                }
                func record(_ status: String, _ more: String = "") throws {
                    try call("run.record", #"{"summary":"\#(summary(status, more).replacing("\"", with: "\\\""))"}"#)
                }
                try record("waiting", #","step":"patch""#)
                try await sandbox.wait("the runbook on the page", seconds: 60) {
                    let text = try browser.text("#runbook")
                    return try browser.isShown("#runbook") && text.contains("patch-replica") && text.contains("alice")
                        && browser.text("#runbook .now") == "patch"
                }
                try keep(browser, "runbook")
                try record("succeeded")
                try call("run.release", #"{"run_id":"run-page"}"#)
                try await sandbox.wait("its end on the page", seconds: 60) {
                    try !browser.isShown("#runbook") && browser.text("#runs").contains("patch-replicasucceeded")
                }
                try hold(browser.complaints.isEmpty, browser.complaints.joined(separator: "; "))
            }
        }

        @Test func `with the keyboard alone: a token, then pause and resume, each confirmed`() async throws {
            try await browsed("status page actions") { sandbox, browser, node in
                try await sandbox.wait("the page", seconds: 30) { try browser.text("#verdict") == "Healthy" }
                try browser.tab(to: "#access")
                try browser.press("Enter")
                try browser.type("not-the-token")
                try browser.press("Enter")
                try await sandbox.wait("the refusal", seconds: 10) { try browser.text("#form .error").contains("token") }
                try hold(!(try browser.isShown("#actions")), "a wrong token opens nothing")
                _ = try browser.evaluate("document.getElementById('token').select()")
                try browser.type(sandbox.layout.token)
                try browser.press("Enter")
                try await sandbox.wait("the actions", seconds: 10) { try browser.isShown("#actions") }
                for (button, word) in [("Pause failover …", "paused"), ("Resume failover …", "on")] {
                    try hold(try browser.text("#actions").contains(button), "no \(button)")
                    try browser.tab(to: "#actions button:last-child")
                    try browser.press("Enter")
                    try await sandbox.wait("the dialog with its plan", seconds: 10) {
                        try browser.evaluate("document.getElementById('dialog').open && !document.getElementById('confirm').disabled")
                            == "true"
                            && browser.evaluate("document.querySelectorAll('#form li').length") != "0"
                    }
                    try browser.tab(to: "#confirm")
                    try browser.press("Enter")
                    try await sandbox.wait("automatic failover to be \(word)", seconds: 15) {
                        try browser.text("[data-card='Automatic failover'] .value") == word
                    }
                    try hold(try await sandbox.rest(node).paused.active == (word == "paused"), "the page shows what is not so")
                }
                // A dialog that is left changes nothing.
                try browser.tab(to: "#actions button:first-child")
                try browser.press("Enter")
                try await sandbox.wait("the dialog", seconds: 5) {
                    try browser.evaluate("document.getElementById('dialog').open") == "true"
                }
                try browser.press("Escape")
                try await sandbox.wait("its end", seconds: 5) { try browser.evaluate("document.getElementById('dialog').open") == "false" }
            }
        }

        @Test func `a failover is on the page while it happens, and the new primary after it`() async throws {
            try await browsed("status page failover", dark: true) { sandbox, browser, node in
                let old = try await sandbox.primary()
                try await sandbox.wait("the page", seconds: 30) { try browser.text("#verdict") == "Healthy" }
                sandbox.killNode(old)
                // It takes a second; its result stays for half a minute.
                try await sandbox.wait("the failover on the page", seconds: 30) {
                    try browser.isShown("#running") && browser.text("#running").hasPrefix("runningFailover")
                        || browser.text("#running").hasPrefix("succeededFailover")
                }
                try keep(browser, "failover")
                try await sandbox.wait("the new primary on the page", seconds: 60) {
                    let shown = try browser.text("[data-card=Primary] .value")
                    return shown != old.name && shown.hasPrefix("node")
                }
                try hold(try browser.text("#findings").contains(old.name), "the dead node is not named")
                try await sandbox.settled(restarting: true, seconds: 120)
                try await sandbox.wait("a healthy page", seconds: 30) { try browser.text("#verdict") == "Healthy" }
                try hold(try browser.evaluate("document.querySelectorAll('#topology .edge:not(.broken)').length") == "2", "edges")
            }
        }

        /// Opens the page on a node that is not the primary.
        private func browsed(
            _ name: String, dark: Bool = false, _ body: (Sandbox, Browser, SandboxNode) async throws -> Void
        ) async throws {
            try await monitored(name) { sandbox in
                let primary = try await sandbox.primary()
                let node = try #require(sandbox.layout.nodes.first { $0 != primary })
                let browser = try Browser(width: 1280, height: 1240, dark: dark)
                defer { browser.stop() }
                try browser.load("http://127.0.0.1:\(node.apiPort)/ui/")
                try await body(sandbox, browser, node)
            }
        }

        /// Kept for the documentation when somebody asks for it.
        private func keep(_ browser: Browser, _ name: String) throws {
            guard let directory = ProcessInfo.processInfo.environment["PGBASTION_SCREENSHOTS"] else { return }
            try browser.screenshot(to: "\(directory)/status-page-\(name).png")
        }
    }
}
