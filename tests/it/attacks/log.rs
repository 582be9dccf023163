//! What the hub writes to its log while the rows are played.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// All that was written so far.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The log of this process: of the hub everything, of its libraries what `debug` shows.
    pub fn open() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let open = || {
            let log = Self::default();
            let filter = EnvFilter::new("debug,slo_hub=trace");
            let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(log.clone());
            lines.json().flatten_event(true).init();
            log
        };
        LOG.get_or_init(open).clone()
    }

    /// How much there is.
    pub fn length(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// What was written since there was so much.
    pub fn since(&self, length: usize) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()[length..]).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
