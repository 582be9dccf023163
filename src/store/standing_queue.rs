//! How sign-ins stand, question together: whoever waits at the same moment shares a statement.
//!
//! The counterpart of group commit. A lone question is question at once; while one is being
//! answered the next gather.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::DEADLINE;
use super::error::StoreError;
use super::readers::Readers;
use super::report::Standing;
use super::seen_tokens::standings;
use crate::domain::logout::SignIn;

/// The most questions that share a statement.
const TOGETHER_MAX: usize = 128;

/// One question.
pub(super) struct Question {
    pub(super) sign_in: SignIn,
    pub(super) reply: oneshot::Sender<Result<Standing, StoreError>>,
}

/// Answers until the store is closed or nobody can ask any more.
pub(super) async fn answer(
    mut questions: mpsc::UnboundedReceiver<Question>,
    readers: Arc<Readers>,
    closed: CancellationToken,
) {
    let mut waiting = Vec::new();
    loop {
        let came = tokio::select! {
            came = questions.recv_many(&mut waiting, TOGETHER_MAX) => came,
            () = closed.cancelled() => 0,
        };
        if came == 0 {
            return;
        }
        let waits = waiting.drain(..).filter(|question: &Question| !question.reply.is_closed());
        let (sign_ins, replies): (Vec<_>, Vec<_>) = waits.map(|question| (question.sign_in, question.reply)).unzip();
        // Nobody waits for longer than that; the connection is given up with the statement.
        let answers = timeout(DEADLINE, ask(&readers, &sign_ins)).await.unwrap_or(Err(StoreError::TimedOut));
        let mut answers = answers.map(Vec::into_iter);
        for reply in replies {
            let answer = match &mut answers {
                Ok(standings) => standings.next().map(|(standing, _)| standing).ok_or(StoreError::Damaged),
                Err(error) => Err(*error),
            };
            reply.send(answer).ok();
        }
    }
}

async fn ask(readers: &Readers, sign_ins: &[SignIn]) -> Result<Vec<(Standing, i64)>, StoreError> {
    let sign_ins: Vec<_> = sign_ins.iter().collect();
    standings(&mut *readers.borrow().await?, &sign_ins).await
}
