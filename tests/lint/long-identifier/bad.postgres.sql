create table if not exists a_name_that_is_longer_than_the_sixty_three_bytes_that_there_are_for_it (a int);
