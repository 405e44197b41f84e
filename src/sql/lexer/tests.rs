//! Tokens of both dialects, rule by rule.

use super::*;

fn kinds(text: &str, dialect: Dialect) -> Vec<String> {
    let shown = |token: Result<Token, LexError>| match token {
        Ok(token) => format!("{:?} {}", token.kind, token.text(text)),
        Err(error) => format!("{error} at {}..{}", error.span.start, error.span.end),
    };
    let significant =
        |token: &Result<Token, LexError>| !matches!(token, Ok(token) if token.kind == TokenKind::Whitespace);
    Lexer::new(text, dialect).filter(significant).map(shown).collect()
}

#[track_caller]
fn postgres(text: &str, expected: &[&str]) {
    assert_eq!(kinds(text, Dialect::Postgres), expected, "{text}");
}

#[track_caller]
fn sqlite(text: &str, expected: &[&str]) {
    assert_eq!(kinds(text, Dialect::Sqlite), expected, "{text}");
}

#[test]
fn postgres_strings() {
    postgres("'a''b;'", &["String 'a''b;'"]);
    postgres(r"'a\'", &[r"String 'a\'"]);
    postgres(r"E'a\';' x", &[r"EscapeString E'a\';'", "Word x"]);
    postgres("e'\\\\' x", &["EscapeString e'\\\\'", "Word x"]);
    postgres("N'a' b'01' X'ff'", &["String N'a'", "BitString b'01'", "BitString X'ff'"]);
    postgres("U&'\\0061' u&\"a\"\"b\"", &["UnicodeString U&'\\0061'", "UnicodeIdentifier u&\"a\"\"b\""]);
    postgres("'a'\n 'b' 'c'", &["String 'a'\n 'b'", "String 'c'"]);
    postgres("e'a' -- it's\n '\\';' x", &["EscapeString e'a' -- it's\n '\\';'", "Word x"]);
    postgres("'a' /* x */ \n'b'", &["String 'a'", "BlockComment /* x */", "String 'b'"]);
    postgres("'a' -- x", &["String 'a'", "LineComment -- x"]);
}

#[test]
fn postgres_bits_have_no_doubled_quotes() {
    postgres("x'1F''a;' b'0'\n'1'", &["BitString x'1F'", "String 'a;'", "BitString b'0'\n'1'"]);
}

#[test]
fn postgres_dollar_quotes() {
    postgres("$$;$$ x", &["DollarString $$;$$", "Word x"]);
    postgres("$a$ $b$ ; $$ $a$", &["DollarString $a$ $b$ ; $$ $a$"]);
    postgres("$é1$;$é1$", &["DollarString $é1$;$é1$"]);
    postgres("a$b$ c$b$", &["Word a$b$", "Word c$b$"]);
    postgres("$a$ x$a$y", &["DollarString $a$ x$a$", "Word y"]);
    postgres("$A$ $a$ $A$", &["DollarString $A$ $a$ $A$"]);
    postgres("$1 $12a $ $x", &["Parameter $1", "Parameter $12", "Word a", "Unknown $", "Unknown $", "Word x"]);
    postgres("$1a$ x", &["Parameter $1", "Word a$", "Word x"]);
}

#[test]
fn postgres_comments_and_operators() {
    postgres("/* a /* ; */ b */ x", &["BlockComment /* a /* ; */ b */", "Word x"]);
    postgres("/*/ */ x", &["BlockComment /*/ */", "Word x"]);
    postgres("/**/ x -- y\rz", &["BlockComment /**/", "Word x", "LineComment -- y", "Word z"]);
    postgres("a*/* c */b", &["Word a", "Operator *", "BlockComment /* c */", "Word b"]);
    postgres("a<--b", &["Word a", "Operator <", "LineComment --b"]);
    postgres(
        "1*-2 @- 3 +-4",
        &[
            "Number 1",
            "Operator *",
            "Operator -",
            "Number 2",
            "Operator @-",
            "Number 3",
            "Operator +",
            "Operator -",
            "Number 4",
        ],
    );
    postgres(
        "a::b:=c=>d:e",
        &["Word a", "Operator ::", "Word b", "Operator :=", "Word c", "Operator =>", "Word d", "Colon :", "Word e"],
    );
    postgres("a->>'b'", &["Word a", "Operator ->>", "String 'b'"]);
}

