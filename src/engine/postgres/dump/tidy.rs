//! Takes out of `pg_dump`'s text what differs from run to run and from builder to builder.
//!
//! The preamble and the trailer are cut as they stand at the two ends; in between the text is read as tokens,
//! and only whole statements and single names are touched: a function's body may hold any line at all.

use crate::engine::{EngineError, Result};
use crate::sql::{Dialect, Lexer, Name, Span, Statement, Statements, Token, TokenKind};

const DIALECT: Dialect = Dialect::Postgres;

/// Whose names are not the dump's to say.
#[derive(Debug, Clone, Default)]
pub(super) struct Owners {
    /// Those who built: what they own is the loader's.
    pub builders: Vec<String>,
    /// The role that made the server, where it has the schema `public` because nobody took it: before 15 it always
    /// has (<https://www.postgresql.org/docs/release/15.0/>), and it is called otherwise on every server.
    pub of_public: Option<String>,
}

/// Returns the text of one section without preamble, trailer, and the names of the builders: what they own is
/// its loader's, and where a grant or a default privilege names them it says `CURRENT_USER`.
pub(super) fn tidy(text: &str, owners: &Owners) -> Result<String> {
    let text = without_ends(text)?;
    let mut out = String::with_capacity(text.len());
    let mut statements = Statements::new(text, DIALECT);
    for statement in statements.by_ref() {
        let statement = statement.map_err(|error| unreadable(&error.to_string()))?;
        lead(&mut out, statement.lead.text(text), owners);
        let body = text.get(statement.span.start..statement.tail.end).unwrap_or_default();
        match edit(text, &statement, owners) {
            Edit::Keep => out.push_str(body),
            Edit::Drop => out.truncate(out.trim_end_matches('\n').len()),
            Edit::Name(names) => {
                let mut from = statement.span.start;
                for (span, name) in names {
                    out.push_str(Span::new(from, span.start).text(text));
                    out.push_str(name);
                    from = span.end;
                }
                out.push_str(Span::new(from, statement.tail.end).text(text));
            }
        }
    }
    lead(&mut out, statements.rest().text(text), owners);
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    Ok(out)
}

/// Cuts the preamble (its comment, `\restrict`, `SET` lines) and the trailer (its comment, `\unrestrict`).
fn without_ends(text: &str) -> Result<&str> {
    let is_setting = |line: &str| line.starts_with("SET ") || line.starts_with("SELECT pg_catalog.set_config(");
    let mut at = 0;
    let mut in_settings = false;
    for line in text.split_inclusive('\n') {
        if is_setting(line) {
            in_settings = true;
        } else if in_settings {
            break;
        } else if !(line.trim().is_empty() || line.starts_with("--") || line.starts_with("\\restrict ")) {
            return Err(unreadable("its first lines are not those of pg_dump"));
        }
        at += line.len();
    }
    let body = text.get(at..).unwrap_or_default().trim_end();
    let body = match body.rsplit_once('\n') {
        Some((before, last)) if last.starts_with("\\unrestrict ") => before.trim_end(),
        _ => body,
    };
    match body.strip_suffix("--\n-- PostgreSQL database dump complete\n--") {
        Some(body) if in_settings => Ok(body.trim_start_matches('\n')),
        _ => Err(unreadable("its last lines are not those of pg_dump")),
    }
}

