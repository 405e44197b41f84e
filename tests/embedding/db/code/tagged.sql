drop view if exists tagged;
create view tagged as
select note.id, note.body, tag.meaning
from note
join tag on tag.name = note.tag;
