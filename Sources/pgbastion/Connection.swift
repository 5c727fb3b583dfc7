import Bastion
import ClusterModel
import CommandLineInterface
import Operations

/// From the client's options to something that can ask a daemon (`cli.md` section 1).
enum Connection {
    static func invoker(_ options: ConnectionOptions) throws(BastionError) -> any OperationInvoker {
        try ClientConnection.invoker(
            ClientConnection.Options(
                addresses: options.addresses, configurationPath: options.configurationPath,
                isConfigurationGiven: options.isConfigurationGiven,
                tokenFiles: [options.tokenFile, options.credentialsTokenFile].compactMap { $0 },
                isTokenFileRequired: options.tokenFile != nil, token: options.token,
                authorityFile: options.certificateAuthorityFile, certificateFile: options.certificateFile,
                keyFile: options.keyFile, verifiesCertificate: options.verifiesCertificate))
    }
}
