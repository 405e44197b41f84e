//! What people said of code objects besides their definitions, said again when the objects are back: owners, grants,
//! comments, security labels, what is switched off.

use super::away::Item;
use super::known::{Known, spelt_in_full};
use super::text::is_routine_kind;
use super::*;

/// Something to be said again of an object, once it is there. Marks stand for the object's spellings, since a function
/// may come back with another signature.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Remark {
    pub key: String,
    /// The column that it is about.
    pub column: Option<String>,
    pub statement: String,
}

impl Keeper<'_, '_> {
    pub(super) fn may_change_signature(&self, at: usize) -> bool {
        self.owned_by(at).next().is_some()
    }

    /// Says again of a new object what was said of the one that stood in its place.
    pub(super) fn say_again(&mut self, at: usize, creation: &Creation) -> Step {
        let there = self.named(creation.kind, &creation.name, creation.table.as_ref())?;
        for known in &there {
            let before = self.before(at, creation, known);
            let its = self.remarks_of(|key| {
                key == known.key
                    || is_turned_into(key, &known.key)
                    || before.contains(key) && has_moved(key, &known.key)
            });
            say(self.link, known, &its)?;
        }
        let is_routine = is_routine_kind(creation.kind);
        let is_it = |key: &str| {
            key_name(key, DIALECT).is_some_and(|(kind, name)| is_routine_kind(kind) && creation.name.matches(&name))
        };
        let makes =
            self.creations[at].iter().filter(|other| other.kind == creation.kind && other.name == creation.name);
        if !is_routine || makes.count() != 1 {
            return Ok(());
        }
        // One routine of this name before, one now: it changed its signature.
        let old: Vec<String> = self.owned_by(at).filter(|key| is_it(key)).cloned().collect();
        let new: Vec<&Known> = there.iter().filter(|known| !self.is_code(&known.key)).collect();
        let ([old], [new]) = (old.as_slice(), new.as_slice()) else { return Ok(()) };
        if let Some(known) = there.iter().find(|known| known.key == *old) {
            let known = known.clone();
            self.take(&[known])?;
        }
        let its = self.remarks_of(|key| key == old);
        say(self.link, new, &its)
    }

    /// Returns what may have been an object before it came onto another table: what its file made, and, if it is new and
    /// no other file makes one of its name in its schema, what files made there that are not there any more.
    fn before(&self, at: usize, creation: &Creation, known: &Known) -> BTreeSet<String> {
        let own = self.owned_by(at).cloned();
        let place = |creation: &Creation| {
            let schema = creation.table.as_ref().and_then(Name::schema).unwrap_or(&self.schema);
            (creation.kind, schema.to_owned(), creation.name.object().to_owned())
        };
        let schema_of = |key: &str| match key_name(key, DIALECT)?.1.parts() {
            [schema, ..] => Some(schema.clone()),
            [] => None,
        };
        let is_like = |other: &&Creation| place(other) == place(creation);
        let is_here = |owned: &&Owned| schema_of(&owned.object) == schema_of(&known.key);
        let is_only_one = self.creations.iter().flatten().filter(is_like).count() == 1;
        let is_new = is_only_one && !self.is_code(&known.key);
        let gone = self.work.gone.iter().filter(|_| is_new).filter_map(|gone| self.owned.get(&gone.entry.key));
        own.chain(gone.flatten().filter(is_here).map(|owned| owned.object.clone())).collect()
    }

    /// Takes what is to be said again of some objects.
    fn remarks_of(&mut self, is_its: impl Fn(&str) -> bool) -> Vec<Remark> {
        self.remember();
        let (its, others) =
            std::mem::take(&mut self.remarks).into_iter().partition(|remark: &Remark| is_its(&remark.key));
        self.remarks = others;
        its
    }
}

/// Returns true if a view became a materialized one, or the other way round: people mean the same by its name.
fn is_turned_into(old: &str, new: &str) -> bool {
    let is_view = |kind: Kind| matches!(kind, Kind::View | Kind::MaterializedView);
    match (key_name(old, DIALECT), key_name(new, DIALECT)) {
        (Some((old_kind, old)), Some((new_kind, new))) => is_view(old_kind) && is_view(new_kind) && old == new,
        _ => false,
    }
}

