//! What stands in each table, and the statements that carry it over, made from one list.

/// A table, and how its rows go from a file to a server: out of the one as JSON objects, into
/// the other from an array of them.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The first rows, as JSON; `$1` is how many.
    pub(super) first: &'static str,
    /// The next; `$2` is the row that they come after.
    pub(super) next: &'static str,
    /// Puts the rows of `$1` in.
    pub(super) insert: &'static str,
    pub(super) count: &'static str,
}

/// A column on its way out: JSON has no bytes.
macro_rules! out {
    (bytes $column:literal) => {
        concat!("'", $column, "', hex(", $column, ")")
    };
    ($kind:ident $column:literal) => {
        concat!("'", $column, "', ", $column)
    };
}

/// A column's value in the JSON that stands as `$row` in a statement.
macro_rules! value {
    ($row:literal number $column:literal) => {
        concat!("cast(", $row, " ->> '", $column, "' as bigint)")
    };
    ($row:literal text $column:literal) => {
        concat!($row, " ->> '", $column, "'")
    };
    ($row:literal bytes $column:literal) => {
        concat!("unhex(", $row, " ->> '", $column, "')")
    };
}

macro_rules! table {
    ($name:literal by $kk:ident $key:literal $(, $kks:ident $keys:literal)*;
     $kind:ident $column:literal $(, $kinds:ident $columns:literal)* $(,)?) => {
        Table {
            name: $name,
            first: concat!(
                "select json_object(", out!($kind $column) $(, ", ", out!($kinds $columns))*, ") from ", $name,
                " order by ", $key $(, ", ", $keys)*, " limit $1"
            ),
            next: concat!(
                "select json_object(", out!($kind $column) $(, ", ", out!($kinds $columns))*, ") from ", $name,
                " where (", $key $(, ", ", $keys)*, ") > (", value!("$2" $kk $key) $(, ", ", value!("$2" $kks $keys))*,
                ") order by ", $key $(, ", ", $keys)*, " limit $1"
            ),
            insert: concat!(
                "insert into ", $name, " (", $column $(, ", ", $columns)*, ") select ",
                value!("value" $kind $column) $(, ", ", value!("value" $kinds $columns))*, " from jsonb_each($1)"
            ),
            count: concat!("select count(*) from ", $name),
        }
    };
}

/// Every table but the pulse, which says nothing. Those that others refer to come first.
pub(super) const TABLES: &[Table] = &[
    table!("hub_keys" by text "name"; text "name", bytes "secret", number "created_at"),
    table!("signing_keys" by text "kid";
        text "kid", bytes "private_key", number "made_at", number "signs_from", number "signs_until"),
    table!("logouts" by number "seq";
        number "seq", text "id", text "issuer", text "scope", text "sid", text "sub", text "source", text "client_id",
        text "reason", number "is_final", number "covers_until", number "occurred_at", number "recorded_at"),
    table!("session_ends" by text "issuer", text "sid", number "logout";
        text "issuer", text "sid", number "logout", number "is_final", number "covers_until"),
    table!("sweeps" by number "seq";
        number "seq", text "id", text "issuer", text "sub", text "client_id", number "covers_until", text "reason",
        number "ordered_at", number "expected_sessions", number "expected_people", number "expected_devices",
        number "expected_apps", number "is_counted", text "stage", text "after", number "sessions_ended",
        number "logouts_recorded", number "finished_at"),
    table!("seen_tokens" by text "issuer", text "sid", text "sub", text "client_id", number "auth_time";
        text "issuer", text "sid", text "sub", text "client_id", number "auth_time", number "earliest_iat",
        number "latest_iat", number "first_seen_at", number "last_seen_at", number "has_listened"),
    table!("sessions" by text "issuer", text "sid";
        text "issuer", text "sid", text "id", text "sub", number "auth_time", number "started_at",
        number "first_seen_at", number "last_seen_at", number "active_at", number "clock", number "is_sampled",
        text "user_agent", text "address", text "network"),
    table!("tickets" by bytes "digest";
        bytes "digest", text "kind", text "payload", text "logout_id", number "expires_at"),
    table!("logout_tokens" by text "issuer", text "jti";
        text "issuer", text "jti", bytes "digest", number "expires_at"),
    table!("parked_tokens" by bytes "digest";
        bytes "digest", text "issuer", text "token", number "arrived_at", text "verdict", number "judged_at"),
    table!("outbox" by number "id";
        number "id", number "logout", text "issuer", text "client_id", text "sid", text "token", number "state",
        number "attempts", number "due_at", number "good_until"),
    table!("issuer_ends" by number "logout";
        number "logout", text "issuer", number "is_swept", number "is_vouched", number "state", number "attempts",
        number "due_at", number "good_until", text "error"),
    table!("deliveries" by number "logout", text "client_id", text "sid", text "via";
        number "logout", text "client_id", text "sid", text "via", number "status", number "attempts",
        number "updated_at", text "error"),
    table!("audit" by number "place";
        number "place", number "at", text "kind", text "body", bytes "previous", bytes "hash"),
];
