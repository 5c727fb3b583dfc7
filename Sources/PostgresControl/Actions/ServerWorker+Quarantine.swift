import ClusterModel

extension ServerWorker {
    /// D49: nothing is wiped; the directory gets another name and keeps the reason beside its files.
    func quarantine(_ reason: String) throws(BastionError) {
        try requireStopped()
        try LeftoverPrograms.end(dataDirectory: input.dataDirectory)
        if DataDirectory.state(input.dataDirectory) == .present {
            let target = try moveToQuarantine()
            try DurableFiles.write(reason + "\n", to: target + "/pgbastion.quarantine")
        }
        try DurableFiles.remove(input.markerFile)
    }

    /// - Returns: The new path, `<data_dir>.quarantine-<time>`.
    @discardableResult
    func moveToQuarantine() throws(BastionError) -> String {
        let base = input.dataDirectory + ".quarantine-" + input.timestamp()
        var target = base
        var number = 2
        while DurableFiles.exists(target) {
            target = "\(base)-\(number)"
            number += 1
        }
        try DurableFiles.move(input.dataDirectory, to: target)
        return target
    }
}
