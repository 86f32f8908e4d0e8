extension TrustStore {
    /// Takes a new revocation list into the host's folder, beside those of other authorities.
    ///
    /// What is there stays if the list is not signed by an authority that this host trusts, or is older.
    /// - Parameter list: as the authority gave it.
    /// - Returns: the store with it.
    /// - Throws: `pki-revocations`, `pki-outdated`, and as ``load(from:credentials:)``.
    public func installing(_ list: RevocationList) throws(PKIError) -> TrustStore {
        let safe = try SafeFolder(folder, byRoot: false)
        try safe.locked { () throws(PKIError) in
            // Of the folder, not of this value: another process may have taken a newer one.
            let current = try reloaded().policy
            guard let authority = current.authorities.first(where: { $0.fingerprint == list.authority }) else {
                throw PKIError(
                    .revocations,
                    "the revocation list \(list.sequence) is of the authority \(list.authority.prefix(16))…, which is not trusted here"
                )
            }
            try list.verify(with: authority)
            if let known = current.lists[list.authority] { try list.requireSuccessor(of: known) }
            var lists = current.lists
            lists[list.authority] = list
            let bytes = lists.sorted { $0.key < $1.key }.flatMap { $0.value.bytes }
            try safe.replace(File.revocations, bytes, mode: 0o644)
        }
        return try reloaded()
    }
}
