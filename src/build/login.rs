//! What is said where a committed dump depends on who logs in.

use super::Fresh;
use crate::engine::Catalog;
use crate::event::{Event, Observer};
use crate::sql::Kind;

/// Says that the builder of a `baseline` or `base` decides what it is, or where its objects without a schema are.
pub fn tell(fresh: &Fresh, built: &Catalog, what: &str, observer: &mut dyn Observer) {
    let mut note = |message: String| observer.event(Event::Note { code: format!("{what}/builder"), message });
    if let Some(builder) = fresh.named_builder() {
        note(format!(
            "the scripts name {builder}, or ask who builds them, and {builder} builds them here: as another role builds \
             them, the {what} is another. A private server builds them the same everywhere, and so does an `owner-role`"
        ));
    }
    let is_schema =
        |user: &str| built.objects().any(|object| object.kind == Kind::Schema && object.name.object() == user);
    if let Some(user) = fresh.path_user().filter(|user| is_schema(user)) {
        note(format!(
            "the scripts make a schema {user}, and {user} is who logs in: objects without a schema go there, and for \
             others elsewhere, so that their {what} is another. `schemas` of the target says where they go"
        ));
    }
}
