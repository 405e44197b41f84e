//! What tells one fresh build from another: everything of the checkout that goes into it. The engine adds what is
//! its own: server, locale, extensions, the program.

use super::{Checkout, Site, seeds_of};
use crate::error::Error;
use crate::script::Checksum;

/// Returns the key of a fresh build.
pub fn key(site: &Site<'_>, checkout: &Checkout, environment: Option<&str>) -> Result<String, Error> {
    let project = site.project;
    let mut facts = vec![
        env!("CARGO_PKG_VERSION").to_owned(),
        project.name.clone(),
        checkout.dialect.name().to_owned(),
        environment.unwrap_or_default().to_owned(),
        // The journal of a build is part of it.
        format!("{:?}", project.settings.journal),
    ];
    facts.extend(checkout.base.iter().map(|base| format!("base {}", base.checksum)));
    for script in &checkout.scripts {
        let directives = project.script_directives(&script.version);
        facts.push(format!("script {} {} {} {}", script.version, script.name, script.file, script.checksum));
        facts.push(format!("{directives:?}"));
    }
    for source in &checkout.code {
        facts.push(format!("code {} {}", source.file, source.checksum));
    }
    for seed in seeds_of(site, checkout, environment)? {
        facts.push(format!("seed {} {} {:?}", seed.source.file, seed.source.checksum, seed.form));
    }
    Ok(Checksum::of_tokens(facts.iter().map(String::as_str)).to_string())
}