/// Returns true if a trigger, rule or policy of this name was on another table: one that was renamed, or took its place.
fn has_moved(old: &str, new: &str) -> bool {
    match (key_name(old, DIALECT), key_name(new, DIALECT)) {
        (Some((old_kind, old)), Some((kind, new))) => {
            kind.is_on_table() && old_kind == kind && old != new && old.object() == new.object()
        }
        _ => false,
    }
}

/// Reads what is said of objects besides their definitions: owners, grants, comments, security labels, what is
/// switched off.
pub(super) fn remarks(link: &mut Link, found: &[Item]) -> Step<Vec<Remark>> {
    let values: Vec<String> = found
        .iter()
        .map(|item| format!("({}::oid, {}::oid, {})", item.classid, item.objid, literal(&item.key)))
        .collect();
    let query = spelt_in_full(&format!(
        "with gone (classid, objid, key) as (values {}),
         held as (
             select g.key, g.classid, g.objid, c.relowner as owner, c.relacl as acl, 'r'::\"char\" as acl_kind
               from gone g join pg_class c on g.classid = 'pg_class'::regclass and c.oid = g.objid and c.relkind in ('v', 'm')
              union all
             select g.key, g.classid, g.objid, p.proowner, p.proacl, 'f'
               from gone g join pg_proc p on g.classid = 'pg_proc'::regclass and p.oid = g.objid
         ),
         said (turn, key, col, statement) as (
             select 1, key, null, format('alter \u{1}spec\u{1} owner to %I', pg_get_userbyid(owner))
               from held where pg_get_userbyid(owner) <> current_user
              union all
             select 2, key, null,
                    format($f$do $dbbuild$ declare who text; begin for who in select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end from %s a where a.grantee <> o.owner loop execute format('revoke all on %%s from %%s', \u{1}target-text\u{1}, who); end loop; end $dbbuild$$f$,
                           case acl_kind
                               when 'r' then '(select relowner as owner, relacl as acl from pg_class where oid = \u{1}bare-text\u{1}::regclass) o, aclexplode(o.acl)'
                               else '(select proowner as owner, coalesce(proacl, acldefault(''f'', proowner)) as acl from pg_proc where oid = \u{1}bare-text\u{1}::regprocedure) o, aclexplode(o.acl)'
                           end)
               from held where acl is not null or acl_kind = 'r'
              union all
             -- Nobody had granted anything, and meanwhile there may be default privileges.
             select 2, key, null,
                    'do $dbbuild$ declare who text; begin '
                    'if (select proacl from pg_proc where oid = \u{1}bare-text\u{1}::regprocedure) is not null then '
                    'for who in select distinct a.grantee::regrole::text from pg_proc p, aclexplode(p.proacl) a '
                    'where p.oid = \u{1}bare-text\u{1}::regprocedure and a.grantee not in (0, p.proowner) '
                    'loop execute format(''revoke all on %s from %s'', \u{1}target-text\u{1}, who); end loop; '
                    'execute ''grant execute on '' || \u{1}target-text\u{1} || '' to public''; end if; end $dbbuild$'
               from held where acl is null and acl_kind = 'f'
              union all
             select 3 + (a.grantor <> h.owner)::int, h.key, null,
                    case when a.grantor = h.owner then g.text
                         -- As whoever granted it; where that role may not be taken on, as the owner.
                         else format('do $dbbuild$ begin set local role %1$s; %2$s; set local role %3$I; '
                                     'exception when insufficient_privilege then %2$s; end $dbbuild$',
                                     a.grantor::regrole, g.text, current_user) end
               from held h, aclexplode(h.acl) a,
                    lateral (select concat(format('grant %s on \u{1}target\u{1} to %s', a.privilege_type,
                                                  case a.grantee when 0 then 'public' else a.grantee::regrole::text end),
                                           case when a.is_grantable then ' with grant option' end) as text) g
              where a.grantee <> h.owner
              union all
             select 5, h.key, t.attname,
                    concat(format('grant %s (%I) on \u{1}target\u{1} to %s', a.privilege_type, t.attname,
                                  case a.grantee when 0 then 'public' else a.grantee::regrole::text end),
                           case when a.is_grantable then ' with grant option' end)
               from held h
               join pg_attribute t on h.acl_kind = 'r' and t.attrelid = h.objid and t.attacl is not null,
                    aclexplode(t.attacl) a
              where a.grantee <> h.owner
              union all
             select 6, g.key, null, format('comment on \u{1}spec\u{1} is %L', d.description)
               from gone g join pg_description d on d.classoid = g.classid and d.objoid = g.objid and d.objsubid = 0
              union all
             select 6, g.key, t.attname, format('comment on column \u{1}bare\u{1}.%I is %L', t.attname, d.description)
               from gone g
               join pg_description d on d.classoid = g.classid and d.objoid = g.objid and d.objsubid > 0
               join pg_attribute t on t.attrelid = g.objid and t.attnum = d.objsubid
              where g.classid = 'pg_class'::regclass
              union all
             select 7, key, null, format('alter table \u{1}bare\u{1} %s %s %I',
                        case enabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, kind, name)
               from gone g
               join (select tableoid, oid, 'trigger', tgname, tgenabled from pg_trigger
                      union all
                     select tableoid, oid, 'rule', rulename, ev_enabled from pg_rewrite) t (classid, oid, kind, name, enabled)
                 on t.classid = g.classid and t.oid = g.objid and enabled <> 'O'
              union all
             select 8, g.key, t.attname, format('alter view \u{1}bare\u{1} alter column %I set default %s', t.attname,
                        pg_get_expr(d.adbin, d.adrelid))
               from gone g
               join pg_attrdef d on g.classid = 'pg_class'::regclass and d.adrelid = g.objid
               join pg_attribute t on t.attrelid = d.adrelid and t.attnum = d.adnum
              union all
             select 9, g.key, null, format('security label for %I on \u{1}spec\u{1} is %L', l.provider, l.label)
               from gone g join pg_seclabel l on l.classoid = g.classid and l.objoid = g.objid and l.objsubid = 0
              union all
             select 9, g.key, t.attname, format('security label for %I on column \u{1}bare\u{1}.%I is %L', l.provider, t.attname, l.label)
               from gone g
               join pg_seclabel l on l.classoid = g.classid and l.objoid = g.objid and l.objsubid > 0
               join pg_attribute t on t.attrelid = g.objid and t.attnum = l.objsubid
              where g.classid = 'pg_class'::regclass
         )
         select key, col, statement from said order by turn, key, statement",
        values.join(", ")
    ));
    let shown = link.connector.shown();
    let answers =
        link.send_own(&query).map_err(|trouble| Stop::own(trouble, "reading what is said of code objects", &shown))?;
    Ok(rows(&answers)
        .filter_map(|row| {
            Some(Remark {
                key: column(row, "key")?.to_owned(),
                column: column(row, "col").map(str::to_owned),
                statement: column(row, "statement")?.to_owned(),
            })
        })
        .collect())
}

