//! What an engine is given to keep the code objects as their files say: the files in order, and what has to run.
//!
//! Which objects a file made, and with which definitions, is in the journal; what stands in the database now, only
//! the engine sees. So the engine decides, inside the transaction, which of the other files run again.

use super::{Applied, EngineError, Unit};
use crate::journal::NewEntry;
use crate::sql::{Head, Kind, Name, Tokens, Verb};

/// One transaction's work on the code objects.
#[derive(Debug, Clone)]
pub struct CodeWork {
    /// Scripts that run first, in the same transaction; the code objects that they suspend are away meanwhile.
    pub scripts: Vec<Unit>,
    /// The code files of the checkout, in the order in which they can run.
    pub files: Vec<CodeFile>,
    /// The journal's keys of the files that are left out: no due file is mentioned by them, directly or not, and
    /// no script ran since all were looked after.
    pub others: Vec<String>,
    /// Files that are in the journal and not in the checkout.
    pub gone: Vec<GoneFile>,
    /// The entry that says that the code objects were looked after, if no file ran.
    pub marker: NewEntry,
    /// False if the objects that were suspended come back in a later transaction.
    pub is_whole: bool,
}

impl CodeWork {
    /// Returns, for each file, those that need it.
    pub fn needed_by(&self) -> Vec<Vec<usize>> {
        let mut needed_by = vec![Vec::new(); self.files.len()];
        for (at, file) in self.files.iter().enumerate() {
            for needed in &file.needs {
                needed_by[*needed].push(at);
            }
        }
        needed_by
    }
}

/// A code file.
#[derive(Debug, Clone)]
pub struct CodeFile {
    /// Its text and its next entry.
    pub unit: Unit,
    /// True if it runs whatever is in the database: it is new, or its text changed.
    pub is_due: bool,
    /// The files, by their places, that make what it mentions.
    pub needs: Vec<usize>,
}

/// A file that is not there any more.
#[derive(Debug, Clone)]
pub struct GoneFile {
    /// The entry that says that nothing of it is left.
    pub entry: NewEntry,
    /// True if what it made is to be dropped.
    pub drop: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeping {
    /// It is done.
    Done(Kept),
    /// Another builder was faster.
    Taken,
    /// A file that was left out has to run or to be looked at after all: nothing was done, and all files are wanted.
    Lacks,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// How the scripts ran.
    pub scripts: Vec<Applied>,
    /// The files that ran, by their places.
    pub files: Vec<(usize, Applied, Again)>,
    /// Objects that were dropped and did not come back.
    pub dropped: Vec<String>,
}

/// Why a code file ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It is new, or its text changed.
    Due,
    /// An object of it was not there.
    Absent,
    /// An object of it was another one than the file made.
    Different,
    /// What it needs was made anew.
    Follows,
}

impl Again {
    /// Returns the word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Due => "changed",
            Self::Absent => "put back",
            Self::Different => "was another one",
            Self::Follows => "follows what it needs",
        }
    }
}

/// A statement that makes a code object.
#[derive(Debug, Clone)]
pub struct Creation {
    /// The statement, by its place among the unit's parts.
    pub part: usize,
    /// The object's kind.
    pub kind: Kind,
    /// Its name, as written.
    pub name: Name,
    /// The table that it is on.
    pub table: Option<Name>,
    /// Where its name stands in the text.
    pub name_span: crate::sql::Span,
}

/// How often the files are gone through: each time more of what was out of order is in place.
pub const MOST_ROUNDS: usize = 24;

/// Makes the refusal for files that take away what the others made, again and again.
pub fn never_ends<'a>(files: impl Iterator<Item = &'a str>) -> EngineError {
    let names: Vec<&str> = files.collect();
    EngineError::Refused {
        code: "code/circle",
        message: format!("these files take away what each other made, whatever their order: {}", names.join(", ")),
        place: None,
        hint: Some("put what needs each other into one file, in the order in which it can be made".into()),
    }
}

