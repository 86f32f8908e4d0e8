import HypervisorAPI

extension RemoteMethod where Body == SharedFileOrder, Answer == Bool {
    static var copyShared: Self { Self("copy-shared") }
}
