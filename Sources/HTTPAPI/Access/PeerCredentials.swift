import ClusterModel
import Glibc
import NIOCore

/// Who is at the other end of a unix socket, as the kernel says.
package struct PeerCredentials: Sendable, Hashable {
    package var user: UInt32
    package init(user: UInt32) { self.user = user }

    /// nil when the kernel does not say.
    static func read(_ channel: any Channel) async -> PeerCredentials? {
        guard let options = channel as? any SocketOptionProvider else { return nil }
        do {
            let name = NIOBSDSocket.Option(rawValue: SO_PEERCRED)
            let found: KernelAnswer = try await options.unsafeGetSocketOption(level: .socket, name: name).get()
            return PeerCredentials(user: found.user)
        } catch {
            return nil
        }
    }

    /// `struct ucred` of unix(7), which Glibc's module does not show.
    private struct KernelAnswer: Sendable {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
    }
}

extension APIRequest.Peer {
    /// For the audit log: `uid 0 (sudo alice) over unix socket`.
    ///
    /// - Parameter sudoUser: What the client says who called `sudo`; believed of root only, who could say anything anyway.
    func actor(_ sudoUser: String?) -> String {
        switch self {
        case .address(let address): return address
        case .unixSocket(nil): return "unix socket"
        case .unixSocket(let credentials?):
            let person = sudoUser.flatMap { RequestID($0) }.flatMap { $0.rawValue.utf8.count <= 64 ? $0.rawValue : nil }
            let note = credentials.user == 0 ? person.map { " (sudo \($0))" } ?? "" : ""
            return "uid \(credentials.user)\(note) over unix socket"
        }
    }
}
