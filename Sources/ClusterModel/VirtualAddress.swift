/// Which node has the virtual address (VI1).
package enum VirtualAddressRule: String, Sendable, Codable, Hashable, CaseIterable { case leader, primary }

/// Whether this node may have the virtual address now, from its core to its adapter (VI1). A later order replaces it.
package struct VirtualAddressOrder: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// - Parameter outlivesDaemon: A restart hold is in force: the address may stay while the daemon is away (VI2).
        case hold(until: ClockStamp, outlivesDaemon: Bool)
        case drop(reason: String)
    }
    /// Rises with every order.
    package var number: UInt64
    package var kind: Kind
    package init(number: UInt64, kind: Kind) {
        self.number = number
        self.kind = kind
    }

    package var outlivesDaemon: Bool {
        if case .hold(_, outlivesDaemon: true) = kind { true } else { false }
    }
}

/// What the adapter found and did.
package struct VirtualAddressStatus: Sendable, Codable, Hashable {
    /// The newest order that was carried out.
    package var order: UInt64
    /// The address is on an interface of this machine.
    package var holds: Bool
    /// Why an order to hold it could not be carried out.
    package var reason: String?
    /// `CAP_NET_ADMIN`, `CAP_NET_RAW`.
    package var missingCapabilities: [String]
    /// Somebody else answers for the address while this node holds it.
    package var duplicateMAC: String?
    package init(order: UInt64 = 0, holds: Bool = false) {
        self.order = order
        self.holds = holds
        missingCapabilities = []
    }
}

/// The virtual address as one node sees it.
package struct VirtualAddressView: Sendable, Codable, Hashable {
    /// `10.0.1.100/24`
    package var address: String
    package var interface: String
    package var follows: VirtualAddressRule
    /// This node has it.
    package var holds: Bool
    /// Why this node does not have it.
    package var reason: String?
    package var missingCapabilities: [String]
    package var duplicateMAC: String?
    package init(address: String, interface: String, follows: VirtualAddressRule) {
        self.address = address
        self.interface = interface
        self.follows = follows
        holds = false
        missingCapabilities = []
    }
}

/// The virtual address as the configuration has it.
package struct VirtualAddressSettings: Sendable, Hashable {
    /// `10.0.1.100/24`
    package var address: String
    package var interface: String
    package var follows: VirtualAddressRule
    package init(address: String, interface: String, follows: VirtualAddressRule) {
        self.address = address
        self.interface = interface
        self.follows = follows
    }
}
