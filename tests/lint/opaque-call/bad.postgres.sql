select make_partitions('sale');
