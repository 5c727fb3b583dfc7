import ClusterModel
import ConfigFiles
import Glibc
import PostgresControl

/// P01: a server that occupies a port the proxy needs stops the start, before anything was touched.
struct ProxyPortCheck {
    let configuration: NodeConfiguration

    /// - Throws: `invalid_configuration` with the port and both ways out.
    func check() throws(BastionError) {
        let proxy = configuration.proxy
        for (key, port) in [("proxy.primary_port", proxy.primaryPort.number), ("proxy.replica_port", proxy.replicaPort.number)] {
            for host in configuration.listenHosts where isInUse(host, port) { throw conflict(key, port) }
        }
    }

    private func conflict(_ key: String, _ port: Int) -> BastionError {
        guard let directory = configuration.postgresql?.dataDirectory, let running = RunningPostmaster(dataDirectory: directory),
            running.port == port
        else {
            return BastionError(
                .invalidConfiguration, "port \(port) is in use, but the proxy needs it (\(key))",
                hint: "end the program that listens on it (`ss -ltnp` shows it), or give the proxy another port with \(key)")
        }
        return BastionError(
            .invalidConfiguration, "port \(port) is in use by PostgreSQL, but the proxy needs it (\(key))",
            detail: "the server in \"\(directory)\" (process \(running.processID)) listens on it. Nothing was changed",
            hint:
                "either move PostgreSQL: set `port = 5434` in its postgresql.conf, restart it, and set postgresql.port: 5434; "
                + "or move the proxy: set \(key) to a free port and postgresql.port: \(port)")
    }

    /// Only numeric addresses are tried; whatever else is wrong with an address, the proxy says itself.
    private func isInUse(_ host: String, _ port: Int) -> Bool {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let address = found else { return false }
        defer { freeaddrinfo(found) }
        let handle = socket(address.pointee.ai_family, address.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { return false }
        defer { close(handle) }
        var yes: Int32 = 1
        setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        return bind(handle, address.pointee.ai_addr, address.pointee.ai_addrlen) != 0 && errno == EADDRINUSE
    }
}