/// What becomes of a statement.
enum Edit<'a> {
    Keep,
    Drop,
    /// These names become others.
    Name(Vec<(Span, &'a str)>),
}

/// What a builder is called where rights are given.
const BUILDER: &str = "CURRENT_USER";

fn edit<'a>(text: &'a str, statement: &Statement, owners: &Owners) -> Edit<'a> {
    let first = statement.span.text(text).split_whitespace().next().unwrap_or_default();
    if !matches!(first, "ALTER" | "GRANT" | "REVOKE" | "CREATE") {
        return Edit::Keep;
    }
    let lexer = Lexer::part(text, statement.span, DIALECT).map_while(std::result::Result::ok);
    // What matters of a CREATE is among its first words; a table's columns are not.
    let is_policy = statement.span.text(text).starts_with("CREATE POLICY ");
    let most = if first == "CREATE" && !is_policy { 32 } else { usize::MAX };
    let tokens: Vec<Token> = lexer.filter(|token| !token.kind.is_trivia()).take(most).collect();
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(text, word));
    let is_builder = |at: usize| tokens.get(at).is_some_and(|token| names_one(text, *token, &owners.builders));

    let last = tokens.len().saturating_sub(1);
    if first == "ALTER" && last > 2 && word(last - 2, "owner") && word(last - 1, "to") {
        let is_public = last == 5 && word(1, "schema") && word(2, "public");
        let has_public = tokens.get(last).is_some_and(|token| names_one(text, *token, owners.of_public.as_slice()));
        return if is_builder(last) || (is_public && has_public) { Edit::Drop } else { Edit::Keep };
    }
    let mut names = Vec::new();
    let mut name = |at: usize| {
        if is_builder(at)
            && let Some(token) = tokens.get(at)
        {
            names.push((token.span, BUILDER));
        }
    };
    let is_defaults = word(0, "alter") && word(1, "default") && word(2, "privileges");
    if is_defaults && word(3, "for") && word(4, "role") {
        name(5);
    }
    if word(0, "create") && word(1, "user") && word(2, "mapping") && word(3, "for") {
        name(4);
    }
    let outer = |words: &'static [&'static str]| outer_words(text, &tokens, words);
    let list = match first {
        "GRANT" => outer(&["to"]).last(),
        "REVOKE" => outer(&["from"]).last(),
        _ if is_defaults => outer(&["to", "from"]).last(),
        _ if is_policy => outer(&["to"]).next(),
        _ => None,
    };
    let is_comma = |at: usize| tokens.get(at).is_some_and(|token| token.kind == TokenKind::Comma);
    let roles: Vec<usize> = list.map_or_else(Vec::new, |list| {
        let following = std::iter::successors(Some(list + 1), |at| is_comma(at + 1).then_some(at + 2));
        following.collect()
    });
    if is_policy && roles.len() > 1 {
        // pg_dump reads a policy's roles as they lie in their table: in the order in which they were changed last.
        let spans = || roles.iter().filter_map(|at| Some((*at, tokens.get(*at)?.span)));
        let mut sorted: Vec<&str> =
            spans().map(|(at, span)| if is_builder(at) { BUILDER } else { span.text(text) }).collect();
        sorted.sort_unstable();
        return Edit::Name(spans().map(|(_, span)| span).zip(sorted).collect());
    }
    roles.into_iter().for_each(&mut name);
    if names.is_empty() { Edit::Keep } else { Edit::Name(names) }
}

