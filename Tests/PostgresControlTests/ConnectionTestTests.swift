import ClusterModel
import PostgresTestKit
import Testing

@testable import PostgresControl

struct ConnectionTestTests {
    @Test func `libpq's texts are told apart: refused by the server with its state, or nobody there`() {
        let rejected = """
            connection to server at "127.0.0.1", port 5434 failed: FATAL:  28000: pg_hba.conf rejects connection for host "127.0.0.1", user "x"
            LOCATION:  ClientAuthentication, auth.c:521
            """
        #expect(
            ConnectionTest.failure(rejected)
                == .refused(state: "28000", message: "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"x\""))
        // The server may speak another language: the state is what counts.
        let german = "Verbindung zum Server fehlgeschlagen: FATAL:  3D000: Datenbank \"nowhere\" existiert nicht\n"
        #expect(ConnectionTest.failure(german) == .refused(state: "3D000", message: "Datenbank \"nowhere\" existiert nicht"))
        let nobody = """
            connection to server on socket "/run/x/.s.PGSQL.5434" failed: No such file or directory
            \tIs the server running locally and accepting connections on that socket?
            """
        #expect(ConnectionTest.failure(nobody) == .unreachable("No such file or directory"))
    }

    @Test func `a port on which nobody listens is unreachable`() async {
        let outcome = await ConnectionTest.run(
            [(key: "host", value: "127.0.0.1"), (key: "port", value: "\(Loopback.freePort())"), (key: "user", value: "postgres")],
            within: .seconds(2))
        guard case .unreachable = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }
}
