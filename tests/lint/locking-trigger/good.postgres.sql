create table if not exists note (id int primary key);
create or replace trigger note_changed before update on note for each row execute function touch();
