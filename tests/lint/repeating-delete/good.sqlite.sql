DELETE FROM price WHERE valid_to < '2020-01-01';
