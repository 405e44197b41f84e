select 1;
select 'it''s open;
