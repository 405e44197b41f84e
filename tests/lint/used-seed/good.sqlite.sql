update customer set country = (select id from region where code = 'NL') where country is null;
