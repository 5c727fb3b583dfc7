/// The sections for people and other programs: virtual address, API, metrics, log, tracing.
extension ConfigurationReader {
    func readVIP() -> NodeConfiguration.VirtualAddress? {
        let section = root.section("vip")
        defer { section.finish() }
        let address = section.value("address", "an IP address, with or without /PREFIX", form: .ipAddress) { text, _ in network(text) }
        let interface = section.value("interface", "the name of a network interface", form: .pattern("^[!-.0-~]{1,15}$")) { text, _ in
            isInterfaceName(text) ? text : nil
        }
        let renewInterval = section.duration("renew_interval", in: .milliseconds(100) ... .seconds(600))
        let follows = section.choice("follows", NodeConfiguration.VirtualAddress.Follows.self)
        let hasAddress = collector.isWritten("vip.address")
        if hasAddress != collector.isWritten("vip.interface") {
            let missing = hasAddress ? "vip.interface" : "vip.address"
            collector.error(
                about: "vip", "\"\(missing)\" is missing", hint: "give both address and interface, or neither")
        }
        guard let address, let interface else { return nil }
        var vip = NodeConfiguration.VirtualAddress(
            address: address.address, prefixLength: address.prefix, interface: interface)
        set(&vip.renewInterval, renewInterval)
        set(&vip.follows, follows)
        return vip
    }

    func readAPI(runDirectory: String) -> NodeConfiguration.API {
        let section = root.section("api")
        defer { section.finish() }
        var api = NodeConfiguration.API()
        set(&api.port, section.port("port"))
        set(&api.bindAddresses, section.addresses("bind_address"))
        let token = section.secret("auth_token")
        api.authTokenFile = section.path("auth_token_file")
        api.authToken = readToken(token, file: api.authTokenFile)
        set(&api.shutdownTimeout, section.duration("shutdown_timeout", in: .zero ... .seconds(600)))
        let certificate = section.path("tls_cert")
        let key = section.path("tls_key")
        let hasCertificate = collector.isWritten("api.tls_cert")
        if hasCertificate != collector.isWritten("api.tls_key") {
            let missing = hasCertificate ? "api.tls_key" : "api.tls_cert"
            collector.error(
                about: "api", "\"\(missing)\" is missing", hint: "give both tls_cert and tls_key, or neither")
        }
        let authority = section.path("tls_ca")
        if authority != nil, !hasCertificate {
            collector.error(
                about: "api.tls_ca", "\"api.tls_cert\" is missing", hint: "client certificates need TLS: give tls_cert and tls_key")
        }
        if let certificate, let key {
            api.tls = .init(certificateFile: certificate, keyFile: key, authorityFile: authority)
        }
        api.socket = section.path("socket") ?? runDirectory + "/api.sock"
        set(&api.protectReads, section.flag("protect_reads"))
        return api
    }

    /// The token of K11; nil when there is none.
    private func readToken(_ token: Secret?, file: String?) -> Secret? {
        if collector.isWritten("api.auth_token"), collector.isWritten("api.auth_token_file") {
            collector.error(
                about: "api.auth_token_file", "both api.auth_token and api.auth_token_file are given", hint: "keep one")
            return nil
        }
        guard let file else { return usableToken(token, key: "api.auth_token") }
        guard case .read(let read) = tokenFiles else { return nil }
        do throws(FileProblem) {
            let text = String(decoding: try read(file), as: UTF8.self)
            let line = text.split(omittingEmptySubsequences: false) { $0.isNewline }.first.map(String.init) ?? ""
            guard !line.isEmpty else {
                collector.error(about: "api.auth_token_file", "the token file \"\(file)\" is empty")
                return nil
            }
            return usableToken(Secret(line), key: "api.auth_token_file")
        } catch {
            collector.error(
                about: "api.auth_token_file", "could not read the token file \"\(file)\": \(error.reason)")
            return nil
        }
    }

    /// A token travels in a header line: visible ASCII only. The message never shows it.
    private func usableToken(_ token: Secret?, key: String) -> Secret? {
        guard let token, !token.isEmpty else { return nil }
        guard token.revealed.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), token.revealed.utf8.count <= 1024 else {
            collector.error(
                about: key, "the token has characters that cannot stand in an HTTP header",
                hint: "use at most 1024 letters, digits and signs, without blanks")
            return nil
        }
        return token
    }

    func readMetrics(defaultAddresses: [IPAddress]) -> NodeConfiguration.Metrics {
        let section = root.section("metrics")
        defer { section.finish() }
        var metrics = NodeConfiguration.Metrics()
        set(&metrics.port, section.port("port"))
        metrics.bindAddresses = section.addresses("bind_address") ?? defaultAddresses
        return metrics
    }

    func readLog() -> NodeConfiguration.Log {
        let section = root.section("log")
        defer { section.finish() }
        var log = NodeConfiguration.Log()
        set(&log.level, section.logLevel("level"))
        set(&log.format, section.choice("format", NodeConfiguration.Log.Format.self))
        return log
    }

    func readTracing() -> NodeConfiguration.Tracing {
        let section = root.section("tracing")
        defer { section.finish() }
        var tracing = NodeConfiguration.Tracing()
        set(&tracing.isEnabled, section.flag("enabled"))
        tracing.exporter = section.optionalText("exporter")
        tracing.endpoint = section.optionalText("endpoint")
        tracing.serviceName = section.optionalText("service_name")
        tracing.sampleRate = section.value("sample_rate", "a number from 0 to 1", form: .number(0...1)) { text, _ in
            Double(text).flatMap { (0...1).contains($0) ? text : nil }
        }
        set(&tracing.isInsecure, section.flag("insecure"))
        if tracing.isEnabled {
            collector.warning(
                about: "tracing.enabled", "this version exports no traces", hint: "set tracing.enabled: false")
        }
        return tracing
    }

    private func network(_ text: String) -> (address: IPAddress, prefix: Int)? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let address = IPAddress(parts[0]) else { return nil }
        let bits = address.isIPv6 ? 128 : 32
        guard parts.count == 2 else { return (address, bits) }
        guard let prefix = Int(parts[1]), (1...bits).contains(prefix) else { return nil }
        return (address, prefix)
    }

    /// Limit: the kernel's IFNAMSIZ, 16 bytes with the final zero.
    private func isInterfaceName(_ text: String) -> Bool {
        (1...15).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") }
    }
}
