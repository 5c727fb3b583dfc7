import Operations

/// The operations on backups as commands of this machine.
extension LocalCommandDefinition {
    package static let backupCommands: [LocalCommandDefinition] = BackupOperations.definitions.map { operation in
        let asksDaemon = [BackupOperations.create.name, BackupOperations.drill.name].contains(operation.name)
        return LocalCommandDefinition(
            operation, isConnected: asksDaemon, outputSchema: { BackupOperations.outputSchema(of: operation.name) })
    }
}
