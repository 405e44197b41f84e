DELETE FROM price WHERE id = (SELECT max(id) FROM price);
