//! What programs read: every verb's JSON is one document, a build's is one event a line, the last one `finished`.

use serde_json::Value;

fn has(value: &Value, fields: &[&str]) {
    assert_eq!(value["v"], 1, "{value}");
    for field in fields {
        assert!(value.get(field).is_some(), "no `{field}` in {value:#}");
    }
}

cases! {
    fn a_build_prints_one_event_a_line(case) {
        case.two_scripts();
        let events = case.run(&["--format", "json"]).exits(0).events();
        for event in &events {
            has(event, &["event", "at"]);
            let at = event["at"].as_str().unwrap();
            assert!(at.ends_with('Z') && at.contains('T'), "{at}");
        }
        let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(kinds.first(), Some(&"opened"));
        assert_eq!(kinds.last(), Some(&"finished"));
        assert_eq!(events.last().unwrap()["exit_code"], 0);
        let done: Vec<&Value> = events.iter().filter(|event| event["event"] == "step-finished").collect();
        let names: Vec<&str> = done.iter().map(|event| event["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["0001_create_customer", "0002_create_item"]);
        assert!(done.iter().all(|event| event["step"] == "apply" && event["duration_ms"].is_u64()));
    }

    fn a_build_with_nothing_to_do_has_its_events_too(case) {
        case.build();
        let events = case.run(&["--format", "json"]).exits(0).events();
        let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["opened", "finished"]);
    }

    fn a_failure_is_an_event_with_its_place(case) {
        case.write("db/1_bad.sql", "select 1;\nselect * form x;\n");
        let events = case.run(&["--format", "json"]).exits(4).events();
        let [.., failed, finished] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(failed["event"], "failed");
        let error = &failed["errors"][0];
        assert!(error["code"].as_str().unwrap().starts_with("sql/"), "{error}");
        assert_eq!(error["place"]["file"], "db/1_bad.sql");
        assert_eq!(error["place"]["line"], 2);
        assert_eq!(error["place"]["column"], 10);
        assert_eq!(finished["event"], "finished");
        assert_eq!(finished["exit_code"], 4);
    }

    fn a_refusal_is_an_event_with_its_ways_out(case) {
        case.two_scripts();
        case.build();
        case.write("db/0001_create_customer.sql", "select 1;\n");
        let events = case.run(&["--format", "json"]).exits(3).events();
        let failed = events.iter().find(|event| event["event"] == "failed").unwrap();
        assert_eq!(failed["errors"][0]["code"], "journal/altered");
        assert!(failed["errors"][0]["hints"].as_array().unwrap().len() > 1);
        assert_eq!(events.last().unwrap()["exit_code"], 3);
    }

    fn status_is_one_document(case) {
        case.two_scripts();
        let fields = [
            "project", "target", "exists", "mark", "version", "up_to_date", "scripts", "plan", "refusal",
        ];
        let status = case.run(&["status", "--format", "json"]).exits(0).document();
        has(&status, &fields);
        assert_eq!(status["up_to_date"], false);
        assert_eq!(status["scripts"][0]["state"], "pending");
        case.build();
        let status = case.run(&["status", "--format", "json"]).exits(0).document();
        has(&status, &fields);
        assert_eq!(status["project"], "shop");
        assert_eq!(status["version"], "2");
        assert_eq!(status["up_to_date"], true);
        assert_eq!(status["mark"]["environment"], "development");
        assert_eq!(status["mark"]["protected"], false);
        assert_eq!(status["scripts"][1]["file"], "db/0002_create_item.sql");
        assert_eq!(status["scripts"][1]["state"], "applied");
        case.write("db/0002_create_item.sql", "select 1;\n");
        let status = case.run(&["status", "--format", "json"]).exits(0).document();
        assert_eq!(status["scripts"][1]["state"], "altered");
        assert_eq!(status["refusal"]["code"], "journal/altered");
        assert!(status["plan"].is_null());
    }

    fn plan_is_one_document(case) {
        case.two_scripts();
        for arguments in [&["plan", "--format", "json"][..], &["build", "--dry-run", "--format", "json"]] {
            let document = case.run(arguments).exits(0).document();
            has(&document, &["plan"]);
            for field in ["format", "project", "target", "version", "journal", "steps", "notes"] {
                assert!(document["plan"].get(field).is_some(), "{field}");
            }
            assert_eq!(document["plan"]["steps"][1]["script"]["version"], "1");
        }
    }

    fn the_other_verbs_are_one_document_each(case) {
        case.two_scripts();
        case.build();
        has(&case.run(&["config", "--format", "json"]).exits(0).document(), &["settings"]);
        has(&case.run(&["create", "--format", "json"]).exits(0).document(), &["target", "created"]);
        has(&case.run(&["wait", "--format", "json"]).exits(0).document(), &["target"]);
        has(&case.run(&["mark", "development", "--format", "json"]).exits(0).document(), &["target", "mark"]);
        has(&case.run(&["test-data", "--format", "json"]).exits(0).document(), &["files", "loaded"]);
        has(&case.run(&["reset", "--yes", "--format", "json"]).exits(0).document(), &["target", "reset"]);
        has(&case.run(&["drop", "--yes", "--format", "json"]).exits(0).document(), &["target", "dropped"]);
    }

    fn a_failure_of_another_verb_is_one_document(case) {
        case.settings("environment = \"production\"\n");
        case.two_scripts();
        case.build();
        let document = case.run(&["reset", "--yes", "--format", "json"]).exits(3).document();
        has(&document, &["errors"]);
        assert_eq!(document["errors"][0]["code"], "consent/protected");
        let document = case.run(&["status", "--target", "none", "--format", "json"]).exits(2).document();
        has(&document, &["errors"]);
    }

    fn config_says_where_each_setting_was_said_and_hides_passwords(case) {
        case.settings("lock-timeout = \"7s\"\npassword = \"s3cret\"\n");
        let output = case.run(&["config"]).exits(0).says("targets.dev.lock-timeout").says("7s").says("dbbuild.toml");
        output.does_not_say("s3cret");
        let document = case.run(&["config", "--format", "json"]).exits(0).document();
        let settings = document["settings"].as_array().unwrap();
        let row = settings.iter().find(|row| row["name"] == "targets.dev.lock-timeout").unwrap();
        assert_eq!((row["value"].as_str(), row["origin"].as_str()), (Some("7s"), Some("dbbuild.toml")));
    }

    fn quiet_prints_the_result_only(case) {
        case.two_scripts();
        let output = case.run(&["--quiet"]).exits(0);
        assert_eq!(output.stdout.lines().count(), 1, "{output}");
        output.says("version 2 · 2 steps").does_not_say("apply");
    }

    fn results_go_to_stdout_and_the_rest_to_stderr(case) {
        case.two_scripts();
        case.build();
        case.write("db/1.5_late.sql", "select 1;\n");
        let output = case.build();
        assert!(output.stderr.contains("is late") && !output.stdout.contains("is late"), "{output}");
        assert!(output.stdout.contains("1.5_late"), "{output}");
    }

    fn colour_is_used_on_a_terminal_only_unless_asked_for(case) {
        case.write("db/1_bad.sql", "select * form x;\n");
        case.run(&[]).exits(4).does_not_say("\u{1b}");
        case.run(&["--color", "always"]).exits(4).says("\u{1b}");
    }
}
