//! Brings its database up and says what that took.

use dbbuild::{Builder, Event};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: embedding sqlite:PATH")?;
    let project = dbbuild::embedded!()?;
    let report = Builder::new(&project)
        .url(url)
        .observe(|event: Event| {
            if let Event::Finished { name, .. } = event {
                println!("{name}");
            }
        })
        .build()?;
    println!("{} version {} steps {}", project.name, report.version.unwrap_or_default(), report.steps);
    Ok(())
}

#[cfg(test)]
mod tests {
    use dbbuild::TestDatabase;

    #[test]
    fn a_test_has_a_database_of_its_own() -> Result<(), Box<dyn std::error::Error>> {
        let project = dbbuild::embedded!()?;
        let database = TestDatabase::sqlite(&project)?;
        let path = database.path().ok_or("no file")?.to_owned();
        assert!(path.is_file());
        drop(database);
        assert!(!path.exists());
        Ok(())
    }
}
