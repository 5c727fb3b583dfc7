import Glibc
import PostgresTestKit
import Testing

/// P24: three daemons on three hosts of one segment, and a fourth host that uses the address. Needs root.
@Suite(.serialized) struct AddressScenarios {
    private func play(_ body: (Hosts) throws -> Void) throws {
        let hosts = try Hosts()
        defer { hosts.remove() }
        let watch = OwnerWatch(hosts)
        do { try body(hosts) } catch {
            _ = watch.stop()
            let logs = (0..<3).map { "---- node\($0 + 1)\n" + hosts.log($0).split(separator: "\n").suffix(25).joined(separator: "\n") }
            throw WireFailure("\(error)\n\(logs.joined(separator: "\n"))")
        }
        let (conflicts, samples) = watch.stop()
        #expect(conflicts.isEmpty, "the address was on two hosts: \(conflicts)")
        #expect(samples > 20, "the watch over the address hardly ran: \(samples)")
    }

    /// Three nodes that have joined.
    private func formed(_ hosts: Hosts, follows: String, postgres: (Int) -> String = { _ in "" }) throws {
        for index in 0..<3 { try hosts.configure(index, follows: follows, postgres: postgres(index)) }
        for index in 0..<3 { hosts.start(index) }
        try waitUntil("node1 leads", within: .seconds(60)) { try hosts.health(0, "status") != "" && leader(hosts) == 0 }
        for index in 1..<3 {
            try waitUntil("node\(index + 1) is added", within: .seconds(60)) {
                try added(hosts, index)
            }
        }
    }

    private func added(_ hosts: Hosts, _ index: Int) throws -> Bool {
        do {
            try hosts.pgbastion(0, "peer add node\(index + 1) \(Hosts.hostAddress(index))")
            return true
        } catch { return false }
    }

    private func leader(_ hosts: Hosts) throws -> Int? {
        try (0..<3).first { index in
            try Wire.run(
                "curl -s -m 2 --unix-socket \(hosts.directory.path)/node\(index + 1)/run/api.sock http://localhost/raft/state | jq -r .is_leader || true"
            ).hasPrefix("true")
        }
    }

    /// Waits until exactly `index` has it, and every node that runs says so.
    private func isOwned(_ hosts: Hosts, by index: Int, among running: [Int] = [0, 1, 2]) throws {
        try waitUntil("the address is on node\(index + 1)", within: .seconds(60)) { try hosts.owners().nodes == [index] }
        for other in running {
            try waitUntil("node\(other + 1) knows the owner", within: .seconds(30)) {
                try hosts.health(other, "vip_owner") == "node\(index + 1)"
            }
        }
    }

    private func clientReaches(_ hosts: Hosts, _ index: Int) throws {
        try hosts.on(3, "ping -c 1 -W 5 \(Hosts.address)")
        let neighbour = try hosts.on(3, "ip neigh show \(Hosts.address)")
        #expect(neighbour.contains(try hosts.hardware(index)), "\(neighbour)")
    }

    private func ownedByLeader(_ hosts: Hosts) throws -> Int {
        var found: Int?
        try waitUntil("the leader has the address", within: .seconds(60)) {
            found = try leader(hosts)
            return try found != nil && hosts.owners().nodes == [found]
        }
        guard let found else { throw WireFailure("no leader") }
        return found
    }

    @Test func `it follows the leader through a transfer and kill -9, and is never on two hosts`() throws {
        try play { hosts in
            try formed(hosts, follows: "leader")
            let first = try ownedByLeader(hosts)
            try isOwned(hosts, by: first)
            try clientReaches(hosts, first)
            #expect(try hosts.health(first, "vip_reason") == "null")
            let follower = (first + 1) % 3
            #expect(try hosts.health(follower, "vip_reason") == "not leader")

            let second = (first + 2) % 3
            let said = try hosts.pgbastion(first, "raft transfer node\(second + 1) --yes")
            #expect(said.contains("node\(second + 1) leads"), "\(said)")
            try isOwned(hosts, by: second)
            try clientReaches(hosts, second)

            let begin = ContinuousClock.now
            hosts.kill(second)
            try waitUntil("the kernel removes the address") { try !hosts.owners().nodes.contains(second) }
            let gone = ContinuousClock.now - begin
            #expect(gone < .seconds(3), "gone after \(gone)")
            let third = try ownedByLeader(hosts)
            #expect(third != second)
            try isOwned(hosts, by: third, among: (0..<3).filter { $0 != second })
            try clientReaches(hosts, third)

            hosts.start(second)
            try waitUntil("node\(second + 1) is back", within: .seconds(30)) { try hosts.health(second, "vip_owner") == "node\(third + 1)" }
            let again = try hosts.pgbastion(second, "vip reassert --yes")
            #expect(again.contains("announces \(Hosts.address)/24 again"), "\(again)")
            let status = try hosts.pgbastion(second, "vip status")
            #expect(status.contains("node\(third + 1)") && status.contains("not leader"), "\(status)")
        }
    }

