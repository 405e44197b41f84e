//! The rules. Each word in the list is a file beside this one, a folder of examples in `tests/lint/`, and a page in
//! `docs/rules/`.

use super::rule::Rule;

macro_rules! rules {
    ($($name:ident,)*) => {
        $(pub(super) mod $name;)*

        /// Every rule.
        pub static RULES: &[&Rule] = &[$(&$name::RULE),*];
    };
}

rules! {
    unguarded_create_table,
    unguarded_create_index,
    unguarded_create,
    unnamed_index,
    create_without_replace,
    create_without_drop,
    create_without_test,
    unguarded_drop,
    unguarded_add_column,
    unguarded_drop_column,
    unguarded_drop_constraint,
    unguarded_rename,
    unguarded_add_constraint,
    unnamed_constraint,
    unguarded_identity,
    unguarded_add_value,
    unguarded_partition,
    unguarded_set_schema,
    unguarded_insert,
    repeating_update,
    rewound_sequence,
    copied_rows,
    select_into,
    type_change_using,
    used_then_dropped,
    table_rebuild,
    attached_database,
    publication_table_added,
    wrong_exception,
    conflict_without_key,
    shadowed_create,
    shadowed_column,
    wrong_test,
    guard_without_backfill,
    hidden_invalid_index,
    unused_allowance,
    allowed_without_reason,
    unknown_rule,
    missing_no_transaction,
    own_transaction,
    late_script,
    used_code,
    lost_triggers,
}
