-- Every category with the way to it from the top: 'Kitchen / Coffee'.
drop view if exists category_path;
create view category_path as
with recursive path (code, path, depth) as (
    select code, name, 1
    from category
    where parent_code is null
    union all
    select child.code, path.path || ' / ' || child.name, path.depth + 1
    from category child
    join path on path.code = child.parent_code
)
select code, path, depth
from path;
