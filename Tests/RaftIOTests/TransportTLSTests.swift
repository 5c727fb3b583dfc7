import ClusterModel
import Glibc
import Testing

@testable import RaftIO

@Suite(.serialized) struct TransportTLSTests {
    let files: TestCertificates

    init() throws { files = try TestCertificates() }

    @Test func `nodes with certificates of one CA talk`() async throws {
        let (a, b) = (try TestNode(1, tls: files.tls("a")), try TestNode(2, tls: files.tls("b")))
        a.transport.setPeers([b.address])
        b.transport.setPeers([PeerAddress(memberID: a.member, host: "localhost", port: a.port)])
        #expect(await eventually { a.transport.isConnected(b.member) && b.transport.isConnected(a.member) })
        a.transport.send(to: b.member, lane: .urgent, [UInt8](repeating: 7, count: 300_000))
        #expect(await eventually { b.received.values.first?.count == 300_000 })
        #expect(
            try await b.transport.request(host: "127.0.0.1", port: a.port, payload: [1, 2], timeout: .seconds(5)) == [
                2, 1,
            ])
        await stop(a, b)
    }

    @Test(arguments: ["stranger", "expired", "clientonly"])
    func `a server certificate that is not right is refused`(name: String) async throws {
        let (a, b) = (try TestNode(1, tls: files.tls("a")), try TestNode(2, tls: files.tls(name)))
        let error = await #expect(throws: BastionError.self) {
            try await a.transport.probe(host: "127.0.0.1", port: b.port, timeout: .seconds(5))
        }
        #expect(error?.code == .unavailable)
        await stop(a, b)
    }

    @Test func `a server certificate for another name is refused`() async throws {
        let (a, b) = (try TestNode(1, tls: files.tls("a")), try TestNode(2, tls: files.tls("othername")))
        await #expect(throws: BastionError.self) {
            try await a.transport.probe(host: "localhost", port: b.port, timeout: .seconds(5))
        }
        await stop(a, b)
    }

    @Test(arguments: ["stranger", "expired"])
    func `a client certificate that is not right is refused`(name: String) async throws {
        let (a, b) = (try TestNode(1, tls: files.tls(name)), try TestNode(2, tls: files.tls("b")))
        await #expect(throws: BastionError.self) {
            try await a.transport.probe(host: "127.0.0.1", port: b.port, timeout: .seconds(5))
        }
        #expect(b.events.values.isEmpty)
        await stop(a, b)
    }

    @Test func `plain connections are refused by a node with TLS`() async throws {
        let (a, b) = (try TestNode(1), try TestNode(2, tls: files.tls("b")))
        await #expect(throws: BastionError.self) {
            try await a.transport.probe(host: "127.0.0.1", port: b.port, timeout: .seconds(5))
        }
        await stop(a, b)
    }

    @Test func `rotated certificates are taken without a restart`() async throws {
        let rotating = files.tls("a", as: "rotating")
        let (a, b) = (try TestNode(1, tls: rotating), try TestNode(2, tls: files.tls("b")))
        _ = try await b.transport.probe(host: "127.0.0.1", port: a.port, timeout: .seconds(5))
        _ = files.tls("stranger", as: "rotating")
        try a.transport.reloadCertificates()
        await #expect(throws: BastionError.self) {
            try await b.transport.probe(host: "127.0.0.1", port: a.port, timeout: .seconds(5))
        }
        await stop(a, b)
    }

    @Test func `unusable files are an error of the configuration`() throws {
        let error = #expect(throws: BastionError.self) {
            try TestNode(1, tls: TransportTLS(certificatePath: "/nonexistent", keyPath: "/nonexistent"))
        }
        #expect(error?.code == .invalidConfiguration)
    }

    private func stop(_ nodes: TestNode...) async {
        for node in nodes { await node.transport.stop() }
    }
}

/// A CA, node certificates of it, and some that are wrong in one way each; made by `openssl`.
struct TestCertificates {
    let temporary: TemporaryDirectory

    init() throws {
        temporary = try TemporaryDirectory()
        let script = """
            set -e; cd "$1"
            ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.crt -days 2 -subj /CN=$1; }
            node() {
              openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.csr -subj /CN=$1
              printf 'subjectAltName=%s\\nextendedKeyUsage=%s\\n' "$3" "$4" >$1.ext
              openssl x509 -req -in $1.csr -CA $2.crt -CAkey $2.key -CAcreateserial -out $1.crt -days $5 -extfile $1.ext
            }
            ca ca; ca otherca
            here=DNS:localhost,IP:127.0.0.1; both=serverAuth,clientAuth
            node a ca $here $both 2; node b ca $here $both 2
            node stranger otherca $here $both 2
            node clientonly ca $here clientAuth 2
            node othername ca DNS:elsewhere.example $both 2
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout expired.key -out expired.csr -subj /CN=expired
            printf 'subjectAltName=%s\\nextendedKeyUsage=%s\\n' $here $both >expired.ext
            mkdir -p demo; : >demo/index; echo 01 >demo/serial
            printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=demo/index\\nserial=demo/serial\\nnew_certs_dir=demo\\ndefault_md=sha256\\npolicy=p\\nunique_subject=no\\n[p]\\ncommonName=supplied\\n' >ca.cnf
            openssl ca -batch -config ca.cnf -cert ca.crt -keyfile ca.key -in expired.csr -out expired.crt -notext \\
              -startdate 20200101000000Z -enddate 20200102000000Z -extfile expired.ext
            """
        try DurableFile.write(Array(script.utf8), to: "\(temporary.path)/make.sh")
        guard run("/bin/sh", "\(temporary.path)/make.sh", temporary.path) == 0 else {
            throw BastionError(.internal, "openssl could not make the test certificates")
        }
    }

    /// The files of one node; with `name` under another name, which may be overwritten.
    func tls(_ node: String, as name: String? = nil) -> TransportTLS {
        let target = name ?? node
        if let name {
            for ending in ["crt", "key"] {
                _ = run("/bin/cp", "\(temporary.path)/\(node).\(ending)", "\(temporary.path)/\(name).\(ending)")
            }
        }
        return TransportTLS(
            certificatePath: "\(temporary.path)/\(target).crt", keyPath: "\(temporary.path)/\(target).key",
            caPath: "\(temporary.path)/ca.crt")
    }

    private func run(_ program: String, _ arguments: String...) -> Int32 {
        var pid: pid_t = 0
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [1, 2] as [Int32] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
        }
        var pointers: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        guard posix_spawn(&pid, program, &actions, nil, &pointers, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status
    }
}
