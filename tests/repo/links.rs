//! Links between the documents lead somewhere, and words that are not the tool's do not creep in.

use super::{files, read, root};

fn documents() -> Vec<String> {
    let mut documents = files("docs", ".md");
    documents.extend(files("tests/stories", ".md"));
    documents.extend(["README.md", "CHANGELOG.md"].map(str::to_owned));
    documents
}

/// Returns the targets of Markdown links outside of code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        let outside: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        let parts = outside.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        links.extend(parts.map(|(link, _)| link.to_owned()));
    }
    links
}

/// Returns a heading as it is named in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for document in documents() {
        let folder = root().join(&document).parent().unwrap().to_owned();
        for link in links(&read(&document)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { root().join(&document) } else { folder.join(path) };
            if !target.exists() {
                wrong.push(format!("{document}: {link}"));
            } else if !heading.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                if !headings.map(|line| anchor(line.trim_start_matches('#'))).any(|known| known == heading) {
                    wrong.push(format!("{document}: {link} has no such heading"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The pages that tell how the code goes name its files; those move.
#[test]
fn every_source_that_a_page_names_is_there() {
    let mut wrong = Vec::new();
    for document in files("docs/design", ".md").into_iter().chain(["docs/CONTRIBUTING.md".to_owned()]) {
        // Decisions tell of the day they were made.
        if document.contains("/decisions/") {
            continue;
        }
        let text = read(&document);
        let names = text.split('`').skip(1).step_by(2).filter(|name| name.contains('/') && name.ends_with(".rs"));
        for name in names {
            if !["", "src/"].iter().any(|folder| root().join(folder).join(name).exists()) {
                wrong.push(format!("{document}: {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_document_is_linked_from_another() {
    let linked: Vec<std::path::PathBuf> = documents()
        .iter()
        .flat_map(|document| {
            let folder = root().join(document).parent().unwrap().to_owned();
            let paths = links(&read(document))
                .into_iter()
                .filter_map(move |link| folder.join(link.split('#').next().unwrap()).canonicalize().ok());
            paths.collect::<Vec<_>>()
        })
        .collect();
    let lonely: Vec<String> = documents()
        .into_iter()
        .filter(|document| document != "README.md" && !linked.contains(&root().join(document).canonicalize().unwrap()))
        .collect();
    assert!(lonely.is_empty(), "nobody links to:\n{}", lonely.join("\n"));
}
