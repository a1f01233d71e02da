//! What `--check` judges: ratios of figures of one run on one machine. Times themselves depend on
//! the machine. The limits leave room for one that is busy with other things.

use std::time::Duration;

use super::{Measured, Size};

/// One thread in processor time, against the floor, up to ten thousand Ingresses. The aim is 3.
const FLOOR: f64 = 6.0;
/// Ten times as many Ingresses, in processor time. The aim is 12.
const TENFOLD: f64 = 16.0;
/// The exponent of a growth curve. n log n has 1.1 here.
const EXPONENT: f64 = 1.35;
/// Two threads against one, in time on the clock, where there are two processors.
const THREADS: f64 = 1.3;
/// Time on the clock against processor time of one thread, above which the machine is taken for
/// busy, and threads are not judged.
const IDLE: f64 = 1.1;
/// Ten times as many Ingresses, in memory.
const MEMORY: f64 = 11.0;

/// A ratio and what it may be.
pub(super) struct Ratio {
    pub(super) what: String,
    pub(super) value: f64,
    pub(super) limit: f64,
}

/// All ratios that the measured sizes allow.
pub(super) fn ratios(measured: &Measured) -> Vec<Ratio> {
    let mut ratios = Vec::new();
    let processors = std::thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    for size in measured.sizes.iter().filter(|size| size.count >= 1000) {
        let Size { count, floor, .. } = size;
        if *count < 10_000 {
            ratios.push(Ratio {
                what: format!("{count} Ingresses on one thread, to the floor"),
                value: ratio(size.one.fastest_cpu, floor.fastest_cpu),
                limit: FLOOR,
            });
        }
        // Where others have the processors, the second thread only waits for its turn.
        let idle = ratio(size.one.fastest_wall, size.one.fastest_cpu) < IDLE;
        if processors && idle {
            ratios.push(Ratio {
                what: format!("{count} Ingresses on two threads, to one thread"),
                value: ratio(size.two.fastest_wall, size.one.fastest_wall),
                limit: THREADS,
            });
        }
    }
    for few in &measured.sizes {
        let many = measured
            .sizes
            .iter()
            .find(|many| many.count == few.count * 10);
        let Some(many) = many.filter(|_| few.count >= 1000) else {
            continue;
        };
        let what = format!("{} Ingresses, to {}", many.count, few.count);
        ratios.push(Ratio {
            what: format!("time of {what}"),
            value: ratio(many.one.fastest_cpu, few.one.fastest_cpu),
            limit: TENFOLD,
        });
        ratios.push(Ratio {
            what: format!("memory of {what}"),
            value: many.one.peak / few.one.peak,
            limit: MEMORY,
        });
    }
    ratios.extend(measured.growth.iter().map(|curve| Ratio {
        what: format!("exponent of the growth by {}", curve.growth.unit()),
        value: curve.exponent,
        limit: EXPONENT,
    }));
    ratios
}

fn ratio(of: Duration, to: Duration) -> f64 {
    of.as_secs_f64() / to.as_secs_f64().max(1e-6)
}

/// Prints all ratios; whether none is above its limit.
pub(super) fn hold(measured: &Measured) -> bool {
    let mut all = true;
    for Ratio { what, value, limit } in ratios(measured) {
        let holds = value <= limit;
        all &= holds;
        let verdict = if holds { "ok" } else { "ABOVE" };
        println!("{verdict:>5}  {value:>6.2} of at most {limit:<5}  {what}");
    }
    all
}
