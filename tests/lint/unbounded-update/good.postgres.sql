update customer set points = 0 where points is null;
