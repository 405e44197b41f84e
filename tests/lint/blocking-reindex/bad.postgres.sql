reindex table customer;
refresh materialized view totals;
