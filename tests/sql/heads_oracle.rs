//! What a statement is, by its head and by PostgreSQL's own parse tree.

use dbbuild::sql::{
    ActionKind, Dialect, Head, Kind, Name, SessionSetting, Tokens, TransactionControl, Verb, actions, session_setting,
    split, transaction_control,
};
use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableType, Node, ObjectType, RangeVar, TransactionStmtKind};

/// How many statements were compared, and how many kinds of node are not.
#[derive(Default)]
pub struct Compared {
    pub statements: usize,
    pub actions: usize,
    /// Guards that were put into their places.
    pub slots: usize,
    pub others: usize,
}

impl Compared {
    /// Compares each statement of a script that the parser reads.
    pub fn compare(&mut self, text: &str) {
        for statement in split(text, Dialect::Postgres).unwrap_or_default() {
            let sql = statement.text(text);
            let Ok(tree) = pg_query::parse(sql, 0) else { continue };
            let node = tree.protobuf.stmts.into_iter().next().and_then(|raw| raw.stmt).and_then(|node| node.node);
            let Some(node) = node else { continue };
            if self.compare_one(sql, &node) {
                self.statements += 1;
            } else {
                self.others += 1;
            }
        }
    }

    fn compare_one(&mut self, sql: &str, node: &NodeEnum) -> bool {
        let tokens = Tokens::of(sql, Dialect::Postgres);
        let head = Head::of(tokens);
        let kind_of = |kind: Kind, verb: Verb| assert_eq!((head.verb, head.kind), (verb, Some(kind)), "{sql}");
        let named = |name: Option<Name>| assert_eq!(head.name, name, "{sql}");
        match node {
            NodeEnum::CreateStmt(stmt) => {
                kind_of(Kind::Table, Verb::Create);
                named(relation(stmt.relation.as_ref()));
                assert_eq!(head.if_not_exists, stmt.if_not_exists, "{sql}");
                let table = stmt.relation.as_ref().unwrap();
                let temporary = table.relpersistence == "t" || table.schemaname == "pg_temp";
                assert_eq!((head.temporary, head.unlogged), (temporary, table.relpersistence == "u"), "{sql}");
            }
            NodeEnum::IndexStmt(stmt) => {
                kind_of(Kind::Index, Verb::Create);
                named((!stmt.idxname.is_empty()).then(|| Name::new([stmt.idxname.as_str()])));
                assert_eq!(head.table, relation(stmt.relation.as_ref()), "{sql}");
                let flags = (head.unique, head.concurrently, head.if_not_exists);
                assert_eq!(flags, (stmt.unique, stmt.concurrent, stmt.if_not_exists), "{sql}");
            }
            NodeEnum::ViewStmt(stmt) => {
                kind_of(Kind::View, Verb::Create);
                named(relation(stmt.view.as_ref()));
                assert_eq!(head.or_replace, stmt.replace, "{sql}");
            }
            NodeEnum::CreateFunctionStmt(stmt) => {
                kind_of(if stmt.is_procedure { Kind::Procedure } else { Kind::Function }, Verb::Create);
                named(Some(strings(&stmt.funcname)));
                assert_eq!(head.or_replace, stmt.replace, "{sql}");
            }
            NodeEnum::CreateTrigStmt(stmt) => {
                kind_of(Kind::Trigger, Verb::Create);
                named(Some(Name::new([stmt.trigname.as_str()])));
                assert_eq!(head.table, relation(stmt.relation.as_ref()), "{sql}");
                assert_eq!((head.or_replace, head.constraint), (stmt.replace, stmt.isconstraint), "{sql}");
            }
            NodeEnum::CreateSeqStmt(stmt) => {
                kind_of(Kind::Sequence, Verb::Create);
                named(relation(stmt.sequence.as_ref()));
                assert_eq!(head.if_not_exists, stmt.if_not_exists, "{sql}");
            }
            NodeEnum::CreateExtensionStmt(stmt) => {
                kind_of(Kind::Extension, Verb::Create);
                named(Some(Name::new([stmt.extname.as_str()])));
                assert_eq!(head.if_not_exists, stmt.if_not_exists, "{sql}");
            }
            NodeEnum::CreateSchemaStmt(stmt) => {
                kind_of(Kind::Schema, Verb::Create);
                named((!stmt.schemaname.is_empty()).then(|| Name::new([stmt.schemaname.as_str()])));
            }
            NodeEnum::CreateEnumStmt(stmt) => {
                kind_of(Kind::Type, Verb::Create);
                named(Some(strings(&stmt.type_name)));
            }
            NodeEnum::CreatePolicyStmt(stmt) => {
                kind_of(Kind::Policy, Verb::Create);
                named(Some(Name::new([stmt.policy_name.as_str()])));
                assert_eq!(head.table, relation(stmt.table.as_ref()), "{sql}");
            }
            NodeEnum::RuleStmt(stmt) => {
                kind_of(Kind::Rule, Verb::Create);
                assert_eq!(head.table, relation(stmt.relation.as_ref()), "{sql}");
            }
            NodeEnum::DropStmt(stmt) => {
                assert_eq!((head.verb, head.if_exists), (Verb::Drop, stmt.missing_ok), "{sql}");
                assert_eq!(head.concurrently, stmt.concurrent, "{sql}");
                if let Some(kind) = dropped_kind(stmt.remove_type()) {
                    assert_eq!(head.kind, Some(kind), "{sql}");
                }
            }
            NodeEnum::AlterTableStmt(stmt) => {
                assert_eq!((head.verb, head.if_exists), (Verb::Alter, stmt.missing_ok), "{sql}");
                named(relation(stmt.relation.as_ref()));
                // An attribute of a type is a column to the parser.
                if head.kind != Some(Kind::Type) {
                    self.compare_actions(sql, &stmt.cmds);
                }
            }
            NodeEnum::InsertStmt(stmt) => written(sql, &head, Verb::Insert, stmt.relation.as_ref()),
            NodeEnum::UpdateStmt(stmt) => written(sql, &head, Verb::Update, stmt.relation.as_ref()),
            NodeEnum::DeleteStmt(stmt) => written(sql, &head, Verb::Delete, stmt.relation.as_ref()),
            NodeEnum::SelectStmt(stmt) if stmt.values_lists.is_empty() => {
                assert!(matches!(head.verb, Verb::Select | Verb::Table), "{sql}");
            }
            NodeEnum::DoStmt(_) => assert_eq!(head.verb, Verb::Do, "{sql}"),
            NodeEnum::CommentStmt(_) => assert_eq!(head.verb, Verb::Comment, "{sql}"),
            NodeEnum::VariableSetStmt(stmt) => {
                let setting = session_setting(tokens);
                assert_eq!(setting == Some(SessionSetting::Local), stmt.is_local, "{sql}");
            }
            NodeEnum::TransactionStmt(stmt) => assert_eq!(transaction_control(tokens), control(stmt.kind()), "{sql}"),
            _ => {
                assert_eq!(transaction_control(tokens), None, "{sql}");
                return false;
            }
        }
        self.compare_slots(sql, node, &head);
        if !matches!(node, NodeEnum::TransactionStmt(_)) {
            assert_eq!(transaction_control(tokens), None, "{sql}");
        }
        true
    }