/// Says again of an object what was said of it, or of the one that it stands for.
pub(super) fn say(link: &mut Link, object: &Known, remarks: &[Remark]) -> Step {
    let columns =
        if remarks.iter().any(|remark| remark.column.is_some()) { columns(link, object)? } else { Vec::new() };
    let quoted = |name: &str| literal(name);
    let mut statements = Vec::new();
    for remark in remarks {
        if remark.column.as_ref().is_some_and(|column| !columns.contains(column)) {
            continue;
        }
        statements.push(
            remark
                .statement
                .replace("\u{1}target-text\u{1}", &quoted(&object.target))
                .replace("\u{1}bare-text\u{1}", &quoted(&object.bare))
                .replace("\u{1}target\u{1}", &object.target)
                .replace("\u{1}spec\u{1}", &object.spec)
                .replace("\u{1}bare\u{1}", &object.bare),
        );
    }
    let shown = link.connector.shown();
    for statement in statements {
        link.send_own(&statement)
            .map_err(|trouble| Stop::own(trouble, &format!("putting back what was said of {}", object.key), &shown))?;
    }
    link.take_notices();
    Ok(())
}

fn columns(link: &mut Link, object: &Known) -> Step<Vec<String>> {
    let query = format!(
        "select attname::text as col from pg_catalog.pg_attribute where attrelid = {} and attnum > 0 and not attisdropped",
        object.objid
    );
    let shown = link.connector.shown();
    let answers = link.send_own(&query).map_err(|trouble| Stop::own(trouble, "reading a view's columns", &shown))?;
    Ok(rows(&answers).filter_map(|row| column(row, "col")).map(str::to_owned).collect())
}
