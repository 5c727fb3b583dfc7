import Testing

@testable import ConfigFiles

/// What a support bundle takes of logs and documents holds no secret.
struct SecretFilterTests {
    private func clean(_ text: String, _ secrets: String...) -> String { SecretFilter(secrets: secrets.map { Secret($0) }).clean(text) }

    @Test func `a known secret leaves in every form it may have`() {
        let secret = "pa\"ss w/rd\\9"
        #expect(clean("before pa\"ss w/rd\\9 after", secret) == "before !redacted after")
        #expect(clean(#"{"message":"pa\"ss w/rd\\9"}"#, secret) == #"{"message":"!redacted"}"#)
        #expect(clean("http://h/?x=pa%22ss%20w%2Frd%5C9&y=1", secret) == "http://h/?x=!redacted&y=1")
        #expect(clean("abcdefgh abcd", "abcd", "abcdefgh") == "!redacted !redacted")
    }

    @Test(arguments: [
        ("password=hunter22 host=x", "password=!redacted host=x"), ("PGPASSWORD=hunter22\nnext", "PGPASSWORD=!redacted\nnext"),
        ("password = 'hunt er\\'22' host=x", "password = '!redacted' host=x"), ("sslpassword=hunter22", "sslpassword=!redacted"),
        (#"{"password": "hunter22", "n": 1}"#, #"{"password": "!redacted", "n": 1}"#),
        (#"{"password":12345}"#, #"{"password":"!redacted"}"#), (#"{"m":"password=\"hunter22\" x"}"#, #"{"m":"password=\"!redacted\" x"}"#),
        ("Authorization: Bearer hunter22", "Authorization: Bearer !redacted"),
        ("postgres://app:hunter22@db:5432/x", "postgres://app:!redacted@db:5432/x"),
        ("  auth_token: hunter22 # note", "  auth_token: !redacted # note"),
    ])
    func `an unknown secret is found by what stands before it`(text: String, expected: String) {
        #expect(clean(text) == expected)
    }

    @Test(arguments: [
        "token=17 lease renewed", #"{"password":null,"auth_token":{"mode":384},"passphrase":""}"#, "auth_token_file: /etc/pgbastion/token",
        "password authentication failed for user \"x\"", "see https://example.org:8443/a@b", "password=", "://", "bearer ", "password='",
    ])
    func `innocent text stays as it is`(text: String) {
        #expect(clean(text) == text)
    }

    @Test func `a short secret is not looked for everywhere`() {
        #expect(clean("abc in abcdef", "abc") == "abc in abcdef")
    }
}
