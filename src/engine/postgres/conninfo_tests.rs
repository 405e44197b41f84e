#![allow(clippy::unwrap_used)]
use super::*;

fn host(variables: &[(&str, &str)]) -> Host {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Host { variables, user: Some("os".into()), ..Host::default() }
}

/// Each row: an address, and the keywords that libpq's documentation says it means.
#[test]
fn addresses_are_read_as_libpq_reads_them() {
    let cases: [(&str, &[(&str, &str)]); 18] = [
        ("postgresql://", &[]),
        ("postgresql://localhost", &[("host", "localhost")]),
        ("postgresql://localhost:5433", &[("host", "localhost"), ("port", "5433")]),
        ("postgres://localhost/mydb", &[("host", "localhost"), ("dbname", "mydb")]),
        ("postgresql://user@localhost", &[("host", "localhost"), ("user", "user")]),
        ("postgresql://user:secret@localhost", &[("host", "localhost"), ("user", "user"), ("password", "secret")]),
        (
            "postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp",
            &[
                ("host", "localhost"),
                ("user", "other"),
                ("dbname", "otherdb"),
                ("connect_timeout", "10"),
                ("application_name", "myapp"),
            ],
        ),
        (
            "postgresql://host1:123,host2:456/somedb?target_session_attrs=any",
            &[("host", "host1,host2"), ("port", "123,456"), ("dbname", "somedb"), ("target_session_attrs", "any")],
        ),
        ("postgresql:///mydb?host=localhost&port=5433", &[("host", "localhost"), ("port", "5433"), ("dbname", "mydb")]),
        ("postgresql://[2001:db8::1234]/database", &[("host", "2001:db8::1234"), ("dbname", "database")]),
        ("postgresql:///dbname?host=/var/lib/postgresql", &[("host", "/var/lib/postgresql"), ("dbname", "dbname")]),
        ("postgresql://%2Fvar%2Flib%2Fpostgresql/dbname", &[("host", "/var/lib/postgresql"), ("dbname", "dbname")]),
        ("postgresql://u:p%40s%3As%25@h/d", &[("user", "u"), ("password", "p@s:s%"), ("host", "h"), ("dbname", "d")]),
        ("postgresql://h/d?ssl=true", &[("host", "h"), ("dbname", "d"), ("sslmode", "require")]),
        (
            "host=localhost port=5432 dbname=mydb connect_timeout=10",
            &[("host", "localhost"), ("port", "5432"), ("dbname", "mydb"), ("connect_timeout", "10")],
        ),
        ("host = 'a b' user='it\\'s' password=c\\\\d", &[("host", "a b"), ("user", "it's"), ("password", "c\\d")]),
        ("host=a\\ b dbname=''", &[("host", "a b"), ("dbname", "")]),
        ("", &[]),
    ];
    for (address, expected) in cases {
        let expected: Keywords = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(parse(address), Ok(expected), "{address}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_without_showing_secrets() {
    for (address, says) in [
        ("postgresql://u:se%zzcret@h/d", "two hex digits"),
        ("postgresql://u:secret@[::1/d", "closing `]`"),
        ("postgresql://u:secret@h/d?conect_timeout=1", "did you mean `connect_timeout`"),
        ("postgresql://u:secret@h/d?sslmode", "no `=`"),
        ("host=h password='secret", "no end"),
        ("host", "`=` is missing"),
    ] {
        let message = parse(address).unwrap_err();
        assert!(message.contains(says), "{address}: {message}");
        assert!(!message.contains("secret"), "{message}");
    }
}

#[test]
fn address_before_service_before_variables_before_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("service.conf");
    std::fs::write(&file, "[s]\nhost=from-service\ndbname=from-service\nport=1111\n").unwrap();
    let host = host(&[
        ("PGSERVICEFILE", &file.to_string_lossy()),
        ("PGSERVICE", "s"),
        ("PGHOST", "from-variable"),
        ("PGUSER", "from-variable"),
        ("PGPORT", "2222"),
        ("PGSSLMODE", "require"),
    ]);
    let conninfo = Conninfo::resolve("postgresql:///mine", &host).unwrap();
    let server = Server { host: "from-service".into(), address: None, port: 1111 };
    assert_eq!(
        (conninfo.servers, conninfo.user, conninfo.database),
        (vec![server], "from-variable".into(), "mine".into())
    );
    assert_eq!(conninfo.keywords.get("sslmode").map(String::as_str), Some("require"));
}

#[test]
fn the_database_is_named_like_the_user_and_the_user_like_the_account() {
    let conninfo = Conninfo::resolve("postgresql://h", &host(&[])).unwrap();
    assert_eq!((conninfo.user.as_str(), conninfo.database.as_str()), ("os", "os"));
}

#[test]
fn hosts_and_ports_are_paired() {
    let servers = |address: &str| Conninfo::resolve(address, &host(&[])).map(|conninfo| conninfo.servers);
    let ports = |address: &str| servers(address).unwrap().iter().map(|server| server.port).collect::<Vec<_>>();
    assert_eq!(ports("postgresql://a,b,c/?port=6000"), [6000, 6000, 6000]);
    assert_eq!(ports("postgresql://a:1,b,c:3/"), [1, 5432, 3]);
    assert!(servers("host=a,b,c port=1,2").unwrap_err().contains("3 hosts, but 2 ports"));
    assert!(servers("host=a port=0").unwrap_err().contains("`0` is no port"));
    assert!(servers("host=a port=x").unwrap_err().contains("`x` is no port"));
    assert!(servers("hostaddr=nonsense").unwrap_err().contains("no IP address"));
    let named = servers("host=db.example hostaddr=10.0.0.1").unwrap();
    assert_eq!((named[0].host.as_str(), named[0].address), ("db.example", "10.0.0.1".parse().ok()));
}

#[test]
fn what_is_shown_has_no_secret() {
    let shown = |address: &str| Conninfo::resolve(address, &host(&[])).unwrap().shown();
    assert_eq!(shown("postgresql://u:secret@h:5433/d?sslmode=require"), "postgresql://u@h:5433/d");
    assert_eq!(shown("host=/tmp/x dbname=d user=u password=secret port=1"), "postgresql://u@/d?host=/tmp/x&port=1");
    assert_eq!(shown("postgresql://u@[::1]:1,h/a%20b"), "postgresql://u@[::1]:1,h/a%20b");
}

#[test]
fn what_would_silently_not_hold_is_refused() {
    for address in ["host=h sslcrl=x", "host=h gssencmode=require", "host=h requirepeer=x"] {
        assert!(
            Conninfo::resolve(address, &host(&[])).is_err_and(|message| message.contains("not supported")),
            "{address}"
        );
    }
}

#[test]
fn local_means_this_machine() {
    let is_local = |address: &str| Conninfo::resolve(address, &host(&[])).unwrap().is_local();
    for address in ["host=localhost", "host=127.0.0.1", "host=::1", "host=/tmp", "host=db.example hostaddr=127.0.0.1"] {
        assert!(is_local(address), "{address}");
    }
    for address in ["host=db.example", "host=localhost,db.example", "host=localhost hostaddr=10.0.0.1"] {
        assert!(!is_local(address), "{address}");
    }
}
