import CLinux

/// Calls `body` with a NULL-terminated C array of `strings`.
func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
    let storage = strings.map { string in
        let bytes = Array(string.utf8CString)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        copy.initialize(from: bytes, count: bytes.count)
        return copy
    }
    defer { for pointer in storage { pointer.deallocate() } }
    let pointers: [UnsafeMutablePointer<CChar>?] = storage.map { $0 } + [nil]
    return pointers.withUnsafeBufferPointer { buffer in
        // Safety: the array has at least its terminating nil, so the buffer has a base address.
        guard let base = buffer.baseAddress else { preconditionFailure("an array with elements has no address") }
        return body(base)
    }
}

/// Calls `body` with a C string, or NULL for nil.
func withOptionalCString<R>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let string else { return body(nil) }
    return string.withCString { body($0) }
}

/// A program to start, as `pgb_spawn` and `pgb_detach` take it.
package struct SpawnRequest {
    package var program: String
    package var arguments: [String]
    package var environment: [String]
    package var directory: String?
    package var logFile: String?
    package var parentDeathSignal: Int32 = 0

    package init(
        program: String, arguments: [String], environment: [String], directory: String?, logFile: String?,
        parentDeathSignal: Int32 = 0
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.logFile = logFile
        self.parentDeathSignal = parentDeathSignal
    }

    /// Starts it detached: in a session of its own, not a child of the caller.
    ///
    /// - Returns: The process id; negative with `errno` set when it could not be started.
    package func detach() -> Int32 { withPointer { pgb_detach($0) } }

    func withPointer<R>(_ body: (UnsafePointer<pgb_spawn_request>) -> R) -> R {
        program.withCString { program in
            withCStrings([self.program] + arguments) { arguments in
                withCStrings(environment) { environment in
                    withOptionalCString(directory) { directory in
                        withOptionalCString(logFile) { logFile in
                            var request = pgb_spawn_request(
                                program: program, arguments: arguments, environment: environment,
                                directory: directory, log_path: logFile, parent_death_signal: parentDeathSignal)
                            return body(&request)
                        }
                    }
                }
            }
        }
    }
}
