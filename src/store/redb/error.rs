//! What redb and the operating system report, as [`StoreError`]: full, damaged, in use, or failed.

use std::io;

use crate::store::StoreError;

/// A failed read or write of a file.
pub fn io_error(what: &str, error: &io::Error) -> StoreError {
    let message = format!("{what}: {error}");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(message),
        _ => StoreError::Failed(message),
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => io_error("database", &error),
            redb::Error::PreviousIo => Self::Reopening,
            redb::Error::Corrupted(what) => Self::Damaged(what),
            // A table or type that is not as expected: another program's file, or a broken one.
            other => Self::Failed(other.to_string()),
        }
    }
}

macro_rules! through_redb_error {
    ($($error:ident),+) => {
        $(impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        })+
    };
}

through_redb_error!(
    StorageError,
    TableError,
    TransactionError,
    CommitError,
    DatabaseError,
    SetDurabilityError
);
