update customer set country = (select id from country where code = 'NL') where country is null;
