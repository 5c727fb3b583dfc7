import Testing

@testable import ConfigFiles

@Suite struct ConnectionSettingsTests {
    @Test func `K14 the keyword form is read as libpq reads it`() throws {
        let settings = try ConnectionSettings(
            parsing: #"host = /run/postgresql port=5435 dbname='my db' user=it\'s password='p\\w\'d' sslmode=disable"#)
        #expect(settings.host == "/run/postgresql")
        #expect(settings.isSocketDirectory)
        #expect(settings.port == 5435)
        #expect(settings.database == "my db")
        #expect(settings.user == "it's")
        #expect(settings.password == Secret(#"p\w'd"#))
        #expect(settings.options == ["sslmode": "disable"])
    }

    @Test func `K14 the URI form is read as libpq reads it`() throws {
        let settings = try ConnectionSettings(parsing: "postgresql://me:p%40ss@[fd00::1]:5435/app?connect_timeout=3")
        #expect(settings.host == "fd00::1")
        #expect(settings.port == 5435)
        #expect(settings.database == "app")
        #expect(settings.user == "me")
        #expect(settings.password == Secret("p@ss"))
        #expect(settings.options == ["connect_timeout": "3"])
        let socket = try ConnectionSettings(parsing: "postgres://%2Frun%2Fpostgresql")
        #expect(socket.host == "/run/postgresql")
        #expect(socket.database == "postgres")
        #expect(try ConnectionSettings(parsing: "postgresql:///db?host=/tmp").host == "/tmp")
    }

    @Test(arguments: [
        "host", "host=a,b", "port=0", "port=70000", "nohost=a", "password='open", "postgresql://a:b:c/", "=x",
        "postgresql://[::1", "postgresql://a%zz/", "postgresql://a/b?c", "postgresql://u:p@a/db?sslmod=x",
    ])
    func `K14 what libpq would refuse is refused at load`(dsn: String) {
        #expect(throws: ConnectionSettings.Problem.self) { try ConnectionSettings(parsing: dsn) }
    }

    @Test func `K14 the password is in the connection string and nowhere else`() throws {
        let settings = try ConnectionSettings(parsing: "host=a password='x y' user=u")
        #expect(
            settings.connectionString(defaultPort: 5434) == "dbname=postgres host=a password='x y' port=5434 user=u")
        #expect(settings.description == "host=a dbname=postgres user=u password=(hidden)")
        #expect(!String(reflecting: settings).contains("x y"))
        let again = try ConnectionSettings(parsing: settings.connectionString(defaultPort: 5434))
        #expect(again.password == settings.password)
    }
}
