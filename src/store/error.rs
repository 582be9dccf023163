//! What can go wrong on disk. All of it is the hub's trouble, never a caller's.

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

/// Why the store could not do it, by cause. Says nothing about any person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room left. The store goes on by itself once there is some.
    #[error("the disk that holds the database is full")]
    Full,
    /// Another process holds the write lock, and kept it.
    #[error("the database is locked by another process")]
    Locked,
    /// The file, its directory or its disk cannot be written.
    #[error("the database cannot be written to")]
    ReadOnly,
    /// Reading, writing or opening failed below the database.
    #[error("the disk that holds the database failed (code {0})")]
    Disk(i32),
    /// The file is no database, or holds what the hub never wrote.
    #[error("the database is damaged")]
    Damaged,
    /// Something that had to be new was there already.
    #[error("the database holds that name already")]
    Conflict,
    /// The database refused, for a cause that has no variant here.
    #[error("the database failed (code {0})")]
    Broken(i32),
    /// No answer within the deadline. A write may still be done later.
    #[error("the database did not answer in time")]
    TimedOut,
    /// More writes are waiting than may wait.
    #[error("too many writes are waiting for the database")]
    Overloaded,
    /// The operating system gives no random bytes.
    #[error("no random bytes are to be had")]
    NoRandomness,
    /// The store has been closed.
    #[error("the store is closed")]
    Stopped,
    /// `store.url` names no database.
    #[error("store.url must be sqlite://<path>, without parameters, or postgres://user:password@host:port/database")]
    BadUrl,
    /// No connection to the server, or it was cut, or it is starting or stopping.
    #[error("the database server cannot be reached")]
    Unreachable,
    /// The server has no TLS, or its certificate or ours is not trusted.
    #[error("no trusted way to the database server: it has no TLS, or a certificate is not what store.url says")]
    NoTrust,
    /// The server refuses the name, the password, or the database.
    #[error("the database server refuses the user, the password, the database or the schema that store.url names")]
    Refused,
    /// The server has too many connections.
    #[error("the database server has no connection left; raise its max_connections")]
    Crowded,
    /// The database keeps texts in another encoding.
    #[error("the database must be encoded in UTF8; create it with encoding 'UTF8'")]
    NotUtf8,
    /// The directory that should hold the file is not there.
    #[error("the directory that should hold the database does not exist")]
    NoDirectory,
    /// The file was written by a later version of the hub.
    #[error("the database was made by a newer version of slo-hub; run that version, or restore an older backup")]
    Newer,
    /// The file was laid out by a build of the hub that was never released.
    #[error("the database was laid out by another build of slo-hub; move the file away, or use that build")]
    Foreign,
}

impl StoreError {
    /// Whether only the one command is to blame, so that others may go on.
    pub(super) fn is_one_commands_fault(self) -> bool {
        matches!(self, Self::Conflict | Self::Damaged | Self::Broken(_))
    }

    /// Whether the connection itself is beyond trust afterwards.
    pub(super) fn spoils_connection(self) -> bool {
        matches!(
            self,
            Self::Disk(_) | Self::Damaged | Self::Broken(_) | Self::Unreachable | Self::NoTrust | Self::ReadOnly
        )
    }

    /// The cause behind one of SQLite's extended result codes.
    fn from_code(extended: i32) -> Self {
        match extended & 0xff {
            5 | 6 => Self::Locked,
            8 => Self::ReadOnly,
            10 | 14 => Self::Disk(extended),
            11 | 26 => Self::Damaged,
            13 => Self::Full,
            19 => Self::Conflict,
            _ => Self::Broken(extended),
        }
    }

    /// The cause behind one of PostgreSQL's codes (its manual, appendix A).
    fn from_sqlstate(code: &str) -> Self {
        match code {
            "53100" => Self::Full,
            "53300" => Self::Crowded,
            "55P03" | "40001" | "40P01" => Self::Locked,
            "25006" => Self::ReadOnly,
            // It was told to stop, has crashed, is starting, or found us silent for too long.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Self::Unreachable,
            "57014" => Self::TimedOut,
            "28000" | "28P01" | "3D000" | "3F000" | "42501" => Self::Refused,
            _ => match code.get(..2) {
                Some("08") => Self::Unreachable,
                Some("23") => Self::Conflict,
                Some("58") => Self::Disk(0),
                Some("XX") => Self::Damaged,
                _ => Self::Broken(0),
            },
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refusal) => match refusal.try_downcast::<PgDatabaseError>() {
                Ok(refusal) => Self::from_sqlstate(refusal.code()),
                Err(refusal) => {
                    let code = refusal.code().and_then(|code| code.parse().ok());
                    code.map_or(Self::Broken(0), Self::from_code)
                }
            },
            sqlx::Error::Tls(_) => Self::NoTrust,
            sqlx::Error::Configuration(_) => Self::BadUrl,
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Self::Unreachable,
            sqlx::Error::PoolTimedOut => Self::TimedOut,
            sqlx::Error::PoolClosed => Self::Stopped,
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => Self::Damaged,
            _ => Self::Broken(0),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => Self::Newer,
            MigrateError::VersionMismatch(_) => Self::Foreign,
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => cause.into(),
            _ => Self::Damaged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_variant() {
        assert_eq!(StoreError::from_code(13), StoreError::Full);
        assert_eq!(StoreError::from_code(5), StoreError::Locked);
        assert_eq!(StoreError::from_code(261), StoreError::Locked, "SQLITE_BUSY_RECOVERY");
        assert_eq!(StoreError::from_code(1032), StoreError::ReadOnly, "SQLITE_READONLY_DBMOVED");
        assert_eq!(StoreError::from_code(778), StoreError::Disk(778), "SQLITE_IOERR_WRITE");
        assert_eq!(StoreError::from_code(2067), StoreError::Conflict, "SQLITE_CONSTRAINT_UNIQUE");
        assert_eq!(StoreError::from_code(1), StoreError::Broken(1));
    }

    #[test]
    fn each_cause_at_a_server_has_its_variant() {
        for (code, cause) in [
            ("53100", StoreError::Full),
            ("53300", StoreError::Crowded),
            ("55P03", StoreError::Locked),
            ("40P01", StoreError::Locked),
            ("25006", StoreError::ReadOnly),
            ("57P01", StoreError::Unreachable),
            ("25P03", StoreError::Unreachable),
            ("08006", StoreError::Unreachable),
            ("57014", StoreError::TimedOut),
            ("28P01", StoreError::Refused),
            ("3F000", StoreError::Refused),
            ("23505", StoreError::Conflict),
            ("58030", StoreError::Disk(0)),
            ("XX001", StoreError::Damaged),
            ("42P01", StoreError::Broken(0)),
        ] {
            assert_eq!(StoreError::from_sqlstate(code), cause, "{code}");
        }
    }
}
