update customer set points = 0;
