UPDATE customer SET points = points * 2;
