import ClusterModel
import Testing

@testable import ConfigFiles

/// F4: what a backup takes of a configuration file holds no secret (backup-restore.md, 2.5).
struct ConfigurationRedactionTests {
    private func redacted(_ text: String) throws -> (text: String, paths: [String]) {
        let result = try ConfigurationRedaction.redact(Array(text.utf8), file: "test.yaml")
        return (String(decoding: result.bytes, as: UTF8.self), result.paths)
    }

    @Test func `only the secret values change, comments and layout stay`() throws {
        let text = """
            # node one, token s3cret-token in the vault
            api:
              auth_token:   s3cret-token   # rotate in May
              port: 8080
            postgresql:
              connect_dsn: "host=/run/pg user=app password=hunter22 dbname=x"
            backup: { ping_url: 'https://hc.example/uuid-1234' , dir: /b }

            """
        let (clean, paths) = try redacted(text)
        #expect(
            clean == """
                # node one, token !redacted in the vault
                api:
                  auth_token:   "!redacted"   # rotate in May
                  port: 8080
                postgresql:
                  connect_dsn: "host=/run/pg user=app password=!redacted dbname=x"
                backup: { ping_url: "!redacted" , dir: /b }

                """)
        #expect(paths == ["api.auth_token", "postgresql.connect_dsn", "backup.ping_url"])
    }

    @Test(arguments: [
        "postgresql://app:hunt%65r22@db:5432/x?sslmode=require&sslpassword=k3y-secret",
        "host=db user=app password='hunt\\'er22' sslpassword=k3y-secret",
        "host=db password = hunter22", "this is = no connection string with hunter22",
    ])
    func `passwords leave every form of a connection string`(dsn: String) throws {
        let quoted = dsn.replacing("'", with: "''")
        let (clean, paths) = try redacted("postgresql:\n  connect_dsn: '\(quoted)'\n")
        #expect(!clean.contains("er22"))
        #expect(!clean.contains("k3y-secret"))
        #expect(paths == ["postgresql.connect_dsn"])
    }

    @Test func `a connection string without a password stays as it is`() throws {
        let text = "postgresql:\n  connect_dsn: host=/run/postgresql user=postgres\n"
        #expect(try redacted(text) == (text, []))
    }

    @Test func `no secret of any secret key survives, in any style of YAML`() throws {
        let keys = ConfigurationFile.keys.filter(\.isSecret).map(\.name)
        #expect(keys.count >= 3)
        for style in ["%", "\"%\"", "'%'", "|\n    %\n", ">-\n    %", "\n    %"] {
            for key in keys {
                let secret = key.hasSuffix("_dsn") ? "host=a password=TOPSECRETä7" : "TOPSECRETä7"
                let parts = key.split(separator: ".")
                let text = "ä: \"é\"\n\(parts[0]):\n  \(parts[1]): \(style.replacing("%", with: secret))\n  other: 1 # ö\n"
                let (clean, paths) = try redacted(text)
                #expect(!clean.contains("TOPSECRET"), "\(key) in style \(style)")
                #expect(paths == [key])
                #expect(clean.contains("  other: 1 # ö\n"))
                #expect(try YAMLDocument.parse(clean, file: "x")[String(parts[0])]?["other"]?.text == "1")
            }
        }
    }

    @Test func `what cannot be understood is not cleaned but refused`() {
        #expect(throws: ConfigurationErrors.self) { try redacted("api: [\n") }
    }

    @Test func `a file that still lacks its secrets is refused with the place`() {
        let text = "node:\n  name: n1\napi:\n  auth_token: \"!redacted\"\n"
        let error = #expect(throws: ConfigurationErrors.self) { try ConfigurationFile.parse(text: text) }
        #expect(error?.diagnostics.contains { $0.position.line == 4 && $0.message.contains("secret") } == true)
    }
}