    /// A guard that is put into its place is one for the parser as well.
    fn compare_slots(&mut self, sql: &str, node: &NodeEnum, head: &Head) {
        let guard = match node {
            // A constraint trigger cannot be replaced, though the grammar has words for it.
            _ if head.is_guarded() || head.constraint || (head.verb, head.kind) == (Verb::Alter, Some(Kind::Type)) => {
                return;
            }
            NodeEnum::CreateStmt(_) | NodeEnum::CreateSeqStmt(_) | NodeEnum::CreateExtensionStmt(_) => "if not exists ",
            NodeEnum::IndexStmt(_) if head.name.is_some() => "if not exists ",
            NodeEnum::DropStmt(_) | NodeEnum::AlterTableStmt(_) => "if exists ",
            NodeEnum::ViewStmt(_) | NodeEnum::CreateFunctionStmt(_) | NodeEnum::CreateTrigStmt(_) => " or replace",
            _ => return,
        };
        let slot = if guard == " or replace" { head.replace_slot } else { head.guard_slot };
        let guarded = format!("{}{guard}{}", &sql[..slot], &sql[slot..]);
        let tree = pg_query::parse(&guarded, 0).unwrap_or_else(|error| panic!("{error} in {guarded}"));
        let node = tree.protobuf.stmts.into_iter().next().and_then(|raw| raw.stmt).and_then(|node| node.node);
        let is_guarded = match node {
            Some(NodeEnum::CreateStmt(stmt)) => stmt.if_not_exists,
            Some(NodeEnum::CreateSeqStmt(stmt)) => stmt.if_not_exists,
            Some(NodeEnum::CreateExtensionStmt(stmt)) => stmt.if_not_exists,
            Some(NodeEnum::IndexStmt(stmt)) => stmt.if_not_exists,
            Some(NodeEnum::DropStmt(stmt)) => stmt.missing_ok,
            Some(NodeEnum::AlterTableStmt(stmt)) => stmt.missing_ok,
            Some(NodeEnum::ViewStmt(stmt)) => stmt.replace,
            Some(NodeEnum::CreateFunctionStmt(stmt)) => stmt.replace,
            Some(NodeEnum::CreateTrigStmt(stmt)) => stmt.replace,
            _ => false,
        };
        assert!(is_guarded && Head::of(Tokens::of(&guarded, Dialect::Postgres)).is_guarded(), "{guarded}");
        self.slots += 1;
    }

