alter table sale attach partition sale_2024 for values from (2024) to (2025);
alter table child no inherit parent;
alter table contact not of;
