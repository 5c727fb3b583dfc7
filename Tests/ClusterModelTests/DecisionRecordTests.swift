import ClusterModel
import Testing

@Suite struct DecisionRecordTests {
    @Test func `SHA-256 gives the digests of FIPS 180-4, whatever the pieces`() {
        #expect(SHA256.hex([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(SHA256.hex("abc".utf8) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(SHA256.hex(two.utf8) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        let whole = SHA256.hex(long)
        #expect(whole == "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3")
        for size in [1, 7, 63, 64, 65, 128, 999] {
            var digest = SHA256()
            for start in stride(from: 0, to: long.count, by: size) { digest.add(Array(long[start..<min(start + size, long.count)])) }
            #expect(digest.hexDigest == whole, "pieces of \(size)")
        }
    }

    private func chain(_ count: Int) -> [DecisionRecord] {
        var records: [DecisionRecord] = []
        for number in 1...count {
            records.chain(DecisionRecord(at: Int64(number), kind: "primary.assigned", rules: ["LE8"], text: "line \(number)"), keeping: 8)
        }
        return records
    }

    @Test func `the chain counts up, keeps the newest and is whole (PR8)`() {
        let records = chain(20)
        #expect(records.map(\.number) == Array(13...20))
        #expect(records.firstBrokenLink == nil)
        #expect([DecisionRecord]().firstBrokenLink == nil)
    }

    @Test func `a line that was changed, taken out or put in shows`() {
        var changed = chain(6)
        changed[2].text = "something else"
        #expect(changed.firstBrokenLink == 3)
        var gone = chain(6)
        gone.remove(at: 3)
        #expect(gone.firstBrokenLink == 5)
        var forged = chain(6)
        forged[4].actor = "nobody"
        forged[4].hash = forged[4].expectedHash
        #expect(forged.firstBrokenLink == 6, "the next line knows the old hash")
        var chosen = chain(3)
        chosen[1].candidates = [.init(node: NodeName("a") ?? chosenName, isChosen: true, reason: "")]
        #expect(chosen.firstBrokenLink == 2)
    }

    private var chosenName: NodeName { preconditionFailure("a is a name") }

    @Test func `rules are found where sentences name them`() {
        #expect(RuleMention.ids(in: "a: SE5: standing joining; b: D19: not proven; rule of token 3 (SE4, D19)") == ["SE5", "D19", "SE4"])
        #expect(RuleMention.ids(in: "LSN 0/5000060, P2 and SE and ID12 and D100").isEmpty)
    }

    @Test func `settings that run programs or belong to pgbastion are refused (X07)`() {
        for name in [
            "archive_command", "archive_library", "restore_command", "shared_preload_libraries", "session_preload_libraries",
            "local_preload_libraries", "ssl_passphrase_command", "recovery_end_command", "archive_cleanup_command", "jit_provider",
            "dynamic_library_path", "primary_conninfo", "synchronous_standby_names", "port", "listen_addresses", "fsync",
            "full_page_writes", "hba_file", "data_directory", "unix_socket_directories", "restart_after_crash", "recovery_target_lsn",
            "ssl", "ssl_cert_file", "pgbastion.settings", "cluster_name", "wal_level", "Work_Mem", "work-mem", "", "a.b.c", "1x",
        ] { #expect(PostgresParameterRules.refusal(of: name) != nil, "\(name)") }
        for name in ["work_mem", "max_connections", "log_min_duration_statement", "auto_explain.log_min_duration", "checkpoint_timeout"] {
            #expect(PostgresParameterRules.refusal(of: name) == nil, "\(name)")
        }
    }

    @Test func `values that no file line can carry, or that would lock pgbastion out, are refused`() {
        #expect(PostgresParameterRules.problem(with: "64MB", of: "work_mem") == nil)
        #expect(PostgresParameterRules.problem(with: "a\nport = 1", of: "work_mem") != nil)
        #expect(PostgresParameterRules.problem(with: "5", of: "max_connections") != nil)
        #expect(PostgresParameterRules.problem(with: "many", of: "max_connections") != nil)
        #expect(PostgresParameterRules.problem(with: "300", of: "max_connections") == nil)
    }
}