    @Test func `it follows the primary through a switchover and a restart of the daemon, and clients write through it`() throws {
        try play { hosts in
            let programs = try Wire.run("ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1").prefix { $0 != "\n" }
            try formed(hosts, follows: "primary") { index in
                let root = "\(hosts.directory.path)/node\(index + 1)"
                return """
                    postgresql:
                      bin_dir: \(programs)
                      data_dir: \(root)/data
                      port: 5434
                      connect_dsn: "host=\(root)/run dbname=postgres"
                    """
            }
            let first = try ownedByPrimary(hosts)
            try clientReaches(hosts, first)
            for index in 0..<3 { try hosts.admitClients(index) }
            try hosts.sql(first, "CREATE ROLE app LOGIN SUPERUSER PASSWORD $$app$$")
            try clientWrites(hosts, table: "before")

            let second = (first + 1) % 3
            try waitUntil("node\(second + 1) streams and the switchover goes through", within: .seconds(90)) {
                do { try hosts.pgbastion(first, "switchover node\(second + 1) --yes") } catch { return false }
                return true
            }
            try isOwned(hosts, by: second)
            #expect(try ownedByPrimary(hosts) == second)
            try clientReaches(hosts, second)
            try clientWrites(hosts, table: "after")

            // Until the synchronous set is settled nobody may replace a dead primary (SE9).
            try waitUntil("the synchronous set is settled", within: .seconds(60)) { try hosts.synchronousIsSettled(first) }

            // Under a restart hold the address stays while the daemon is away.
            hosts.stop(second)
            #expect(try hosts.owners().nodes == [second])
            poll(nil, 0, 3000)
            #expect(try hosts.owners().nodes == [second], "the kernel removed it during the hold")
            hosts.start(second)
            try isOwned(hosts, by: second)

            // Without a hold the kernel removes it, and the next primary takes it.
            let begin = ContinuousClock.now
            hosts.killEverything(second)
            try waitUntil("the kernel removes the address") { try !hosts.owners().nodes.contains(second) }
            #expect(ContinuousClock.now - begin < .seconds(3))
            #expect(try ownedByPrimary(hosts, besides: second) != second)
            try clientWrites(hosts, table: "again")
        }
    }

    private func ownedByPrimary(_ hosts: Hosts, besides gone: Int? = nil) throws -> Int {
        var found: Int?
        try waitUntil("the primary has the address", within: .seconds(120)) {
            found = try (0..<3).first { try $0 != gone && hosts.health($0, "role") == "primary" }
            return try found != nil && hosts.owners().nodes == [found]
        }
        guard let found else { throw WireFailure("no primary") }
        return found
    }

    /// Through the address and the proxy behind it.
    private func clientWrites(_ hosts: Hosts, table: String) throws {
        let connection = "host=\(Hosts.address) port=5432 user=app password=app dbname=postgres connect_timeout=5"
        try waitUntil("a client writes through the address", within: .seconds(30)) {
            do { try hosts.on(3, "psql -X \"\(connection)\" -c \"CREATE TABLE \(table) (a int)\"") } catch { return false }
            return true
        }
    }

    @Test func `a stranger's address and a missing capability are named, and end when they end`() throws {
        try play { hosts in
            try formed(hosts, follows: "leader")
            let first = try ownedByLeader(hosts)
            try isOwned(hosts, by: first)
            let (second, third) = ((first + 1) % 3, (first + 2) % 3)
            try hosts.on(3, "ip address add \(Hosts.address)/24 dev eth0")
            try hosts.pgbastion(first, "raft transfer node\(second + 1) --yes")
            let reason = "address in use by \(try hosts.hardware(3))"
            try waitUntil("the new leader names the stranger", within: .seconds(30)) { try hosts.health(second, "vip_reason") == reason }
            #expect(try hosts.health(second, "vip_owner") == "null")
            try waitUntil("the others say so", within: .seconds(10)) {
                try hosts.health(third, "vip_reason") == "node\(second + 1): \(reason)"
            }
            #expect(hosts.log(second).contains("address in use"))
            try hosts.on(3, "ip address del \(Hosts.address)/24 dev eth0")
            try isOwned(hosts, by: second)

            hosts.kill(third)
            hosts.start(third, capabilities: "")
            try waitUntil("node\(third + 1) is back", within: .seconds(30)) { try hosts.health(third, "vip_owner") == "node\(second + 1)" }
            try waitUntil("the lead moves to node\(third + 1)", within: .seconds(60)) {
                do { try hosts.pgbastion(second, "raft transfer node\(third + 1) --yes") } catch { return false }
                return true
            }
            try waitUntil("the missing capabilities are named", within: .seconds(30)) {
                try hosts.health(third, "vip_reason") == "capability missing: CAP_NET_ADMIN, CAP_NET_RAW"
            }
            #expect(try hosts.owners().nodes.isEmpty)
        }
    }
}
