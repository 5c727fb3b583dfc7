import ClusterModel

extension ServerWorker {
    /// 8.2: initdb into a directory beside the final one, which then gets its name at once. A data directory that is
    /// there already is kept.
    func initialize() async throws(BastionError) {
        switch DataDirectory.state(input.dataDirectory) {
        case .present:
            guard DataDirectory.version(input.dataDirectory) != nil else {
                throw BastionError(
                    .preconditionFailed, "cannot initialise \"\(input.dataDirectory)\": it holds other files")
            }
            return
        case .missing, .empty: break
        }
        let temporary = input.dataDirectory + ".init"
        try LeftoverPrograms.end(dataDirectory: input.dataDirectory)
        try DurableFiles.removeTree(temporary)
        try DurableFiles.makeDirectory(DurableFiles.parent(of: temporary), mode: 0o755)
        let result = try await programs.run(
            "initdb",
            [
                "-D", temporary, "-U", input.superuser, "--data-checksums", "--auth-local=peer",
                "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=\(input.locale)", "--no-instructions",
            ], within: .seconds(300))
        guard result.succeeded else { throw result.error("could not initialise \"\(input.dataDirectory)\"") }
        let major = DataDirectory.version(temporary)?.major ?? 0
        let layout = ConfigurationLayout(input, major: major, copy: temporary)
        if !DurableFiles.exists(input.settingsFile) {
            try DurableFiles.write("# not set up yet\n", to: input.settingsFile)
        }
        try configuration(layout).apply()
        try admitClients(layout.hbaFile)
        // Drawn before the directory is there; whoever sees the directory first binds the id to it.
        try DataIdentity.drawn().write(input.dataIDFile)
        try DurableFiles.move(temporary, to: input.dataDirectory)
    }

    /// initdb admits clients of this machine only, but they come through the proxies of other nodes. Only a cluster that we
    /// made gets this line; from then on it is the operator's.
    private func admitClients(_ path: String) throws(BastionError) {
        guard input.managesHBA, let text = try DurableFiles.read(path) else { return }
        try DurableFiles.write(text + "host all all all scram-sha-256\n", to: path)
    }
}