    fn compare_actions(&mut self, sql: &str, commands: &[Node]) {
        let ours = actions(Tokens::of(sql, Dialect::Postgres));
        assert_eq!(ours.len(), commands.len(), "{sql}");
        for (action, command) in ours.iter().zip(commands) {
            let Some(NodeEnum::AlterTableCmd(command)) = &command.node else { continue };
            let expected = match command.subtype() {
                AlterTableType::AtAddColumn => ActionKind::AddColumn,
                AlterTableType::AtAddConstraint => ActionKind::AddConstraint,
                AlterTableType::AtDropColumn => ActionKind::DropColumn,
                AlterTableType::AtDropConstraint => ActionKind::DropConstraint,
                AlterTableType::AtValidateConstraint => ActionKind::ValidateConstraint,
                AlterTableType::AtChangeOwner => ActionKind::Owner,
                AlterTableType::AtColumnDefault | AlterTableType::AtSetNotNull => ActionKind::AlterColumn,
                AlterTableType::AtDropNotNull | AlterTableType::AtAlterColumnType => ActionKind::AlterColumn,
                _ => continue,
            };
            assert_eq!(action.kind, expected, "{sql}");
            assert_eq!(action.if_exists || action.if_not_exists, command.missing_ok, "{sql}");
            if !command.name.is_empty() {
                assert_eq!(action.name, Some(Name::new([command.name.as_str()])), "{sql}");
            }
            self.actions += 1;
        }
    }
}

fn written(sql: &str, head: &Head, verb: Verb, table: Option<&RangeVar>) {
    assert_eq!((head.verb, &head.name), (verb, &relation(table)), "{sql}");
}

fn relation(relation: Option<&RangeVar>) -> Option<Name> {
    let relation = relation?;
    let parts = [&relation.catalogname, &relation.schemaname, &relation.relname];
    Some(Name::new(parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str)))
}

fn strings(nodes: &[Node]) -> Name {
    Name::new(nodes.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::String(part)) => Some(part.sval.as_str()),
        _ => None,
    }))
}

fn control(kind: TransactionStmtKind) -> Option<TransactionControl> {
    match kind {
        TransactionStmtKind::TransStmtBegin | TransactionStmtKind::TransStmtStart => Some(TransactionControl::Begin),
        TransactionStmtKind::TransStmtCommit => Some(TransactionControl::Commit),
        TransactionStmtKind::TransStmtRollback => Some(TransactionControl::Rollback),
        TransactionStmtKind::TransStmtPrepare
        | TransactionStmtKind::TransStmtCommitPrepared
        | TransactionStmtKind::TransStmtRollbackPrepared => Some(TransactionControl::Other),
        _ => None,
    }
}

fn dropped_kind(kind: ObjectType) -> Option<Kind> {
    Some(match kind {
        ObjectType::ObjectTable => Kind::Table,
        ObjectType::ObjectIndex => Kind::Index,
        ObjectType::ObjectView => Kind::View,
        ObjectType::ObjectMatview => Kind::MaterializedView,
        ObjectType::ObjectFunction => Kind::Function,
        ObjectType::ObjectProcedure => Kind::Procedure,
        ObjectType::ObjectTrigger => Kind::Trigger,
        ObjectType::ObjectType => Kind::Type,
        ObjectType::ObjectSequence => Kind::Sequence,
        ObjectType::ObjectSchema => Kind::Schema,
        ObjectType::ObjectExtension => Kind::Extension,
        ObjectType::ObjectPolicy => Kind::Policy,
        ObjectType::ObjectRule => Kind::Rule,
        ObjectType::ObjectDomain => Kind::Domain,
        ObjectType::ObjectCollation => Kind::Collation,
        ObjectType::ObjectAggregate => Kind::Aggregate,
        ObjectType::ObjectForeignTable => Kind::ForeignTable,
        ObjectType::ObjectFdw => Kind::ForeignDataWrapper,
        ObjectType::ObjectForeignServer => Kind::Server,
        ObjectType::ObjectEventTrigger => Kind::EventTrigger,
        ObjectType::ObjectOperator => Kind::Operator,
        ObjectType::ObjectOpfamily => Kind::OperatorFamily,
        ObjectType::ObjectCast => Kind::Cast,
        ObjectType::ObjectOpclass => Kind::OperatorClass,
        ObjectType::ObjectTsconfiguration => Kind::TextSearchConfiguration,
        _ => return None,
    })
}
