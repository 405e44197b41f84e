select 1;
create function f() as $body$ begin; $Body$ $body $$;
