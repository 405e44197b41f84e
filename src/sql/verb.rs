//! The first keyword of a statement, which says what it does.

use super::Tokens;

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// `ABORT`.
    Abort,
    /// `ALTER`.
    Alter,
    /// `ANALYZE`.
    Analyze,
    /// `ATTACH`.
    Attach,
    /// `BEGIN`.
    Begin,
    /// `CALL`.
    Call,
    /// `CHECKPOINT`.
    Checkpoint,
    /// `CLOSE`.
    Close,
    /// `CLUSTER`.
    Cluster,
    /// `COMMENT`.
    Comment,
    /// `COMMIT`.
    Commit,
    /// `COPY`.
    Copy,
    /// `CREATE`.
    Create,
    /// `DEALLOCATE`.
    Deallocate,
    /// `DECLARE`.
    Declare,
    /// `DELETE`.
    Delete,
    /// `DETACH`.
    Detach,
    /// `DISCARD`.
    Discard,
    /// `DO`.
    Do,
    /// `DROP`.
    Drop,
    /// `END`.
    End,
    /// `EXECUTE`.
    Execute,
    /// `EXPLAIN`.
    Explain,
    /// `FETCH`.
    Fetch,
    /// `GRANT`.
    Grant,
    /// `IMPORT FOREIGN SCHEMA`.
    Import,
    /// `INSERT`.
    Insert,
    /// `LISTEN`.
    Listen,
    /// `LOAD`.
    Load,
    /// `LOCK`.
    Lock,
    /// `MERGE`.
    Merge,
    /// `MOVE`.
    Move,
    /// `NOTIFY`.
    Notify,
    /// `PRAGMA`.
    Pragma,
    /// `PREPARE`.
    Prepare,
    /// `REASSIGN OWNED`.
    Reassign,
    /// `REFRESH MATERIALIZED VIEW`.
    Refresh,
    /// `REINDEX`.
    Reindex,
    /// `RELEASE`.
    Release,
    /// SQLite's `REPLACE INTO`.
    Replace,
    /// `RESET`.
    Reset,
    /// `REVOKE`.
    Revoke,
    /// `ROLLBACK`.
    Rollback,
    /// `SAVEPOINT`.
    Savepoint,
    /// `SECURITY LABEL`.
    Security,
    /// `SELECT`.
    Select,
    /// `SET`.
    Set,
    /// `SHOW`.
    Show,
    /// `START TRANSACTION`.
    Start,
    /// `TABLE`.
    Table,
    /// `TRUNCATE`.
    Truncate,
    /// `UNLISTEN`.
    Unlisten,
    /// `UPDATE`.
    Update,
    /// `VACUUM`.
    Vacuum,
    /// `VALUES`.
    Values,
    /// Anything else.
    Other,
}

const WORDS: &[(&str, Verb)] = &[
    ("abort", Verb::Abort),
    ("alter", Verb::Alter),
    ("analyze", Verb::Analyze),
    ("attach", Verb::Attach),
    ("begin", Verb::Begin),
    ("call", Verb::Call),
    ("checkpoint", Verb::Checkpoint),
    ("close", Verb::Close),
    ("cluster", Verb::Cluster),
    ("comment", Verb::Comment),
    ("commit", Verb::Commit),
    ("copy", Verb::Copy),
    ("create", Verb::Create),
    ("deallocate", Verb::Deallocate),
    ("declare", Verb::Declare),
    ("delete", Verb::Delete),
    ("detach", Verb::Detach),
    ("discard", Verb::Discard),
    ("do", Verb::Do),
    ("drop", Verb::Drop),
    ("end", Verb::End),
    ("execute", Verb::Execute),
    ("explain", Verb::Explain),
    ("fetch", Verb::Fetch),
    ("grant", Verb::Grant),
    ("import", Verb::Import),
    ("insert", Verb::Insert),
    ("listen", Verb::Listen),
    ("load", Verb::Load),
    ("lock", Verb::Lock),
    ("merge", Verb::Merge),
    ("move", Verb::Move),
    ("notify", Verb::Notify),
    ("pragma", Verb::Pragma),
    ("prepare", Verb::Prepare),
    ("reassign", Verb::Reassign),
    ("refresh", Verb::Refresh),
    ("reindex", Verb::Reindex),
    ("release", Verb::Release),
    ("replace", Verb::Replace),
    ("reset", Verb::Reset),
    ("revoke", Verb::Revoke),
    ("rollback", Verb::Rollback),
    ("savepoint", Verb::Savepoint),
    ("security", Verb::Security),
    ("select", Verb::Select),
    ("set", Verb::Set),
    ("show", Verb::Show),
    ("start", Verb::Start),
    ("table", Verb::Table),
    ("truncate", Verb::Truncate),
    ("unlisten", Verb::Unlisten),
    ("update", Verb::Update),
    ("vacuum", Verb::Vacuum),
    ("values", Verb::Values),
];

/// The verbs that may follow the common table expressions of a `WITH`.
const AFTER_WITH: &[&str] = &["select", "insert", "update", "delete", "merge", "values", "table", "replace"];

impl Verb {
    /// Takes the verb. Behind a `WITH`, or in front of parentheses, it is that
    /// of the query itself.
    pub fn read(tokens: &mut Tokens<'_>) -> Self {
        while tokens.eat(super::TokenKind::OpenParen) {}
        if tokens.eat_word("with") {
            tokens.skip_to_any(AFTER_WITH);
        }
        let found = WORDS.iter().find(|(word, _)| tokens.eat_word(word));
        found.map_or(Self::Other, |(_, verb)| *verb)
    }

    /// Whether it writes rows: `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `REPLACE`,
    /// `COPY`, `TRUNCATE`.
    #[must_use]
    pub const fn writes_rows(self) -> bool {
        matches!(
            self,
            Self::Insert | Self::Update | Self::Delete | Self::Merge | Self::Replace | Self::Copy | Self::Truncate
        )
    }
}
