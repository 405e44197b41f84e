create table [a;b] ("c;""d", `e;``f`, g text default 'it''s;', h blob default X'3B');
insert into [a;b] values ('back\', 'slash\', '$$;', 1); -- it's
select "c;""d" from [a;b] where g = '/*' or g = '--;' /* not /* nested; */;
select 1 /* ; */, 2 -- ;
;
select e'1' from (select 1 as e); ; ;;
select 'é;ü' as "ñ;", `g` || ';' as [x;]from [a;b];
select 1 as a$b$, 2 as c$b$;
select '{"a;":1}' ->> '$.a;', 5 % 3 ; select 0xFF, 1e5, .5
