//! What shares a transaction: pieces of work, sorted by kind.
//!
//! Commands of one kind share their statements too: rows go in as one JSON
//! array, so a batch of any size takes about ten statements. (A statement costs
//! two hand-overs between threads in sqlx, more than most rows cost.)

use std::future::Future;

use tokio::sync::{mpsc, oneshot, watch};

use super::error::StoreError;
use super::issuer_ends::{EndAttempt, GiveUpEnds};
use super::letters::RetryStep;
use super::outbox::{Attempt, GiveUp};
use super::parked::{Park, SettleParked};
use super::progress::Progress;
use super::report::{Recorded, Report};
use super::retention::Forget;
use super::secrets::{Beat, KeepSecret};
use super::seen_tokens::Sighting;
use super::session_notes::{ClockChange, SessionNotes};
use super::signing_keys::AddKey;
use super::sql::Connection;
use super::sweep_step::SweepStep;
use super::sweeps::{StartSweep, SweepCounted};
use super::tickets::{ExtendTicket, NewTicket, TakeTicket, UseUp};
use super::trail;

/// Where the answer to one command goes.
pub(super) type Reply<A> = oneshot::Sender<Result<A, StoreError>>;

/// Something to be written, applied together with others of its kind.
pub(super) trait Work: Sized + Send + Sync + 'static {
    /// What the one who asked is told after the commit.
    type Answer: Send + 'static;

    /// Applies all of `work` inside the open transaction: one answer each, in order.
    fn apply(
        connection: &mut Connection,
        work: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, StoreError>> + Send;

    /// The logouts that were committed, where nobody is left to hear of them.
    fn late(_answer: Self::Answer) -> Vec<Recorded> {
        Vec::new()
    }

    /// The places in the log of the logouts that this has recorded, and whose news are told here.
    fn places(_answer: &Self::Answer) -> Vec<i64> {
        Vec::new()
    }

    /// Whether this wrote into a receipt.
    fn changed_a_receipt(&self, _answer: &Self::Answer) -> bool {
        false
    }

    /// Whether this may have put something into the outbox.
    fn filled_the_outbox(&self, _answer: &Self::Answer) -> bool {
        false
    }
}

/// Who hears of a commit besides those who asked for it.
pub(super) struct Outlets {
    /// Logouts whose reporters have gone.
    pub(super) late: mpsc::Sender<Recorded>,
    /// Rung when a receipt has changed.
    pub(super) receipts: watch::Sender<()>,
    /// Rung when the outbox has more to post.
    pub(super) outbox: watch::Sender<()>,
}

/// One piece of work, and where its answer goes.
pub(super) struct Job<W: Work> {
    pub(super) work: W,
    pub(super) reply: Reply<W::Answer>,
}

/// The jobs of one kind in a batch.
struct Lane<W: Work> {
    work: Vec<W>,
    replies: Vec<Reply<W::Answer>>,
    answers: Vec<W::Answer>,
}

impl<W: Work> Default for Lane<W> {
    fn default() -> Self {
        Self { work: Vec::new(), replies: Vec::new(), answers: Vec::new() }
    }
}

impl<W: Work> Lane<W> {
    fn push(&mut self, job: Job<W>) {
        self.work.push(job.work);
        self.replies.push(job.reply);
    }

    async fn apply(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        if !self.work.is_empty() {
            self.answers = W::apply(connection, &self.work).await?;
            debug_assert_eq!(self.answers.len(), self.work.len(), "one answer each");
        }
        Ok(())
    }

    fn places(&self) -> impl Iterator<Item = i64> {
        self.answers.iter().flat_map(W::places)
    }

    fn answer(self, outcome: Result<(), StoreError>, outlets: &Outlets) {
        let Err(refusal) = outcome else {
            let mut done = self.work.iter().zip(&self.answers);
            if done.clone().any(|(work, answer)| work.changed_a_receipt(answer)) {
                outlets.receipts.send_replace(());
            }
            if done.any(|(work, answer)| work.filled_the_outbox(answer)) {
                outlets.outbox.send_replace(());
            }
            for (reply, answer) in self.replies.into_iter().zip(self.answers) {
                let Err(Ok(unheard)) = reply.send(Ok(answer)) else { continue };
                for recorded in W::late(unheard) {
                    if outlets.late.try_send(recorded).is_err() {
                        tracing::error!("a logout was recorded late, and nobody takes late logouts");
                    }
                }
            }
            return;
        };
        for reply in self.replies {
            reply.send(Err(refusal)).ok();
        }
    }

    fn jobs(self) -> impl Iterator<Item = Job<W>> {
        self.work.into_iter().zip(self.replies).map(|(work, reply)| Job { work, reply })
    }
}

/// Makes the command of every kind of work, and the batch that sorts them. A
/// batch is applied in the order of this list: what was seen of a session comes before
/// its end, which stops its clock.
macro_rules! lanes {
    ($($lane:ident: $work:ident),* $(,)?) => {
        /// One thing for the writer to do.
        pub(super) enum Command {
            $($work(Box<Job<$work>>),)*
        }

        $(impl From<Job<$work>> for Command {
            fn from(job: Job<$work>) -> Self {
                Self::$work(Box::new(job))
            }
        })*

        /// Commands that share a transaction.
        #[derive(Default)]
        pub(super) struct Batch {
            $($lane: Lane<$work>,)*
        }

        impl Batch {
            pub(super) fn push(&mut self, command: Command) {
                match command {
                    $(Command::$work(job) => self.$lane.push(*job),)*
                }
            }

            pub(super) fn len(&self) -> usize {
                0 $(+ self.$lane.work.len())*
            }

            /// All of it, and what there is to say of it in the audit trail.
            pub(super) async fn apply(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
                connection.notes.clear();
                $(self.$lane.apply(connection).await?;)*
                trail::append(connection).await
            }

            /// Where in the log it has put something, before the commit.
            pub(super) fn places(&self) -> Vec<i64> {
                let mut places = Vec::new();
                $(places.extend(self.$lane.places());)*
                places
            }

            pub(super) fn answer(self, outcome: Result<(), StoreError>, outlets: &Outlets) {
                $(self.$lane.answer(outcome, outlets);)*
            }

            /// The same commands, each in a batch of its own.
            pub(super) fn one_by_one(self) -> Vec<Self> {
                let mut singles = Vec::with_capacity(self.len());
                $(for job in self.$lane.jobs() {
                    let mut single = Self::default();
                    single.$lane.push(job);
                    singles.push(single);
                })*
                singles
            }
        }
    };
}

lanes! {
    sightings: Sighting,
    sessions: SessionNotes,
    reports: Report,
    new_sweeps: StartSweep,
    counted_sweeps: SweepCounted,
    sweep_steps: SweepStep,
    progress: Progress,
    attempts: Attempt,
    given_up: GiveUp,
    issuer_ends: EndAttempt,
    given_up_ends: GiveUpEnds,
    retries: RetryStep,
    new_tickets: NewTicket,
    taken_tickets: TakeTicket,
    used_up: UseUp,
    extended_tickets: ExtendTicket,
    parked: Park,
    settled: SettleParked,
    secrets: KeepSecret,
    signing_keys: AddKey,
    forgotten: Forget,
    beats: Beat,
    clocks: ClockChange,
}
