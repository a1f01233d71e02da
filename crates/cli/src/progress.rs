//! A sign of life for long runs.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Runs `work` and, when it takes longer than a second, shows `message` meanwhile.
pub(crate) fn during<T>(show: bool, message: String, work: impl FnOnce() -> T) -> T {
    if !show {
        return work();
    }
    let (done, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let wait = waiting.recv_timeout(Duration::from_secs(1));
            if wait == Err(mpsc::RecvTimeoutError::Timeout) {
                let bar = ProgressBar::new_spinner().with_message(message);
                if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                    bar.set_style(style);
                }
                bar.enable_steady_tick(Duration::from_millis(100));
                // Returns when the sender is dropped, whether the work ended or panicked.
                let _ = waiting.recv();
                bar.finish_and_clear();
            }
        });
        let _done = done;
        work()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_work_does_not_wait() {
        let begin = std::time::Instant::now();
        assert_eq!(during(true, String::new(), || 7), 7);
        assert!(begin.elapsed() < Duration::from_millis(900));
    }
}
