//! Work on many files at once.

use crate::script::ScriptErrors;

/// So few items are not worth a thread.
const FEW: usize = 64;

/// Maps items in the order given, on every core. Each core has one buffer, which keeps its room from item to item.
pub fn in_parallel<I: Sync, T: Send>(items: &[I], map: impl Fn(&I, &mut Vec<u8>) -> T + Sync) -> Vec<T> {
    let all = |items: &[I]| {
        let mut buffer = Vec::new();
        items.iter().map(|item| map(item, &mut buffer)).collect::<Vec<_>>()
    };
    if items.len() < FEW {
        return all(items);
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (all, length) = (&all, items.len().div_ceil(threads));
    let (first, rest) = items.split_at(length);
    std::thread::scope(|scope| {
        let workers: Vec<_> = rest.chunks(length).map(|chunk| scope.spawn(move || all(chunk))).collect();
        let mut mapped = all(first);
        for worker in workers {
            mapped.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        mapped
    })
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
