-- Words that other tools cut at or swallow.
insert into settings values ('delimiter', ';', 'GO
go
/
DELIMITER //
-- +goose StatementEnd
');
select delimiter from settings;
create table go (go int);
comment on table go is '${not_a_placeholder} $(neither) {{nor}} this;';
insert into templates values ('${user.name}; ${x}', '<script>let a = `${b}`;</script>');
select 1 as "delimiter"; select 2 as "BEGIN ATOMIC;"; select 3
;
;;
; -- an empty statement's comment
select 4 /* before its semicolon */ ; /* behind it */
/* in front of five */ select 5; /* in front of six */ select 6; -- behind six
-- in front of nothing
