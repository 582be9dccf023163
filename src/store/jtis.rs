//! Which logout tokens were used.

use std::collections::HashMap;

use serde::Serialize;

use super::error::StoreError;
use super::report::{Outcome, Report, TokenUse};
use super::rows;
use super::sql::{Connection, query};
use crate::domain::ids::{Issuer, Jti};

/// How long past its own end a token's name is kept: a hub whose clock lags
/// would still take the token.
const MARGIN_SECONDS: i64 = 300;

/// The names that a batch of reports uses.
#[derive(Default)]
pub(super) struct Jtis {
    used: HashMap<(Issuer, Jti), [u8; 32]>,
    new: Vec<JtiRow>,
}

/// One use on its way into `logout_tokens`.
#[derive(Serialize)]
struct JtiRow {
    issuer: String,
    jti: String,
    digest: String,
    expires_at: i64,
}

impl Jtis {
    /// Reads which of the reports' tokens were used before.
    pub(super) async fn read(connection: &mut Connection, reports: &[Report]) -> Result<Self, StoreError> {
        let tokens: Vec<_> =
            reports.iter().filter_map(|report| Some((report.issuer(), report.token.as_ref()?))).collect();
        let mut jtis = Self::default();
        if tokens.is_empty() {
            return Ok(jtis);
        }
        let asked: Vec<_> = tokens.iter().map(|(issuer, token)| (issuer.as_str(), token.jti.as_str())).collect();
        let select = "
            select a.key, t.digest
            from jsonb_each($1) a
            cross join logout_tokens t
            where t.issuer = a.value ->> 0 and t.jti = a.value ->> 1";
        for row in query(select).bind(rows::json(&asked)?).fetch_all(connection).await? {
            let (issuer, token) = tokens.get(rows::index(&row, 0)?).ok_or(StoreError::Damaged)?;
            jtis.used.insert(((*issuer).clone(), token.jti.clone()), rows::digest(&row, 1)?);
        }
        Ok(jtis)
    }

    /// Uses the report's token, if it has one, or says why it cannot be used.
    pub(super) fn take(&mut self, report: &Report) -> Result<(), Outcome> {
        let Some(TokenUse { jti, digest, expires_at }) = &report.token else { return Ok(()) };
        let name = (report.issuer().clone(), jti.clone());
        match self.used.get(&name) {
            Some(used) if used == digest => Err(Outcome::SameToken),
            Some(_) => Err(Outcome::JtiReused),
            None => {
                self.new.push(JtiRow {
                    issuer: name.0.as_str().to_owned(),
                    jti: jti.as_str().to_owned(),
                    digest: rows::hex(digest),
                    expires_at: expires_at.plus(MARGIN_SECONDS).0,
                });
                self.used.insert(name, *digest);
                Ok(())
            }
        }
    }

    /// Writes down the new ones.
    pub(super) async fn write(&self, connection: &mut Connection) -> Result<(), StoreError> {
        if self.new.is_empty() {
            return Ok(());
        }
        let insert = "
            insert into logout_tokens (issuer, jti, digest, expires_at)
            select value ->> 'issuer', value ->> 'jti', unhex(value ->> 'digest'), cast(value ->> 'expires_at' as bigint)
            from jsonb_each($1)";
        query(insert).bind(rows::json(&self.new)?).execute(connection).await?;
        Ok(())
    }
}