/// Returns where these words stand outside parentheses, and not as a part of a qualified name.
fn outer_words<'a>(text: &'a str, tokens: &'a [Token], words: &'a [&'a str]) -> impl Iterator<Item = usize> + 'a {
    let mut depth = 0_usize;
    let mut after_dot = false;
    tokens.iter().enumerate().filter_map(move |(at, token)| {
        match token.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        let found = depth == 0 && !after_dot && words.iter().any(|word| token.is_word(text, word));
        after_dot = token.kind == TokenKind::Dot;
        found.then_some(at)
    })
}

fn names_one(text: &str, token: Token, roles: &[String]) -> bool {
    token.kind.is_identifier() && {
        let name = Name::part(token.text(text), token.kind, DIALECT);
        roles.iter().any(|role| role == name.object())
    }
}

/// Writes what stands between statements; `pg_dump`'s comments there name each object's owner.
fn lead(out: &mut String, text: &str, owners: &Owners) {
    let builders = &owners.builders;
    for line in text.split_inclusive('\n') {
        let owner = line.strip_prefix("-- Name: ").and_then(|_| line.rfind(OWNER)).map(|at| at + OWNER.len());
        let Some(from) = owner else {
            out.push_str(line);
            continue;
        };
        let (before, rest) = line.split_at(from);
        let end = rest.find("; Tablespace: ").unwrap_or(rest.trim_end().len());
        let (name, after) = rest.split_at(end);
        let mapping = |builder: &&String| before.starts_with(&format!("{MAPPING}{builder} SERVER "));
        match builders.iter().find(mapping) {
            Some(builder) => {
                out.push_str(MAPPING);
                out.push_str("CURRENT_USER");
                out.push_str(before.get(MAPPING.len() + builder.len()..).unwrap_or_default());
            }
            None => out.push_str(before),
        }
        let is_public = PUBLIC.iter().any(|head| line.starts_with(head));
        let is_left_out = |role: &String| role == name;
        let of_public = owners.of_public.iter().filter(|_| is_public);
        out.push_str(if builders.iter().chain(of_public).any(is_left_out) { "-" } else { name });
        out.push_str(after);
    }
}

const OWNER: &str = "; Owner: ";
const PUBLIC: [&str; 2] = ["-- Name: public; Type: SCHEMA; ", "-- Name: SCHEMA public; Type: "];
const MAPPING: &str = "-- Name: USER MAPPING ";

fn unreadable(why: &str) -> EngineError {
    EngineError::Tool {
        message: format!("cannot read what pg_dump wrote: {why}"),
        hint: "check that the command runs pg_dump itself, with nothing that writes beside it".into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn framed(body: &str) -> String {
        format!(
            "--\n-- PostgreSQL database dump\n--\n\n\\restrict Ab1\n\n-- Dumped from database version 15.18\n\
             -- Dumped by pg_dump version 18.4\n\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\n\
             SELECT pg_catalog.set_config('search_path', '', false);\nSET row_security = off;\n\n{body}\n\
             --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict Ab1\n\n"
        )
    }

    fn tidied(body: &str) -> String {
        let builders = ["me", "The Owner"].map(str::to_owned).to_vec();
        tidy(&framed(body), &Owners { builders, of_public: Some("initdb".into()) }).unwrap()
    }

    #[test]
    fn only_the_two_ends_are_cut() {
        let body = "SET default_tablespace = '';\n\nCREATE FUNCTION f() RETURNS text LANGUAGE sql AS $_$\n\
                    --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict Ab1\nSET row_security = off;\n\
                    ALTER TABLE t OWNER TO me;\n-- Name: x; Type: TABLE; Schema: public; Owner: me\n$_$;\n";
        assert_eq!(tidied(body), body);
        assert_eq!(tidied(""), "");
        let old = framed("SELECT 1;\n").replace("\\restrict Ab1\n\n", "").replace("\n\n\\unrestrict Ab1", "");
        assert_eq!(tidy(&old, &Owners::default()).unwrap(), "SELECT 1;\n");
        assert!(tidy("hello\n", &Owners::default()).is_err());
        assert!(tidy(&framed("SELECT 1;\n").replace("dump complete", "dump"), &Owners::default()).is_err());
    }

    #[test]
    fn the_builders_ownership_goes_and_other_owners_stay() {
        let body = "--\n-- Name: t; Type: TABLE; Schema: public; Owner: me\n--\n\nCREATE TABLE public.t (\n    a text\n);\n\n\n\
                    ALTER TABLE public.t OWNER TO me;\n\n\
                    --\n-- Name: u; Type: TABLE; Schema: public; Owner: other; Tablespace: me\n--\n\nCREATE TABLE public.u ();\n\n\n\
                    ALTER TABLE public.u OWNER TO other;\n\nALTER FUNCTION public.owner(owner text) OWNER TO \"The Owner\";\n";
        let expected = "--\n-- Name: t; Type: TABLE; Schema: public; Owner: -\n--\n\nCREATE TABLE public.t (\n    a text\n);\n\n\
                    --\n-- Name: u; Type: TABLE; Schema: public; Owner: other; Tablespace: me\n--\n\nCREATE TABLE public.u ();\n\n\n\
                    ALTER TABLE public.u OWNER TO other;\n";
        assert_eq!(tidied(body), expected);
    }

    #[test]
    fn who_made_the_server_is_not_told_of_the_schema_that_it_gave() {
        let body = "--\n-- Name: public; Type: SCHEMA; Schema: -; Owner: initdb\n--\n\n-- *not* creating schema, since initdb creates it\n\n\n\
                    ALTER SCHEMA public OWNER TO initdb;\n\n\
                    --\n-- Name: t; Type: TABLE; Schema: public; Owner: initdb\n--\n\nALTER TABLE public.t OWNER TO initdb;\n";
        let expected = "--\n-- Name: public; Type: SCHEMA; Schema: -; Owner: -\n--\n\n-- *not* creating schema, since initdb creates it\n\n\
                    --\n-- Name: t; Type: TABLE; Schema: public; Owner: initdb\n--\n\nALTER TABLE public.t OWNER TO initdb;\n";
        assert_eq!(tidied(body), expected);
    }

    #[test]
    fn the_builder_is_the_current_user_where_rights_are_given() {
        for (body, expected) in [
            ("REVOKE ALL ON TABLE me.me FROM me;", "REVOKE ALL ON TABLE me.me FROM CURRENT_USER;"),
            (
                "GRANT SELECT(\"to\") ON TABLE me.to TO app, me;",
                "GRANT SELECT(\"to\") ON TABLE me.to TO app, CURRENT_USER;",
            ),
            (
                "ALTER DEFAULT PRIVILEGES FOR ROLE me IN SCHEMA me GRANT SELECT ON TABLES TO app;",
                "ALTER DEFAULT PRIVILEGES FOR ROLE CURRENT_USER IN SCHEMA me GRANT SELECT ON TABLES TO app;",
            ),
            (
                "CREATE USER MAPPING FOR \"The Owner\" SERVER me OPTIONS (\n    \"user\" 'me'\n);",
                "CREATE USER MAPPING FOR CURRENT_USER SERVER me OPTIONS (\n    \"user\" 'me'\n);",
            ),
            (
                "CREATE POLICY me ON public.me TO me USING ((a = 1));",
                "CREATE POLICY me ON public.me TO CURRENT_USER USING ((a = 1));",
            ),
            (
                "CREATE POLICY p ON public.me AS RESTRICTIVE FOR SELECT TO zz, me, app USING ((a = 1));",
                "CREATE POLICY p ON public.me AS RESTRICTIVE FOR SELECT TO CURRENT_USER, app, zz USING ((a = 1));",
            ),
            ("CREATE TABLE public.me (me text DEFAULT 'to me');", "CREATE TABLE public.me (me text DEFAULT 'to me');"),
        ] {
            assert_eq!(tidied(&format!("{body}\n")), format!("{expected}\n"));
        }
    }
}
