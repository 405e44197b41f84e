//! Work on many files at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::script::ScriptErrors;

/// So few items are not worth a thread.
const FEW: usize = 64;

/// How many items a core takes at a time: one that is held up by other work leaves the rest to the others.
const BATCH: usize = 32;

/// Maps items in the order given, on every core. Each core has one buffer, which keeps its room from item to item.
pub fn in_parallel<I: Sync, T: Send>(items: &[I], map: impl Fn(&I, &mut Vec<u8>) -> T + Sync) -> Vec<T> {
    if items.len() < FEW {
        let mut buffer = Vec::new();
        return items.iter().map(|item| map(item, &mut buffer)).collect();
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let batches: Vec<&[I]> = items.chunks(BATCH).collect();
    let taken = AtomicUsize::new(0);
    let work = || {
        let (mut buffer, mut mapped) = (Vec::new(), Vec::new());
        loop {
            let number = taken.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = batches.get(number) else { return mapped };
            mapped.push((number, batch.iter().map(|item| map(item, &mut buffer)).collect::<Vec<_>>()));
        }
    };
    let mut mapped = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads.min(batches.len())).map(|_| scope.spawn(work)).collect();
        let mut mapped = work();
        for worker in workers {
            mapped.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        mapped
    });
    mapped.sort_unstable_by_key(|(number, _)| *number);
    mapped.into_iter().flat_map(|(_, batch)| batch).collect()
}

/// Gathers results, or everything that is wrong.
pub fn collect<T>(results: Vec<Result<T, ScriptErrors>>) -> Result<Vec<T>, ScriptErrors> {
    let (mut values, mut faults) = (Vec::with_capacity(results.len()), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(errors) => faults.extend(errors.0),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(ScriptErrors(faults)) }
}

#[cfg(test)]
mod tests {
    use super::in_parallel;

    #[test]
    fn the_order_is_that_of_the_items() {
        for count in [0, 1, 63, 64, 65, 1000] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(in_parallel(&items, |item, _| *item), items);
        }
    }
}