/// Says what helps where something stands under the name of a code object that no code file made.
pub fn about_strangers(strangers: &[String]) -> String {
    let (is, them) = if strangers.len() == 1 { ("is", "it") } else { ("are", "them") };
    format!(
        "{} {is} there, and no code file made {them}: drop {them} first, or write the file so that it makes the same",
        strangers.join(", ")
    )
}

/// Returns the statements of a code file that make code objects. What is temporary is nobody's.
pub fn creations(unit: &Unit, dialect: crate::sql::Dialect) -> Vec<Creation> {
    let text = unit.text.as_str();
    let heads = unit.parts.iter().enumerate().map(|(at, part)| (at, Head::of(Tokens::new(text, part.span, dialect))));
    heads
        .filter(|(_, head)| head.verb == Verb::Create && !head.temporary)
        .filter_map(|(part, head)| {
            Some(Creation {
                part,
                kind: head.kind.filter(|kind| kind.is_code())?,
                name: head.full_name()?,
                table: head.table,
                name_span: head.name_span?,
            })
        })
        .collect()
}

/// An object that a file made, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Its key: kind and name.
    pub object: String,
    /// Its definition's digest, where it is known.
    pub digest: Option<String>,
    /// What the engine knows it by whatever it is called, if there is such a thing.
    pub id: Option<String>,
    /// What changes whenever it is written, if there is such a thing.
    pub stamp: Option<String>,
}

/// Reads the objects of a journal's row: an older one, and a baseline's, has names only.
pub fn journaled(text: &str) -> Vec<Owned> {
    let Ok(serde_json::Value::Array(list)) = serde_json::from_str(text) else { return Vec::new() };
    let read = |value: &serde_json::Value| match value {
        serde_json::Value::String(name) => Some(Owned { object: name.clone(), digest: None, id: None, stamp: None }),
        serde_json::Value::Object(map) => {
            let field = |name: &str| map.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
            Some(Owned { object: field("object")?, digest: field("digest"), id: field("id"), stamp: field("stamp") })
        }
        _ => None,
    };
    list.iter().filter_map(read).collect()
}

/// Writes the objects of a journal's row.
pub fn to_journal(objects: &[Owned]) -> String {
    let value = |owned: &Owned| {
        let fields = [
            ("object", Some(&owned.object)),
            ("digest", owned.digest.as_ref()),
            ("id", owned.id.as_ref()),
            ("stamp", owned.stamp.as_ref()),
        ];
        let there = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.as_str().into())));
        serde_json::Value::Object(there.collect())
    };
    serde_json::Value::from(objects.iter().map(value).collect::<Vec<_>>()).to_string()
}

/// Returns the name in an object's key: `public.v` of `view public.v`, `public.f` of `function public.f(integer)`.
pub fn key_name(key: &str, dialect: crate::sql::Dialect) -> Option<(Kind, Name)> {
    let mut tokens = Tokens::of(key, dialect);
    let kind = Kind::read(&mut tokens)?;
    Some((kind, tokens.eat_name()?.0))
}

/// Returns true if a name is a file's: `customer_view` of `db/code/customer_view.sql`.
pub fn is_stem(file: &str, name: &str) -> bool {
    file.rsplit('/').next().and_then(|last| last.split('.').next()) == Some(name)
}

/// Returns true if somebody who writes `wanted` may mean the object of this key.
pub fn is_meant(wanted: &str, key: &str, dialect: crate::sql::Dialect) -> bool {
    let wanted = Tokens::of(wanted, dialect).eat_name().map(|(name, _)| name);
    match (wanted, key_name(key, dialect)) {
        (Some(wanted), Some((kind, name))) => wanted.matches(&name) || kind.is_on_table() && is_beside(&wanted, &name),
        _ => false,
    }
}

/// Returns true if `schema.name` is written for an object on a table, whose key is `schema.table.name`.
fn is_beside(wanted: &Name, name: &Name) -> bool {
    matches!((wanted.parts(), name.parts()), ([schema, object], [there, _, known]) if schema == there && object == known)
}
