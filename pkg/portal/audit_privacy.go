package portal

// AuditContactErased tells that somebody was taken out of the store.
// AuditErased, which stands before it, lists the entries of the log that lost
// their details by that.
const AuditContactErased AuditKind = "contact.erased"