#[test]
fn postgres_numbers_and_names() {
    postgres(
        "1..10 1.5e-3 .5 0x1F 1_000 1e",
        &[
            "Number 1",
            "DotDot ..",
            "Number 10",
            "Number 1.5e-3",
            "Number .5",
            "Number 0x1F",
            "Number 1_000",
            "Number 1",
            "Word e",
        ],
    );
    postgres("s.\"a\"\"b\".é", &["Word s", "Dot .", "QuotedIdentifier \"a\"\"b\"", "Dot .", "Word é"]);
    postgres("a[1:2]", &["Word a", "OpenBracket [", "Number 1", "Colon :", "Number 2", "CloseBracket ]"]);
    postgres("select 1 \\gexec\nx", &["Word select", "Number 1", "MetaCommand \\gexec", "Word x"]);
}

#[test]
fn copy_data_is_no_sql() {
    postgres(
        "copy t (a) from stdin;\n 'x;\n\\.\nb",
        &[
            "Word copy",
            "Word t",
            "OpenParen (",
            "Word a",
            "CloseParen )",
            "Word from",
            "Word stdin",
            "Semicolon ;",
            "CopyData  'x;\n",
            "CopyEnd \\.",
            "Word b",
        ],
    );
    postgres(
        "COPY t FROM STDIN WITH (FORMAT csv) ; -- x\r\n\\.\r\nb",
        &[
            "Word COPY",
            "Word t",
            "Word FROM",
            "Word STDIN",
            "Word WITH",
            "OpenParen (",
            "Word FORMAT",
            "Word csv",
            "CloseParen )",
            "Semicolon ;",
            "LineComment -- x\r",
            "CopyEnd \\.",
            "Word b",
        ],
    );
    postgres("copy t from 'f'; x", &["Word copy", "Word t", "Word from", "String 'f'", "Semicolon ;", "Word x"]);
    postgres(
        "select copy from stdin;\nx",
        &["Word select", "Word copy", "Word from", "Word stdin", "Semicolon ;", "Word x"],
    );
    postgres(
        "copy t from stdin; x",
        &[
            "Word copy",
            "Word t",
            "Word from",
            "Word stdin",
            "Semicolon ;",
            "copy from stdin must end its line: its data begins on the next one at 19..20",
        ],
    );
    postgres(
        "copy t from stdin;\nx\n",
        &[
            "Word copy",
            "Word t",
            "Word from",
            "Word stdin",
            "Semicolon ;",
            "data of copy from stdin has no closing line \\. at 19..19",
        ],
    );
}

#[test]
fn errors_point_at_what_was_opened() {
    postgres("a 'b", &["Word a", "string has no closing quote at 2..3"]);
    postgres("e'b\\'", &["string has no closing quote at 0..2"]);
    postgres("a \"b", &["Word a", "quoted identifier has no closing quote at 2..3"]);
    postgres("/* /* */", &["comment has no closing */ at 0..2"]);
    postgres("$é$ $$", &["dollar-quoted string has no closing $é$ at 0..4"]);
    postgres("a 'b\0'", &["Word a", "text has a NUL character at 4..5"]);
    sqlite("/* a", &["comment has no closing */ at 0..2"]);
    sqlite("[a", &["quoted identifier has no closing quote at 0..1"]);
    sqlite("x'a", &["string has no closing quote at 0..2"]);
    sqlite("/*/", &["comment has no closing */ at 0..2"]);
}

#[test]
fn sqlite_tokens() {
    sqlite(
        "'a''b' \"c\" `d``e` [f]] X'00'",
        &[
            "String 'a''b'",
            "QuotedIdentifier \"c\"",
            "QuotedIdentifier `d``e`",
            "QuotedIdentifier [f]",
            "CloseBracket ]",
            "BitString X'00'",
        ],
    );
    sqlite("'a\\' /* /* */ x", &["String 'a\\'", "BlockComment /* /* */", "Word x"]);
    sqlite(
        "? ?1 :a @b $c #d $e::f(g) $",
        &[
            "Parameter ?",
            "Parameter ?1",
            "Parameter :a",
            "Parameter @b",
            "Parameter $c",
            "Parameter #d",
            "Parameter $e::f(g)",
            "Unknown $",
        ],
    );
    sqlite("$a(b;c d $a($a(", &["Unknown $a(b;c", "Word d", "Unknown $a($a("]);
    sqlite("$$ a", &["Parameter $$", "Word a"]);
    sqlite("-- a\rb\nc e'd'", &["LineComment -- a\rb", "Word c", "Word e", "String 'd'"]);
    sqlite(
        "a->>1||2<=3 1e5x 0xff .5",
        &[
            "Word a",
            "Operator ->>",
            "Number 1",
            "Operator ||",
            "Number 2",
            "Operator <=",
            "Number 3",
            "Number 1e5x",
            "Number 0xff",
            "Number .5",
        ],
    );
}
